// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/consent/storetest"
	"doorstep/geofence"
	"doorstep/tracking"
)

// Places in the middle of zones of the demonstration's ground floor.
var (
	shoes  = geofence.LatLng{Lat: 53.9997190, Lng: 3.0000213}
	coffee = geofence.LatLng{Lat: 53.9999490, Lng: 2.9996693}
)

// beforeClose sets the clock to a time before a window closes, and returns when that window began.
func (h *house) beforeClose(d time.Duration) time.Time {
	now := h.clock.Now()
	window := consent.WindowOf(now)
	h.clock.skew.Add(int64(window.Add(consent.CountWindow - d).Sub(now)))
	return window
}

// toClose passes until the window has closed.
func (h *house) toClose(window time.Time) {
	h.pass(window.Add(consent.CountWindow + time.Second).Sub(h.clock.Now()))
}

// stand has visitors stand somewhere on the ground floor until they have been counted.
func (h *house) stand(at geofence.LatLng, visitors ...*visitor) {
	h.Helper()
	for range 4 {
		for _, v := range visitors {
			if r := v.onLevel(at, 0, true); r.Over {
				h.Fatal("a visit is over")
			}
		}
		h.pass(time.Second)
	}
}

// crowd is so many people who came in at the nodes in turn.
func (h *house) crowd(people int, nodes ...*node) (crowd []*visitor) {
	h.Helper()
	for i := range people {
		crowd = append(crowd, h.shopper(fmt.Sprint("person ", i), "assist").open(nodes[i%len(nodes)]))
	}
	return crowd
}

// bands are the shop's closed windows from a time on, as text.
func (h *house) bands(since time.Time) string { h.Helper(); return h.bandsOf(shop, since) }

func (h *house) bandsOf(store string, since time.Time) string {
	h.Helper()
	var text []string
	for _, w := range must(h.ledger.Counts(h.Context(), store, since))(h) {
		zones := slices.Sorted(maps.Keys(w.Zones))
		for i, z := range zones {
			zones[i] = z + " " + string(w.Zones[z])
		}
		text = append(text, fmt.Sprintf("%s %s [%s]", w.Window.Format("15:04"), cmp.Or(w.Map, "withheld"), strings.Join(zones, ", ")))
	}
	return strings.Join(text, "\n")
}

// world is the end of a quarter of an hour with a number of people at the shoes, of whom some come and go, on two
// nodes; a third one starts and stops. It returns all that somebody sees who asks all the time, before, while and
// after the window closes.
func world(t *testing.T, people int) (seen []string) {
	inBubble(t, func(h *house) {
		window := h.beforeClose(45 * time.Second)
		a, b := h.start("a"), h.start("b")
		h.join(a, shop, "mei")
		look := func() { seen = append(seen, h.bands(window)) }
		crowd := h.crowd(people, a, b)
		h.stand(shoes, crowd...)
		look()
		var back []*visitor
		for i, v := range crowd {
			s := &shopper{h, v.Subject(), v.Scope()}
			switch i % 4 {
			case 0: // leaves, comes back, and is counted once
				v.Bye()
				h.pass(time.Second)
				back = append(back, s.open(v.n))
			case 1: // withdraws
				must(v.n.End(h.Context(), s.stop(consent.EndAll)))(h)
			case 2: // the app comes back by itself
				back = append(back, s.open(v.n))
			}
		}
		h.stand(shoes, back...)
		h.start("c").stop() // which has counted nobody
		for until := window.Add(consent.CountWindow + 10*time.Second); h.clock.Now().Before(until); h.pass(2 * time.Second) {
			look()
		}
	})
	return seen[len(seen)-10:] // that people take their time to come is not what is told
}

// Two worlds that differ in one shopper look the same to whoever asks everything, all the time, unless the shopper is
// the one by whom a band begins; and then they differ in that band of that zone and window.
func TestCountsTellOnlyBands(t *testing.T) {
	previous := []string(nil)
	for _, people := range []int{0, 9, 10, 24, 25, 26} {
		seen := world(t, people)
		want := " []"
		if band := consent.BandOf(people); band != consent.Few {
			want = fmt.Sprintf(" [shoes %s]", band)
		}
		last := seen[len(seen)-1]
		if seen[0] != "" || strings.Count(last, "\n") > 0 || !strings.HasSuffix(last, want) || strings.Contains(last, "withheld") {
			t.Fatalf("%d people: told %q, then %q, want%s", people, seen[0], last, want)
		}
		edge := people == 10 || people == 25
		if previous != nil && slices.Equal(previous, seen) == edge {
			t.Errorf("with %d people and with fewer: told the same: %v", people, !edge)
		}
		previous = seen
	}
}

// A window is told of once it has closed, and the same ever after.
func TestAWindowIsToldOnceItHasClosed(t *testing.T) {
	inBubble(t, func(h *house) {
		window := h.beforeClose(time.Minute)
		a := h.start("a")
		h.join(a, shop, "mei")
		h.stand(shoes, h.crowd(10, a)...)
		h.pass(window.Add(consent.CountWindow - 4*time.Second).Sub(h.clock.Now()))
		equal(h, "before it closes", h.bands(window), "")
		h.stand(coffee, h.crowd(10, a)...) // in the last seconds nobody is counted
		h.pass(time.Second)
		told := h.bands(window)
		if !strings.HasSuffix(told, "[shoes some]") {
			h.Fatalf("told %q", told)
		}
		version := indexes()[0].Site().Version
		h.ok(h.ledger.KeepCounts(h.Context(), consent.Counted{Store: shop, Map: version, Window: window,
			Zones: storetest.Marks("late", map[string]int{"coffee": 30})}))
		h.ok(h.ledger.CloseCounts(h.Context(), shop, version, window))
		equal(h, "told again", h.bands(window), told)
	})
}

