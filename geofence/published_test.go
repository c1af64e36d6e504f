// SPDX-License-Identifier: Apache-2.0

package geofence

import "testing"

// published is a rule for hiding and ending of which it is known how it did on recordings of real phones.
// d is in metres outside, a the accuracy.
type published struct {
	name      string
	hide, end func(s *suspicion, d, a float64) bool
	//         known: seconds from the true crossing, p50 and p95
	hidden, ended [2]float64
}

// suspicion is what such a rule remembers.
type suspicion struct {
	score float64
	row   int
}

func (s *suspicion) inRow(out bool, n int) bool {
	if s.row++; !out {
		s.row = 0
	}
	return s.row >= n
}

var publishedRules = []published{
	{
		"plain", func(_ *suspicion, d, a float64) bool { return d > min(a, 15) },
		func(s *suspicion, d, a float64) bool { return s.inRow(d > min(a, 15), 2) },
		[2]float64{8, 18}, [2]float64{9, 21},
	},
	{
		"cautious", func(_ *suspicion, d, a float64) bool { return d > min(1.5*a, 20) },
		func(s *suspicion, d, a float64) bool { return s.inRow(d > min(1.5*a, 20), 3) },
		[2]float64{11, 25}, [2]float64{13, 27},
	},
	{
		"detector", func(s *suspicion, _, _ float64) bool { return s.score > 1 },
		func(s *suspicion, _, _ float64) bool { return s.score > 1.5 },
		[2]float64{5, 13}, [2]float64{6, 14},
	},
}

// outcome is what a published rule comes to: everybody counts as inside from the start, as in the source.
type outcome struct {
	ms            int64
	hides, ends   int
	hidden, ended []float64
}

func (o outcome) perHour(n int) float64 { return float64(n) * 3.6e6 / float64(o.ms) }

func (pr published) run(o *outcome, x *Index, w walk, fixes []Fix) {
	exit := w.t[len(w.t)-1] + 1
	if w.exit < len(w.t) {
		exit = w.t[w.exit]
	}
	o.ms += exit - w.t[0]
	var s suspicion
	var last, hid int64
	inside, gone, rules := 0, false, DefaultRules()
	for _, f := range fixes {
		if f.T == last || f.AccuracyM > 50 {
			continue
		}
		last = f.T
		at := x.Locate(f.At, f.Level, true)
		s.score = rules.cusum(s.score, f.AccuracyM, at.DistM)
		hide, end := pr.hide(&s, at.DistM, f.AccuracyM), pr.end(&s, at.DistM, f.AccuracyM)
		if inside++; !at.Inside {
			inside = 0
		}
		if inside >= 2 {
			hid, gone = 0, false
		}
		if hide && hid == 0 {
			if hid = f.T; hid < exit {
				o.hides++
			}
		}
		if hid == 0 || !end || gone {
			continue
		}
		gone = true
		if f.T >= exit {
			o.hidden = append(o.hidden, float64(max(hid, exit)-exit)/1000)
			o.ended = append(o.ended, float64(f.T-exit)/1000)
			return
		}
		o.ends++
	}
}

// What is known of real phones comes out again, roughly, under the errors of likePhones: else nothing that
// they show of other rules could be believed.
func TestPublishedRules(t *testing.T) {
	for _, pr := range publishedRules {
		var stay, leave outcome
		for _, g := range smallStores(t, 46, 1) {
			for _, ph := range likePhones {
				for i, fixes := range ph.fixes(g.x, g.staying, 1) {
					pr.run(&stay, g.x, g.staying[i], fixes)
				}
				for i, fixes := range ph.fixes(g.x, g.leaving, 2) {
					pr.run(&leave, g.x, g.leaving[i], fixes)
				}
			}
		}
		hidden := [2]float64{quantile(leave.hidden, 0.5), quantile(leave.hidden, 0.95)}
		ended := [2]float64{quantile(leave.ended, 0.5), quantile(leave.ended, 0.95)}
		t.Logf("%-8s falsely hidden %.1f/h, ended %.1f/h; hidden %v s (known %v), ended %v s (known %v)",
			pr.name, stay.perHour(stay.hides), stay.perHour(stay.ends), hidden, pr.hidden, ended, pr.ended)
		for i := range 2 {
			if far(hidden[i], pr.hidden[i]) || far(ended[i], pr.ended[i]) {
				t.Errorf("%s: hidden %v s and ended %v s, where %v and %v are known", pr.name, hidden, ended, pr.hidden, pr.ended)
				break
			}
		}
		if pr.name == "cautious" && stay.perHour(stay.ends) > 0.5 {
			t.Errorf("the cautious rule ended %.1f an hour falsely, where none is known", stay.perHour(stay.ends))
		}
	}
}

// far is beyond 3 s and a fifth.
func far(got, known float64) bool { return max(got-known, known-got) > max(3, known/5) }
