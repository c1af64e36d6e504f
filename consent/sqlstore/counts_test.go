// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"doorstep/consent"
)

// Nothing exact outlives its window: nobody and nine people in a zone leave the same tables behind, and numbers that no
// node was there to close are forgotten.
func TestNoNumberOutlivesItsWindow(t *testing.T) {
	left := func(people int, close bool) (rows [3]int64) {
		db := openForTest(t, filepath.Join(t.TempDir(), "ledger.db"))
		window := consent.WindowOf(time.Date(2026, 3, 1, 10, 20, 0, 0, time.UTC))
		err := db.KeepCounts(t.Context(), consent.Counted{Store: "shop", Map: "m", Window: window, Zones: handedIn("shoes", people)})
		if err == nil && close {
			err = db.CloseCounts(t.Context(), "shop", "m", window)
			if err == nil { // one that comes late leaves nothing
				err = db.KeepCounts(t.Context(), consent.Counted{Store: "shop", Map: "m", Window: window, Zones: handedIn("late", 25)})
			}
		}
		if err == nil && !close {
			err = db.Prune(t.Context(), window.Add(consent.CountWindow+countGrace+time.Second), time.Hour)
		}
		for i, table := range []string{"zone_part", "zone_window", "zone_band"} {
			if err == nil {
				err = db.row(t.Context(), `SELECT COUNT(*) FROM `+table).into(&rows[i])
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	for _, c := range []struct {
		people int
		close  bool
		want   [3]int64
	}{{0, true, [3]int64{0, 1, 0}}, {9, true, [3]int64{0, 1, 0}}, {10, true, [3]int64{0, 1, 1}}, {9, false, [3]int64{}}, {25, false, [3]int64{}}} {
		if got := left(c.people, c.close); got != c.want {
			t.Errorf("%d people, closed %v: %v rows are left, want %v", c.people, c.close, got, c.want)
		}
	}
}

// handedIn is so many people in a zone.
func handedIn(zone string, people int) map[string][]string {
	zones := map[string][]string{}
	for i := range people {
		zones[zone] = append(zones[zone], strconv.Itoa(i))
	}
	return zones
}

// What lies in the file until a window closes is not even what nodes tell each other apart by.
func TestNoMarkIsKeptAsItIs(t *testing.T) {
	db := openForTest(t, filepath.Join(t.TempDir(), "ledger.db"))
	window := consent.WindowOf(time.Date(2026, 3, 1, 10, 20, 0, 0, time.UTC))
	const mark = "8c1f00d5a1b2c3d4e5f60718293a4b5c"
	err := db.KeepCounts(t.Context(), consent.Counted{Store: "shop", Map: "m", Window: window, Zones: map[string][]string{"shoes": {mark}}})
	var kept string
	if err == nil {
		err = db.row(t.Context(), `SELECT mark FROM zone_part`).into(&kept)
	}
	if err != nil || kept == "" || kept == mark {
		t.Errorf("kept %q, %v", kept, err)
	}
}
