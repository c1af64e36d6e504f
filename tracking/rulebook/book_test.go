// SPDX-License-Identifier: Apache-2.0

package rulebook_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/tracking/rulebook"
)

var known = rulebook.Known{Zones: map[string]bool{"shoes": false, "desk": false, "toilets": true}, Purposes: map[string]bool{"assist": true, "counts": false}}

const good = `{"time_zone":"Europe/Berlin",
 "rules":[{"id":"long","name":"Long at the shoes","zone":"shoes","dwell":"6m","purpose":"assist","hours":"Mo-Su 10:00-18:00","priority":"low","tell":{"teams":["Shoes"]},"escalate_after":"2m"}],
 "waiting":{"after_checkin":"10m","zones":{"desk":"5m"},"tell":{"roles":["lead"]}},
 "routes":[{"kind":"help","zone":"shoes","priority":"high","tell":{"teams":["Shoes"]},"escalate_after":"60s"},{"kind":"help","tell":{"languages":["ar"]}}]}`

func read(t *testing.T, text string) *rulebook.Book {
	t.Helper()
	b, err := rulebook.Read([]byte(text), known)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// noon is in the hours of the rule.
var noon = time.Date(2026, 11, 23, 11, 0, 0, 0, time.UTC)

// Each mistake is told with its place and what to write instead, and all at once.
func TestMistakesAreTold(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"no JSON":             {"{\n\"rules\": [,]}", "line 2"},
		"not of this form":    {"{\n\"rule\": []}", `line 2: unknown field "rule"`},
		"another kind":        {`{"rules":{}}`, "rules cannot be a object"},
		"more than one":       {"{} {}", "something follows"},
		"a number for a time": {`{"rules":[{"id":"a","dwell":6}]}`, "line 1"},
		"a time without unit": {`{"rules":[{"id":"a","dwell":"6"}]}`, `"6" is no length of time: write it as 90s, 6m or 1h`},
		"no such zone":        {strings.Replace(good, `"zone":"shoes","dwell"`, `"zone":"Shoes","dwell"`, 1), `rules[0] (long).zone: the map has no zone "Shoes": it has desk, shoes, toilets; ids, not names`},
		"a private zone":      {strings.Replace(good, `"zone":"shoes","dwell"`, `"zone":"toilets","dwell"`, 1), "nobody's business"},
		"no such purpose":     {strings.Replace(good, `"assist"`, `"sell"`, 1), `the registry has no purpose "sell": it has assist, counts`},
		"an undeclared zone":  {strings.Replace(good, `"assist"`, `"counts"`, 1), "does not say that staff learn the zone"},
		"too short":           {strings.Replace(good, `"6m"`, `"1s"`, 1), "write between 10s and 4h0m0s"},
		"odd hours":           {strings.Replace(good, `Mo-Su 10:00-18:00`, `whenever`, 1), "rules[0] (long).hours"},
		"hours without zone":  {strings.Replace(good, `"time_zone":"Europe/Berlin",`, ``, 1), "no time zone"},
		"an id":               {strings.Replace(good, `"id":"long"`, `"id":"Long one"`, 1), "small letters"},
		"a role":              {strings.Replace(good, `["lead"]`, `["boss"]`, 1), "waiting.tell.roles"},
		"a priority":          {strings.Replace(good, `"high"`, `"urgent"`, 1), "routes[0].priority"},
		"a kind":              {strings.Replace(good, `"kind":"help","zone"`, `"kind":"rule","zone"`, 1), "help, arrived or called"},
		"waiting nowhere":     {strings.Replace(good, `{"desk":"5m"}`, `{"nowhere":"5m"}`, 1), "waiting.zones"},
		"patience":            {strings.Replace(good, `"60s"`, `"2h"`, 1), "routes[0].escalate_after"},
	} {
		_, err := rulebook.Read([]byte(c.text), known)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v; want %q", name, err, c.says)
		}
	}
	_, err := rulebook.Read([]byte(`{"rules":[{"id":"a"},{"id":"a"}]}`), known)
	if n := strings.Count(err.Error(), "\n"); n < 8 {
		t.Errorf("of two empty rules only %d mistakes are told:\n%v", n+1, err)
	}
}