// Zones of a map that is replaced within a window may have another shape: the window is withheld.
func TestAWindowWithTwoMapsIsWithheld(t *testing.T) {
	inBubble(t, func(h *house) {
		window := h.beforeClose(time.Minute)
		a := h.start("a")
		h.join(a, shop, "mei")
		h.stand(shoes, h.crowd(12, a)...)
		h.ok(h.ledger.KeepCounts(h.Context(), consent.Counted{Store: shop, Map: "another", Window: window,
			Zones: storetest.Marks("z", map[string]int{"shoes": 1})}))
		h.toClose(window)
		if told := h.bands(window); !strings.HasSuffix(told, "withheld []") {
			h.Fatalf("told %q", told)
		}
	})
}

// A map that is replaced and brought back within a window has been another one: the count of those who were placed by
// that one cannot be told from the others', so the window is withheld, though one node alone counted and all is as it was.
func TestAMapThatCameBackWithholdsTheWindow(t *testing.T) {
	for name, c := range map[string]struct {
		between float64 // metres by which the map lies elsewhere meanwhile
		want    string
	}{"the same all along": {0, " [stall some]"}, "another between": {1, " withheld []"}} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(h *house) {
				window := h.beforeClose(time.Minute)
				h.saveMap(0)
				a := h.start("a")
				h.join(a, popup, "mei")
				guests := func(from, to int) {
					var list []*visitor
					for i := from; i < to; i++ {
						list = append(list, h.guest(fmt.Sprint("guest ", i)).open(a))
					}
					h.stand(desk(), list...)
				}
				guests(0, 12)
				h.saveMap(c.between)
				h.pass(tracking.PollEvery)
				guests(12, 13)
				h.saveMap(0)
				h.toClose(window)
				if told := h.bandsOf(popup, window); !strings.HasSuffix(told, c.want) || (c.between > 0) != strings.Contains(told, "withheld") {
					t.Errorf("told %q, want%s", told, c.want)
				}
			})
		})
	}
}

// Who shares for something else only is not counted, and neither is anybody in a zone that staff do not see into.
func TestWhoIsNotCounted(t *testing.T) {
	inBubble(t, func(h *house) {
		window := h.beforeClose(time.Minute)
		a := h.start("a")
		h.join(a, shop, "mei")
		var collectors []*visitor
		for i := range 12 {
			o := h.shopper(fmt.Sprint("collector ", i), "pickup").opening()
			o.Purposes = []string{"pickup"}
			collectors = append(collectors, &visitor{Session: must(a.Open(h.Context(), o, &phone{log: h.log}))(h), h: h, n: a})
		}
		fitting := h.crowd(12, a)
		for range 4 {
			for _, v := range fitting {
				v.onLevel(fittingRoom, 1, true)
			}
			h.stand(coffee, collectors...)
		}
		h.toClose(window)
		if told := h.bands(window); !strings.HasSuffix(told, " []") || strings.Contains(told, "withheld") {
			h.Fatalf("told %q", told)
		}
	})
}

// told is what the last minute of a window tells of it once it has closed.
func told(t *testing.T, come func(h *house, a, b *node)) (told string) {
	inBubble(t, func(h *house) {
		window := h.beforeClose(time.Minute)
		a, b := h.start("a"), h.start("b")
		h.join(a, shop, "mei")
		come(h, a, b)
		h.toClose(window)
		told = h.bands(window)
	})
	return told
}

// One account counts for one, whatever it does: whoever withdraws and grants again, here or at another node, is nobody
// else. With it alone a zone would tell whether one other person is there.
func TestOneAccountCountsOnce(t *testing.T) {
	got := told(t, func(h *house, a, b *node) {
		h.stand(shoes, h.crowd(1, a)...)
		for i := range 9 {
			s := h.shopper("one and the same", "assist")
			v := s.open([]*node{a, b}[i%2])
			h.stand(shoes, v)
			if i%3 == 1 { // leaves first, so that no session is open when they withdraw
				v.Bye()
				h.pass(time.Second)
			}
			must(v.n.End(h.Context(), s.stop(consent.EndAll)))(h)
		}
	})
	if !strings.HasSuffix(got, " []") || strings.Contains(got, "withheld") {
		t.Errorf("two people are told as %q", got)
	}
}

// Who moves from one node to another is still one.
func TestTwoNodesCountOnce(t *testing.T) {
	for people, want := range map[int]string{9: " []", 10: " [shoes some]"} {
		got := told(t, func(h *house, a, b *node) {
			var moved []*visitor
			crowd := h.crowd(people, a)
			h.stand(shoes, crowd...)
			for _, v := range crowd {
				v.Bye()
			}
			h.pass(time.Second)
			for _, v := range crowd {
				moved = append(moved, (&shopper{h, v.Subject(), v.Scope()}).open(b))
			}
			h.stand(shoes, moved...)
		})
		if !strings.HasSuffix(got, want) || strings.Contains(got, "withheld") {
			t.Errorf("%d people are told as %q, want%s", people, got, want)
		}
	}
}

// More than the most at one node are that many.
func TestManyAtOneNode(t *testing.T) {
	got := told(t, func(h *house, a, _ *node) { h.stand(shoes, h.crowd(consent.CountMost+1, a)...) })
	if !strings.HasSuffix(got, " [shoes many]") {
		t.Errorf("told %q", got)
	}
}
