// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/consent/storetest"
)

// windowsOf closes the four windows of an hour in which so many were in each zone.
func (h *house) windowsOf(version string, hour time.Time, zones map[string]int) {
	h.Helper()
	for i := range 4 {
		w := hour.UTC().Add(time.Duration(i) * consent.CountWindow)
		h.ok(h.store.KeepCounts(h.Context(), consent.Counted{Store: demostore.ID, Map: version, Window: w, Zones: storetest.Marks("a", zones)}))
		h.ok(h.store.CloseCounts(h.Context(), demostore.ID, version, w))
	}
}

type quietAnswer struct {
	TimeZone string `json:"time_zone"`
	Zones    []struct {
		ID    string
		Quiet []struct{ Day, From, Until string }
	}
}

func (a quietAnswer) String() string {
	var lines []string
	for _, z := range a.Zones {
		line := z.ID
		for _, q := range z.Quiet {
			line += fmt.Sprintf(" %s %s-%s", q.Day, q.From, q.Until)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// Everybody may know when a zone is usually quiet: from finished days of the store's own time, by the map in force, while the store
// is open, and where somebody was ever counted.
func TestQuietTimes(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.want("hours", h.admin("PUT", "/v1/admin/stores/"+demostore.ID+"/hours", `{"hours":"Mo-Su 09:00-22:00","zone":"Asia/Shanghai"}`, nil), http.StatusOK)
		shanghai, err := time.LoadLocation("Asia/Shanghai")
		h.ok(err)
		y, m, d := time.Now().In(shanghai).Date()
		at := func(days, hour int) time.Time { return time.Date(y, m, d-days, hour, 0, 0, 0, shanghai) }
		yesterday, today := at(1, 0).Format("Mon")[:2], at(0, 0).Format("Mon")[:2]
		version, nobody := h.index.Site().Version, map[string]int{}
		for _, week := range []int{1, 8} {
			h.windowsOf(version, at(week, 8), nobody) // before it opens
			h.windowsOf(version, at(week, 10), nobody)
			h.windowsOf(version, at(week, 11), map[string]int{"shoes": 10, "toilets": 30})
			h.windowsOf(version, at(week, 12), map[string]int{"gifts": 9})
		}
		h.windowsOf("another map", at(15, 10), map[string]int{"shoes": 30})
		h.windowsOf(version, at(2, 10), nobody) // once
		h.windowsOf(version, at(7, 9), nobody)
		h.windowsOf(version, at(0, 9), map[string]int{"sports": 30}) // today
		var a quietAnswer
		h.fetch("/v1/quiet/"+demostore.ID, nil, &a)
		want := "shoes " + yesterday + " 10:00-11:00 " + yesterday + " 12:00-13:00"
		if a.String() != want || a.TimeZone != "Asia/Shanghai" {
			h.Errorf("told, in %s:\n%s\nwant\n%s", a.TimeZone, a, want)
		}
		// Whoever asks again is told the same until the day is over, whatever comes.
		h.windowsOf(version, at(1, 13), map[string]int{"kids": 30})
		h.fetch("/v1/quiet/"+demostore.ID, nil, &a)
		h.want("again", a.String(), want)
		// With new hours it is reckoned anew; a window in four that was busier is none.
		busy := at(8, 14).UTC()
		h.windowsOf(version, at(1, 14), nobody)
		h.ok(h.store.KeepCounts(h.Context(), consent.Counted{Store: demostore.ID, Map: version, Window: busy, Zones: storetest.Marks("a", map[string]int{"kids": 25})}))
		h.windowsOf(version, busy, nobody)
		h.want("hours", h.admin("PUT", "/v1/admin/stores/"+demostore.ID+"/hours", `{"hours":"Mo-Su 11:00-22:00","zone":"Asia/Shanghai"}`, nil), http.StatusOK)
		h.fetch("/v1/quiet/"+demostore.ID, nil, &a)
		h.want("by the new hours", strings.Split(a.String(), "\n")[0], "shoes "+yesterday+" 12:00-13:00 "+yesterday+" 14:00-15:00")
		h.want("one busier window of eight", strings.HasSuffix(a.String(), "kids "+yesterday+" 11:00-13:00 "+yesterday+" 14:00-15:00"), true)
		h.want("today", strings.Contains(a.String(), today), false)
		told, err := h.app("ana", h.web, nil).Quiet(h.Context(), demostore.ID) // as an app reads it
		h.ok(err)
		h.want("to an app", fmt.Sprint(told.TimeZone, " ", told.Zones[0].ID, " ", told.Zones[0].Quiet[0]), "Asia/Shanghai shoes {"+yesterday+" 12:00 13:00}")
		h.want("of no store", h.ask("GET", "/v1/quiet/nowhere", "", "", nil), http.StatusNotFound)
	})
}
