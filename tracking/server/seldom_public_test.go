// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/consent/storetest"
	"doorstep/tracking/server"
	"doorstep/tracking/server/auth"
)

// round is a map with so many corners, and so many doors, whose names take room.
func round(corners, doors int) string {
	ring := make([]string, corners+1)
	for i := range ring {
		turn := 2 * math.Pi * float64(i%corners) / float64(corners)
		ring[i] = fmt.Sprintf("[%.8f,%.8f]", 1+0.0002*math.Cos(turn), 0.0002*math.Sin(turn))
	}
	features := []string{`{"type":"Feature","properties":{"kind":"boundary","floor":0},"geometry":{"type":"Polygon","coordinates":[[` + strings.Join(ring, ",") + `]]}}`}
	for i := range doors {
		features = append(features, fmt.Sprintf(`{"type":"Feature","properties":{"kind":"door","floor":0,"name":"%d%s"},"geometry":{"type":"Point","coordinates":%s}}`,
			i, strings.Repeat("门", 190), ring[i*corners/doors]))
	}
	return `{"type":"FeatureCollection","store_name":"Round","features":[` + strings.Join(features, ",") + `]}`
}

// TestEveryFormOfAFence is served: with cells and in degrees, or without and in differences where it would be too long.
func TestEveryFormOfAFence(t *testing.T) {
	h := newHouse(t)
	forms := map[string]bool{}
	for corners, doors := range map[int]int{4: 1, 1_800: 200} {
		var store struct{ Fence string }
		h.want("a map", h.admin("PUT", "/v1/admin/stores/round/map", round(corners, doors), &store), http.StatusOK)
		_, body := h.get("/v1/stores/round/fences/" + store.Fence)
		var fence map[string]any
		h.ok(json.Unmarshal(body, &fence))
		for _, member := range []string{"cells", "per_degree"} {
			forms[fmt.Sprint(member, " ", fence[member] != nil)] = true
		}
	}
	h.want("forms", len(forms), 4)
}

// TestAWeekOfQuietHours has every day of the week.
func TestAWeekOfQuietHours(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.want("hours", h.admin("PUT", "/v1/admin/stores/"+demostore.ID+"/hours", `{"hours":"Mo-Su 09:00-22:00","zone":"UTC"}`, nil), http.StatusOK)
		y, m, d := time.Now().UTC().Date()
		for day := 1; day <= 21; day++ {
			at := func(hour int) time.Time { return time.Date(y, m, d-day, hour, 0, 0, 0, time.UTC) }
			h.windowsOf(h.index.Site().Version, at(10), map[string]int{})
			if day <= 7 {
				h.windowsOf(h.index.Site().Version, at(11), map[string]int{"shoes": 10})
			}
		}
		var a quietAnswer
		h.fetch("/v1/quiet/"+demostore.ID, nil, &a)
		days := map[string]bool{}
		for _, q := range a.Zones[0].Quiet {
			days[q.Day] = true
		}
		h.want("days", len(days), 7)
	})
}

// TestAWindowInWhichTheMapChanged is withheld.
func TestAWindowInWhichTheMapChanged(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		window, version := consent.WindowOf(time.Now().Add(-time.Hour)), h.index.Site().Version
		h.ok(h.store.KeepCounts(h.Context(), consent.Counted{Store: demostore.ID, Map: "another", Window: window, Zones: storetest.Marks("a", map[string]int{"shoes": 10})}))
		h.ok(h.store.CloseCounts(h.Context(), demostore.ID, version, window))
		var a struct {
			Windows []struct {
				Withheld bool
				Fence    string
			}
		}
		h.fetch("/v1/staff/counts", h.role("lead", auth.RoleLead, demostore.ID), &a)
		if len(a.Windows) != 1 || !a.Windows[0].Withheld || a.Windows[0].Fence != "" {
			h.Errorf("told %+v", a.Windows)
		}
	})
}

