// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// TestGPXThereAndBack: what is written is read as the same walk.
func TestGPXThereAndBack(t *testing.T) {
	w, err := NewWalker(shopMap(t), Options{Seed: 7, Start: time.UnixMilli(1_790_000_000_000), Plan: VisitPlan{Inside: time.Minute}, Noise: RealPhone()})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	gpx, err := NewGPX(&file)
	if err != nil {
		t.Fatal(err)
	}
	if err := gpx.Track("a & b"); err != nil {
		t.Fatal(err)
	}
	var fixes []Fix
	for f, _, more := w.Next(); more; f, _, more = w.Next() {
		fixes = append(fixes, f)
		if err := gpx.Fix(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := gpx.Close(); err != nil {
		t.Fatal(err)
	}
	n := 0
	err = eachRecorded(&file, func(r *recorded) error {
		f := fixes[n]
		if *r.T != f.T || math.Abs(*r.Lat-f.Lat) > 1e-8 || math.Abs(*r.Lng-f.Lng) > 1e-8 || *r.Floor != f.Level || math.Abs(*r.AccuracyM-f.AccuracyM) > 0.01 {
			t.Errorf("point %d: %+v is not %+v", n, r, f)
		}
		n++
		return nil
	})
	if err != nil || n != len(fixes) || n < 60 {
		t.Errorf("%d of %d points: %v", n, len(fixes), err)
	}
}

func TestGPXOfOthers(t *testing.T) {
	const point = `<trkpt lat="54.0001" lon="3.0001"><ele>4</ele><time>2026-01-02T03:04:05Z</time></trkpt>`
	for file, good := range map[string]bool{
		"\ufeff <?xml version=\"1.0\"?><gpx><trk><trkseg>" + point + strings.Replace(point, ":05Z", ":06.5+00:00", 1) + "</trkseg></trk></gpx>": true,
		"<gpx><trk><trkseg>" + point + "</trkseg></trk></gpx>":                                     false, // one is no walk
		"<gpx><trk><trkseg>" + point + strings.Replace(point, "54.0001", "154", 1) + "</trkseg>":   false,
		"<gpx><trk><trkseg>" + point + strings.Replace(point, "<time>", "<when>", 1) + "</trkseg>": false,
		"<gpx><trk><trkseg>" + point + "<trkpt lat=\"54\" lon=\"3\"></trkpt></trkseg></trk></gpx>": false, // no time
	} {
		w, err := NewTraceWalker(strings.NewReader(file), nil, Options{})
		if (err == nil) != good || err != nil && !errors.Is(err, ErrTrace) {
			t.Errorf("%q: %v", file, err)
		}
		if good && w.Length() != 1500*time.Millisecond {
			t.Errorf("the walk takes %v", w.Length())
		}
	}
}

// TestTheNetworkGoesAndComes, and takes no fix with it.
func TestTheNetworkGoesAndComes(t *testing.T) {
	options := Options{Seed: 3, Plan: VisitPlan{Inside: 10 * time.Minute}}
	whole, err := NewWalker(shopMap(t), options)
	if err != nil {
		t.Fatal(err)
	}
	options.Noise = Noise{DropsPerHour: 60, Drop: 20 * time.Second}
	torn, err := NewWalker(shopMap(t), options)
	if err != nil {
		t.Fatal(err)
	}
	offline, changes, was := 0, 0, false
	for {
		a, _, moreA := whole.Next()
		b, _, moreB := torn.Next()
		if moreA != moreB || a.Offline {
			t.Fatal("a network that goes takes fixes along, or goes by itself")
		}
		if !moreA {
			break
		}
		if b.Offline {
			offline++
		}
		if b.Offline != was {
			changes++
		}
		was = b.Offline
	}
	if offline < 20 || offline > 300 || changes < 4 {
		t.Errorf("%d seconds offline, %d changes", offline, changes)
	}
}
