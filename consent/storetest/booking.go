// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// arrive checks somebody in with a reference, and answers what it was found to be.
func (h *house) arrive(p phone, id, ref string) tracking.Booked {
	h.Helper()
	a, _, err := h.store.RaiseAlert(h.ctx, tracking.Alert{ID: id, Store: p.store, Visit: h.admit(p).Visit, Kind: tracking.Arrived, Topic: "pickup", Ref: ref, Purpose: "assist"})
	h.ok(err)
	if a.Booked == nil {
		h.Fatal("a reference, and nothing is said of it")
	}
	return *a.Booked
}

func (h *house) visitor(name, store string) phone {
	h.Helper()
	p := h.phone(name, "phone of "+name, store)
	h.decide(p, "assist", consent.ForATerm)
	return p
}

var bookingCases = map[string]func(*testing.T, *house){
	"on time, early, late, unknown, elsewhere, and a second time": func(_ *testing.T, h *house) {
		now := h.clock.now()
		_, err := h.store.KeepBookings(h.ctx, "shop", []tracking.Booking{
			{Ref: "now", Kind: "pickup", At: now.Add(5 * time.Minute), Desk: "pickup"}, {Ref: "soon", Kind: "pickup", At: now.Add(time.Hour)},
			{Ref: "past", Kind: "pickup", At: now.Add(-time.Hour)}, {Ref: "open", Kind: "pickup", At: now.Add(-time.Hour), Until: now.Add(time.Hour), Proxy: true},
		}, "test")
		h.ok(err)
		_, err = h.store.KeepBookings(h.ctx, "other", []tracking.Booking{{Ref: "there", Kind: "pickup", At: now, Desk: "desk"}}, "test")
		h.ok(err)
		for i, c := range []struct {
			ref  string
			want tracking.Booked
		}{
			{"now", tracking.Booked{Case: tracking.OnTime, At: now.Add(5 * time.Minute), Desk: "pickup"}},
			{"soon", tracking.Booked{Case: tracking.Early, At: now.Add(time.Hour)}},
			{"past", tracking.Booked{Case: tracking.Late, At: now.Add(-time.Hour)}},
			{"open", tracking.Booked{Case: tracking.OnTime, At: now.Add(-time.Hour), Proxy: true}},
			{"nothing", tracking.Booked{Case: tracking.Unknown}},
			{"there", tracking.Booked{Case: tracking.Elsewhere, At: now, Store: "other"}},
		} {
			got := h.arrive(h.visitor(c.ref, "shop"), "a"+string(rune('0'+i)), c.ref)
			h.equal(c.ref+": at the time", got.At.Equal(c.want.At), true)
			got.At = c.want.At
			h.equal(c.ref, got, c.want)
		}
		h.equal("the same again", h.arrive(h.visitor("now", "shop"), "a0", "now").Case, tracking.OnTime)
		h.equal("by somebody else", h.arrive(h.visitor("second", "shop"), "b0", "now").Case, tracking.Again)
		h.equal("in the right store", h.arrive(h.visitor("third", "other"), "c0", "there").Case, tracking.OnTime)
	},
	"the same again changes nothing, another time does": func(_ *testing.T, h *house) {
		b := []tracking.Booking{{Ref: "A", Kind: "pickup", At: h.clock.now()}, {Ref: "B", Kind: "appointment", At: h.clock.now()}}
		put := func() int64 { return must(h.store.KeepBookings(h.ctx, "shop", b, "test"))(h) }
		h.equal("new", put(), int64(2))
		before := h.admit(h.phone("ana", "k1", "shop")).Change
		h.equal("the same", put(), int64(0))
		h.equal("and no entry in the feed", h.admit(h.phone("ana", "k1", "shop")).Change, before)
		b[0].At = b[0].At.Add(time.Hour)
		h.equal("another time", put(), int64(1))
		h.equal("cancelled", must(h.store.CancelBookings(h.ctx, "shop", []string{"A", "none"}, "test"))(h), int64(1))
		h.equal("it is unknown", h.arrive(h.visitor("ana", "shop"), "a1", "A").Case, tracking.Unknown)
	},
	"two orders of one shopper are two arrivals, and one order is one": func(_ *testing.T, h *house) {
		p := h.visitor("ana", "shop")
		h.arrive(p, "a1", "A")
		h.arrive(p, "a2", "B")
		_, merged, err := h.store.RaiseAlert(h.ctx, tracking.Alert{ID: "a3", Store: "shop", Visit: h.admit(p).Visit, Kind: tracking.Arrived, Topic: "pickup", Ref: "A"})
		h.ok(err)
		h.equal("merged", merged, true)
		h.equal("the second is there", h.alert("shop", "a2").Ref, "B")
	},
	"a booking is forgotten a day after its time, and of an arrival that is over nothing is left": func(_ *testing.T, h *house) {
		_, err := h.store.KeepBookings(h.ctx, "shop", []tracking.Booking{{Ref: "A", Kind: "pickup", At: h.clock.now()}}, "test")
		h.ok(err)
		p := h.visitor("ana", "shop")
		h.arrive(p, "a1", "A")
		h.endVisit(p, false)
		a := h.alert("shop", "a1")
		h.equal("left", a.Ref == "" && a.Booked == nil, true)
		h.clock.pass(consent.BookingLife + time.Second)
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("after a day", h.arrive(h.visitor("ben", "shop"), "b1", "A").Case, tracking.Unknown)
	},
}
