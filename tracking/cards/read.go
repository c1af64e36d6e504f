// SPDX-License-Identifier: Apache-2.0

package cards

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	_ "image/jpeg" // the two kinds of picture that are taken
	_ "image/png"
	"io"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"doorstep/geofence"
)

// Bounds of a deck. All of it goes to every phone, so it must stay small; Most leaves room in the 1 MiB that the reference clients read.
const (
	Most      = 768 << 10 // of the whole deck as JSON, in bytes
	ImageMost = 32 << 10  // of a picture, in bytes
	cardsMost = 200
	sideMost  = 1024 // of a picture, in pixels: few bytes can unfold into many
	titleMost = 200  // in letters, like the next two
	textMost  = 2000
	altMost   = 200
	linkMost  = 1024
)

var langs = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// Read reads a deck and checks it. Zones are those of the store's map, true for one that staff do not see into; nil: they are not looked
// at. An error has a line for each mistake: where it is, what is wrong, and what to write instead.
func Read(text []byte, zones map[string]bool) (*Deck, error) {
	if len(text) > Most {
		return nil, fmt.Errorf("the whole: %d bytes: %d at most, pictures included, since every phone is given all of it", len(text), Most)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var deck Deck
	if err := d.Decode(&deck); err != nil {
		return nil, fmt.Errorf("the whole: %s: compare it with the example in the README", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the end: something follows the cards: keep one object in the file")
	}
	var errs []error
	if len(deck.Cards) > cardsMost {
		errs = append(errs, fmt.Errorf("cards: %d of them: write %d at most", len(deck.Cards), cardsMost))
	}
	if deck.Cards == nil {
		errs = append(errs, errors.New("cards: missing: write a list, empty for none"))
	}
	for i := range deck.Cards {
		c := &deck.Cards[i]
		errs = append(errs, c.check(fmt.Sprintf("cards[%d] (%s)", i, c.Zone), deck.TimeZone, zones))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &deck, nil
}

func (c *Card) check(at, timeZone string, zones map[string]bool) error {
	var errs []error
	say := func(member, wrong, remedy string) {
		errs = append(errs, fmt.Errorf("%s.%s: %s: %s", at, member, wrong, remedy))
	}
	if private, there := zones[c.Zone]; c.Zone == "" || zones != nil && (!there || private) {
		say("zone", "none that phones know of", "write the id of a zone of the store's map that staff may see into")
	}
	if length(c.Title, 1, titleMost) != "" {
		say("title", length(c.Title, 1, titleMost), fmt.Sprintf("write 1 to %d letters", titleMost))
	}
	if length(c.Text, 1, textMost) != "" {
		say("text", length(c.Text, 1, textMost), fmt.Sprintf("write 1 to %d letters", textMost))
	}
	if u, err := url.Parse(c.Link); c.Link != "" && (err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || len(c.Link) > linkMost) {
		say("link", "no address that a page may lead to", "write https://host/path")
	}
	if c.Lang != "" && !langs.MatchString(c.Lang) {
		say("lang", fmt.Sprintf("%q", c.Lang), "write the language as en, zh or pt-BR, or leave it out for everybody")
	}
	if wrong := picture(c.Image); wrong != "" {
		say("image", wrong, fmt.Sprintf("give a PNG or a JPEG of %d KiB and %d pixels a side at most", ImageMost>>10, sideMost))
	}
	if least := min(len(c.Image), 1); length(c.Alt, least, altMost) != "" {
		say("alt", length(c.Alt, least, altMost), "write what the picture shows, for whoever does not see it")
	}
	if c.Hours != "" {
		var err error
		if c.hours, err = geofence.ParseHours(c.Hours, timeZone); err != nil {
			say("hours", strings.TrimLeft(strings.TrimPrefix(err.Error(), "hours"), ": "), "write them as Mo-Fr 09:00-18:00, with time_zone at the top of the file")
		}
	}
	return errors.Join(errs...)
}

// length says what is wrong with a text's length, in letters; empty if nothing is.
func length(text string, least, most int) string {
	switch n := utf8.RuneCountInString(text); {
	case n < least:
		return "missing"
	case n > most:
		return fmt.Sprintf("%d letters", n)
	}
	return ""
}

// picture says what is wrong with one; empty if nothing is, or there is none. What it is, its bytes say, and not its name.
func picture(address string) string {
	if address == "" {
		return ""
	}
	head, text, _ := strings.Cut(address, ",")
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || head != "data:image/png;base64" && head != "data:image/jpeg;base64" {
		return "not a data: address of a PNG or a JPEG"
	}
	if len(raw) > ImageMost {
		return fmt.Sprintf("%d bytes", len(raw))
	}
	size, kind, err := image.DecodeConfig(bytes.NewReader(raw))
	switch {
	case err != nil || head != "data:image/"+kind+";base64":
		return "its bytes are not what its name says"
	case size.Width > sideMost || size.Height > sideMost:
		return fmt.Sprintf("%d × %d pixels", size.Width, size.Height)
	}
	return ""
}
