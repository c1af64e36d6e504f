// SPDX-License-Identifier: Apache-2.0

// Package cards is what a store tells people about its zones: a title, a text, perhaps a link and a picture, in a language and at
// certain hours. It is pure. A deck is handed to every phone whole, pictures included, and each phone picks: no request says where
// anybody is.
//
//	{
//	  "time_zone": "Europe/Berlin",
//	  "cards": [
//	    {"zone": "shoes", "title": "Shoes", "text": "Half sizes are in the drawers.", "lang": "en", "hours": "Mo-Sa 10:00-18:00",
//	     "link": "https://shop.example/shoes", "image": "data:image/png;base64,…", "alt": "A wall of drawers"}
//	  ]
//	}
package cards

import (
	"time"

	"doorstep/geofence"
)

// Card is about one zone.
type Card struct {
	Zone  string `json:"zone"`
	Title string `json:"title"`
	Text  string `json:"text"`
	Link  string `json:"link,omitempty"`  // https
	Lang  string `json:"lang,omitempty"`  // that it is written in; empty: for everybody
	Image string `json:"image,omitempty"` // PNG or JPEG, as a data: address
	Alt   string `json:"alt,omitempty"`   // what the picture shows, for whoever does not see it
	Hours string `json:"hours,omitempty"` // when it is shown; empty: always

	hours geofence.Hours
}

// Deck is all cards of a store. It never changes once it is read.
type Deck struct {
	TimeZone string `json:"time_zone,omitempty"` // IANA; of the hours
	Cards    []Card `json:"cards"`
}

// Span is a time at which a card is shown, in Unix milliseconds.
type Span struct {
	From  int64 `json:"from_t"`
	Until int64 `json:"until_t"`
}

// Dealt is a card as a phone is given it: with times that it can compare, in place of hours that it would have to read.
type Dealt struct {
	Zone  string `json:"zone"`
	Title string `json:"title"`
	Text  string `json:"text"`
	Link  string `json:"link,omitempty"`
	Lang  string `json:"lang,omitempty"`
	Image string `json:"image,omitempty"`
	Alt   string `json:"alt,omitempty"`
	Times []Span `json:"times,omitzero"` // nil: always; none: not before a day has passed
}

// ahead is how far times are told.
const ahead = 24 * time.Hour

// Deal is the deck as phones are given it at a moment, with times from its minute to a day ahead. A nil deck has no cards.
func (d *Deck) Deal(now time.Time) []Dealt {
	if d == nil {
		return []Dealt{}
	}
	list := make([]Dealt, len(d.Cards))
	told := map[string][]Span{}
	for i, c := range d.Cards {
		list[i] = Dealt{c.Zone, c.Title, c.Text, c.Link, c.Lang, c.Image, c.Alt, nil}
		if c.Hours == "" {
			continue
		}
		if told[c.Hours] == nil {
			told[c.Hours] = spans(c.hours, now)
		}
		list[i].Times = told[c.Hours]
	}
	return list
}

// spans are the open times of a day from now on. Hours are in whole minutes.
func spans(hours geofence.Hours, now time.Time) []Span {
	list, open := []Span{}, false
	from := now.Truncate(time.Minute)
	for at := from; !at.After(from.Add(ahead)); at = at.Add(time.Minute) {
		is := hours.Open(at) && at.Before(from.Add(ahead))
		switch {
		case is && !open:
			list = append(list, Span{From: at.UnixMilli()})
		case !is && open:
			list[len(list)-1].Until = at.UnixMilli()
		}
		open = is
	}
	return list
}
