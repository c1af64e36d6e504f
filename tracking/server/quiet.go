// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking/server/problem"
)

// When a zone is usually quiet, for everyone to read: of finished days only, from the bands that leads are told of, and coarser than
// those. There is one answer for a store, the same for whoever asks, and it changes once a day.

// Figures of quiet times.
const (
	quietDays   = 2 // on fewer, an hour says nothing
	quietPart   = 4 // of the windows of an hour, one in so many may have been busier
	quietWithin = 5 * time.Second
)

type quietSpan struct {
	Day   string `json:"day"` // Mo to Su
	From  string `json:"from"`
	Until string `json:"until"`
}

type quietZone struct {
	countedZone
	Quiet []quietSpan `json:"quiet"`
}

type quietAnswer struct {
	Store    string      `json:"store"`
	Fence    string      `json:"fence"`     // version of the map whose zones these are
	Of       string      `json:"of"`        // the people counted: those sharing, not those present
	TimeZone string      `json:"time_zone"` // of days and hours
	Zones    []quietZone `json:"zones"`
}

// quietMade is an answer, and what it was made of.
type quietMade struct{ of, body string }

// quiet tells when each zone of a store is usually quiet.
func (s *Server) quiet(w http.ResponseWriter, r *http.Request) {
	x, ok := s.Atlas.Index(r.PathValue("store"))
	if !ok {
		s.fail(w, r, problem.New(problem.NoStore))
		return
	}
	body, err := s.quietOf(r.Context(), x.Site())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=3600")
	s.answer(w, json.RawMessage(body))
}

// quietOf is the answer of the day. It is made once, by one at a time: four weeks are read for it.
func (s *Server) quietOf(ctx context.Context, site *geofence.Site) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, quietWithin)
	defer cancel()
	select {
	case s.quieting <- struct{}{}:
		defer func() { <-s.quieting }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	hours, _ := s.Atlas.Hours(site.ID)
	at := time.UTC
	if zone := hours.Zone(); zone != "" {
		at, _ = time.LoadLocation(zone) // which the hours were read with
	}
	y, m, d := s.Now().Add(-consent.CountWindow).In(at).Date() // once yesterday's last window has been closed
	today := time.Date(y, m, d, 0, 0, 0, 0, at)
	of := fmt.Sprint(today.Unix(), site.Version, at, hours)
	if made := s.quiets[site.ID]; made.of == of {
		return made.body, nil
	}
	windows, err := s.Ledger.Counts(ctx, site.ID, today.AddDate(0, 0, -int(consent.CountsLife/(24*time.Hour))))
	if err != nil {
		return "", err
	}
	windows = slices.DeleteFunc(windows, func(w consent.CountedWindow) bool {
		return w.Map != site.Version || !w.Window.Before(today) || !hours.Open(w.Window)
	})
	body, err := json.Marshal(quietAnswer{site.ID, site.Version, ofThoseSharing, at.String(), quietZones(site, windows, at)})
	if err == nil {
		s.quiets[site.ID] = quietMade{of, string(body)}
	}
	return string(body), err
}

// quietZones are the zones of a map that were ever more than few: of the others it is not known whether they were quiet, or
// whether nobody shared there.
func quietZones(site *geofence.Site, windows []consent.CountedWindow, at *time.Location) []quietZone {
	list := []quietZone{}
	for _, level := range site.Levels {
		for _, z := range level.Zones {
			busy := func(w consent.CountedWindow) bool { _, more := w.Zones[z.ID]; return more }
			if !z.Sensitive && slices.ContainsFunc(windows, busy) {
				list = append(list, quietZone{countedZone{z.ID, z.Name, z.Level}, quietSpans(windows, busy, at)})
			}
		}
	}
	return list
}

// quietHour is what the windows of one hour of the week say.
type quietHour struct {
	days, windows, busy int
	last                string
}

func (h quietHour) quiet() bool { return h.days >= quietDays && h.busy*quietPart <= h.windows }

// quietSpans are the hours of a week, Monday first, that were quiet; those that follow each other as one.
func quietSpans(windows []consent.CountedWindow, busy func(consent.CountedWindow) bool, at *time.Location) []quietSpan {
	var week [7][24]quietHour
	for _, w := range windows {
		t := w.Window.In(at)
		h := &week[(t.Weekday()+6)%7][t.Hour()]
		if day := t.Format(time.DateOnly); day != h.last {
			h.days, h.last = h.days+1, day
		}
		h.windows++
		if busy(w) {
			h.busy++
		}
	}
	spans := []quietSpan{}
	for d, day := range week {
		for from := 0; from < len(day); from++ {
			until := from
			for until < len(day) && day[until].quiet() {
				until++
			}
			if until > from {
				spans = append(spans, quietSpan{[]string{"Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"}[d], fmt.Sprintf("%02d:00", from), fmt.Sprintf("%02d:00", until)})
				from = until
			}
		}
	}
	return spans
}
