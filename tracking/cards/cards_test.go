// SPDX-License-Identifier: Apache-2.0

package cards_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/geofence"
	"doorstep/tracking/cards"
)

var zones = map[string]bool{"shoes": false, "toilets": true}

// picture is a PNG of so many pixels a side; a noisy one is hard to compress.
func picture(side int, noisy bool) string {
	img := image.NewGray(image.Rect(0, 0, side, side))
	if noisy {
		for i := range side * side {
			img.SetGray(i%side, i/side, color.Gray{Y: uint8(rand.Uint32())})
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err)
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(b.Bytes())
}

// one is a deck of one card that is right but for a member.
func one(member string, value any) []byte {
	card := map[string]any{"zone": "shoes", "title": "Shoes", "text": "Half sizes too."}
	deck := map[string]any{"time_zone": "Europe/Berlin", "cards": []any{card}}
	switch {
	case member == "time_zone" || member == "cards":
		deck[member] = value
	default:
		card[member] = value
	}
	if member == "image" {
		card["alt"] = "Drawers"
	}
	b, err := json.Marshal(deck)
	if err != nil {
		panic(err)
	}
	return b
}

// Each mistake is told with its place and what to write instead.
func TestMistakesAreTold(t *testing.T) {
	for name, c := range map[string]struct {
		text []byte
		says string
	}{
		"no JSON":           {[]byte(`{`), "the whole: unexpected EOF"},
		"another form":      {[]byte(`{"card":[]}`), `unknown field "card"`},
		"more than one":     {[]byte(`{"cards":[]} {}`), "something follows"},
		"no list":           {[]byte(`{}`), "cards: missing"},
		"far too much":      {one("text", strings.Repeat("x", cards.Most)), "bytes: 786432 at most"},
		"too many":          {one("cards", make([]struct{}, 201)), "cards: 201 of them"},
		"no zone":           {one("zone", ""), "cards[0] ().zone"},
		"another zone":      {one("zone", "Shoes"), "cards[0] (Shoes).zone: none that phones know of"},
		"a private zone":    {one("zone", "toilets"), "cards[0] (toilets).zone: none that phones know of"},
		"no title":          {one("title", ""), "cards[0] (shoes).title: missing"},
		"a long title":      {one("title", strings.Repeat("ü", 201)), "title: 201 letters"},
		"a long text":       {one("text", strings.Repeat("ü", 2001)), "text: 2001 letters"},
		"an open address":   {one("link", "http://shop.example/"), "link: no address that a page may lead to"},
		"a script":          {one("link", "javascript:alert(1)"), "link: no address"},
		"somebody's":        {one("link", "https://me:pass@shop.example/"), "link: no address"},
		"a language":        {one("lang", "English"), `lang: "English"`},
		"a file's name":     {one("image", "shoes.png"), "image: not a data: address"},
		"a drawing":         {one("image", "data:image/svg+xml;base64,PHN2Zy8+"), "image: not a data: address"},
		"another kind":      {one("image", strings.Replace(picture(2, false), "png", "jpeg", 1)), "image: its bytes are not what its name says"},
		"no picture":        {one("image", "data:image/png;base64,AAAA"), "image: its bytes are not what its name says"},
		"a large picture":   {one("image", picture(200, true)), "image: "},
		"one that unfolds":  {one("image", picture(1025, false)), "image: 1025 × 1025 pixels: give a PNG or a JPEG of 32 KiB and 1024 pixels a side at most"},
		"odd hours":         {one("hours", "whenever"), "hours: rule \"whenever\""},
		"a long substitute": {one("alt", strings.Repeat("x", 201)), "alt: 201 letters"},
	} {
		_, err := cards.Read(c.text, zones)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", name, err, c.says)
		}
	}
	if _, err := cards.Read([]byte(`{"cards":[{"zone":"shoes","title":"S","text":"T","hours":"24/7"}]}`), zones); err == nil || !strings.Contains(err.Error(), "no time zone") {
		t.Errorf("hours without a time zone: %v", err)
	}
	without := bytes.Replace(one("image", picture(2, false)), []byte(`"alt":"Drawers",`), nil, 1)
	if _, err := cards.Read(without, zones); err == nil || !strings.Contains(err.Error(), "alt: missing: write what the picture shows") {
		t.Errorf("a picture for those who see only: %v", err)
	}
	if _, err := cards.Read([]byte(`{"cards":[{},{}]}`), zones); err == nil || strings.Count(err.Error(), "\n") != 5 {
		t.Errorf("of two empty cards: %v", err)
	}
	if _, err := cards.Read(one("image", picture(1024, false)), nil); err != nil {
		t.Errorf("what is right is refused: %v", err)
	}
}