// TestFewAreNotCountedInPublic: of what shoppers did, a month tells none, ten or more, or that it was less than ten.
func TestFewAreNotCountedInPublic(t *testing.T) {
	h := newHouse(t)
	day := time.Now().UTC().AddDate(0, -1, -time.Now().Day()+10).Format(time.DateOnly)
	h.ok(h.store.AddTallies(t.Context(), []consent.Tally{{Day: day, Kind: consent.TallyWithdrawal, What: consent.Within1s, N: 3}, {Day: day, Kind: consent.TallyWithdrawal, What: consent.Later, N: 30},
		{Day: day, Kind: consent.TallyRead, What: "assist", N: 3}, {Day: day, Kind: consent.TallyRefused, App: "app", What: "undeclared", N: 3}}))
	var r struct {
		Months []struct{ Withdrawals, Reads, Refused []struct{ N, Below *int } }
	}
	h.fetch("/v1/transparency", nil, &r)
	if w := r.Months[0].Withdrawals; w[1].N != nil || *w[1].Below != 10 || *w[3].N != 30 || *w[0].N != 0 {
		t.Errorf("told %+v", w)
	}
	h.want("what apps were refused, exactly", *r.Months[0].Refused[0].N, 3)
}

// TestAMadeUpShopperGoesOn by the renewal that came with the first token.
func TestAMadeUpShopperGoesOn(t *testing.T) {
	h := newHouse(t)
	h.server.DevKey = h.key
	code, err := h.server.ShopperCode(server.Visitor{Subject: "ana", App: "app", Store: demostore.ID})
	h.ok(err)
	var first, next struct{ Token, Renew string }
	h.want("by the code", h.ask("POST", "/v1/demo/shopper", "", `{"code":"`+code+`"}`, &first), http.StatusOK)
	h.want("by the renewal", h.ask("POST", "/v1/demo/shopper", "", `{"renew":"`+first.Renew+`"}`, &next), http.StatusOK)
	h.want("a token, and no other renewal", fmt.Sprint(next.Token != "", next.Renew), "true")
}

// TestARegistryOfFewWords, and one of many: the published rules say no more than there is, and neither do records.
func TestARegistryOfFewWords(t *testing.T) {
	own := exampleFiles(t)
	for name, text := range ownRegistry(t) {
		text = strings.Replace(text, `"proof_days"`, `"refusals": {"en": ["Rather not"]}, "proof_days"`, 1)
		text = strings.Replace(text, `"use": "pickup"`, `"use": "appointment"`, 1)
		text = strings.Replace(text, `"jurisdiction": "eu", "health_care": false,`, `"jurisdiction": "eu",`, 1)
		own[name].Data = []byte(strings.Replace(text, `"use": "assistance"`, `"use": "accessibility"`, 1))
	}
	few := exampleFiles(t, "registry.json", `"use": "pickup"`, `"use": "safety"`)
	few["registry.json"].Data = regexp.MustCompile(`,\s*"(names|address|email|phone)": ("[^"]*"|\{[^}]*\})`).ReplaceAll(few["registry.json"].Data, nil)
	for name, file := range few { // it goes by one name everywhere
		if strings.HasSuffix(name, ".md") {
			file.Data = []byte(strings.NewReplacer("Harbour Street（演示）", "Harbour Street (demonstration)", "Harbour Street (عرض توضيحي)", "Harbour Street (demonstration)").Replace(string(file.Data)))
		}
	}
	for what, files := range map[string]fstest.MapFS{"many": own, "few": few} {
		h := houseUnder(t, files, nil)
		var rules struct {
			Trying     string `json:"for_trying_only"`
			Controller map[string]any
		}
		h.fetch("/v1/rules", nil, &rules)
		h.want("for trying", rules.Trying == "", what == "many")
		h.want("how the controller is reached", len(rules.Controller) > 4, what == "many")
		a := h.granted("ana", 10*time.Minute)
		h.want("decisions", len(a.export().Decisions), 1)
	}
}