func TestWhatAVisitRaises(t *testing.T) {
	b := read(t, good)
	for name, c := range map[string]struct {
		zone     string
		stayed   time.Duration
		purposes []string
		now      time.Time
		want     string
	}{
		"long enough":         {"shoes", 6 * time.Minute, []string{"assist"}, noon, "rule long"},
		"a moment less":       {"shoes", 6*time.Minute - time.Millisecond, []string{"assist"}, noon, ""},
		"elsewhere":           {"toilets", time.Hour, []string{"assist"}, noon, ""},
		"nowhere certain":     {"", time.Hour, []string{"assist"}, noon, ""},
		"for something else":  {"shoes", time.Hour, []string{"pickup"}, noon, ""},
		"for two things":      {"shoes", time.Hour, []string{"pickup", "assist"}, noon, "rule long"},
		"outside the hours":   {"shoes", time.Hour, []string{"assist"}, noon.Add(8 * time.Hour), ""},
		"waiting at the desk": {"desk", 5 * time.Minute, []string{"pickup"}, noon, "waiting "},
		"not so long":         {"desk", 4 * time.Minute, []string{"pickup"}, noon, ""},
		"waiting for nothing": {"desk", time.Hour, nil, noon, ""},
	} {
		due := b.Due(rulebook.Visit{Purposes: c.purposes, Zone: c.zone, Since: c.now.Add(-c.stayed).UnixMilli(), Now: c.now.UnixMilli()})
		got := ""
		for _, r := range due {
			got += r.Kind + " " + r.Rule
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	var none *rulebook.Book
	if none.Watches() || !b.Watches() {
		t.Error("who watches")
	}
}

func TestWhoIsTold(t *testing.T) {
	b := read(t, good)
	shoes, lead, arab := rulebook.Person{Teams: []string{"Tills", "Shoes"}}, rulebook.Person{Role: "lead"}, rulebook.Person{Lang: "ar"}
	for name, c := range map[string]struct {
		kind, topic, zone string
		priority          rulebook.Priority
		told              [3]bool
		patience          time.Duration
		says              string
	}{
		"a rule":           {rulebook.Own, "long", "", rulebook.Low, [3]bool{true, false, false}, 2 * time.Minute, "Long at the shoes"},
		"a rule that went": {rulebook.Own, "old", "", rulebook.Normal, [3]bool{true, true, true}, 0, ""},
		"waiting":          {rulebook.Waiting, "", "desk", rulebook.Normal, [3]bool{false, true, false}, 0, ""},
		"help among shoes": {rulebook.Help, "size", "shoes", rulebook.High, [3]bool{true, false, false}, time.Minute, ""},
		"help elsewhere":   {rulebook.Help, "size", "", rulebook.Normal, [3]bool{false, false, true}, 0, ""},
		"arrived":          {rulebook.Arrived, "pickup", "desk", rulebook.Normal, [3]bool{true, true, true}, 0, ""},
	} {
		r := b.Route(c.kind, c.topic, c.zone)
		told := [3]bool{r.Tell.To(shoes), r.Tell.To(lead), r.Tell.To(arab)}
		if r.Priority != c.priority || told != c.told || r.Patience != c.patience || r.Name != c.says {
			t.Errorf("%s: %+v, told %v", name, r, told)
		}
	}
}

// Staying longer, in the same hours, never takes back what a visit raised; and no zone but its own ever raises a rule.
func TestDwellOnlyGrows(t *testing.T) {
	b := read(t, good)
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"shoes", "desk", "toilets", ""}).Draw(t, "zone")
		now := noon.Add(time.Duration(rapid.IntRange(0, 6*3600).Draw(t, "at")) * time.Second).UnixMilli()
		short, more := rapid.Int64Range(0, 3_600_000).Draw(t, "stayed"), rapid.Int64Range(0, 3_600_000).Draw(t, "more")
		at := func(stayed int64) []rulebook.Raise {
			return b.Due(rulebook.Visit{Purposes: []string{"assist"}, Zone: zone, Since: now - stayed, Now: now})
		}
		if len(at(short+more)) < len(at(short)) {
			t.Fatalf("%s: %v after %d ms, %v later", zone, at(short), short, at(short+more))
		}
		if zone == "toilets" && at(short) != nil {
			t.Fatal("raised where nobody looks")
		}
	})
}