// A phone is given times in place of hours: within a day from now, and none for what is always shown.
func TestWhatPhonesAreGiven(t *testing.T) {
	deck, err := cards.Read([]byte(`{"time_zone":"Europe/Berlin","cards":[
		{"zone":"shoes","title":"A","text":"a","lang":"en","link":"https://shop.example/"},
		{"zone":"shoes","title":"B","text":"b","hours":"Mo-Fr 09:00-12:00,13:00-18:00"},
		{"zone":"shoes","title":"C","text":"c","hours":"Su 10:00-12:00"}]}`), zones)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 23, 10, 30, 29, 0, time.UTC) // a Monday, half past eleven in Berlin
	b, err := json.Marshal(deck.Deal(now))
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour, minute int) int64 {
		return time.Date(2026, 11, day, hour, minute, 0, 0, time.UTC).UnixMilli()
	}
	want := fmt.Sprintf(`[{"zone":"shoes","title":"A","text":"a","link":"https://shop.example/","lang":"en"},`+
		`{"zone":"shoes","title":"B","text":"b","times":[{"from_t":%d,"until_t":%d},{"from_t":%d,"until_t":%d},{"from_t":%d,"until_t":%d}]},`+
		`{"zone":"shoes","title":"C","text":"c","times":[]}]`, at(23, 10, 30), at(23, 11, 0), at(23, 12, 0), at(23, 17, 0), at(24, 8, 0), at(24, 10, 30))
	if string(b) != want {
		t.Errorf("given\n%s\nwant\n%s", b, want)
	}
	var none *cards.Deck
	if len(none.Deal(now)) != 0 || none.Deal(now) == nil {
		t.Error("no deck is not an empty one")
	}
}

// At any minute of the day ahead, the times say what the hours say.
func TestTimesAreTheHours(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from, to := rapid.IntRange(0, 23).Draw(t, "from"), rapid.IntRange(0, 23).Draw(t, "to")
		text := fmt.Sprintf("Mo,We-Sa %02d:%02d-%02d:30", from, rapid.IntRange(0, 29).Draw(t, "minute"), to)
		zone := rapid.SampledFrom([]string{"UTC", "Asia/Kathmandu", "America/New_York"}).Draw(t, "zone")
		hours, err := geofence.ParseHours(text, zone)
		if err != nil {
			t.Fatal(err)
		}
		deck, err := cards.Read(fmt.Appendf(nil, `{"time_zone":%q,"cards":[{"zone":"shoes","title":"A","text":"a","hours":%q}]}`, zone, text), zones)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 14*86400).Draw(t, "now")) * time.Second)
		at := now.Add(time.Duration(rapid.IntRange(0, 86_339).Draw(t, "later")) * time.Second)
		shown := false
		for _, s := range deck.Deal(now)[0].Times {
			shown = shown || s.From <= at.UnixMilli() && at.UnixMilli() < s.Until
		}
		if shown != hours.Open(at) {
			t.Fatalf("%s in %s, seen at %v, at %v: %v", text, zone, now, at, shown)
		}
	})
}
