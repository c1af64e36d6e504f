// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking"
)

const (
	popup   = "popup" // a store whose map is the ledger's
	manager = "manager"
)

// plot is a map of the pop-up store: a square of 40 m whose middle lies so many metres east of the
// service desk, and a stall of 20 m in it.
func plot(east float64) string {
	return `{"type":"FeatureCollection","store_id":"popup","features":[
		{"type":"Feature","properties":{"kind":"boundary","floor":0},` + square(east, 20) + `},
		{"type":"Feature","id":"stall","properties":{"kind":"zone","name":"Stall","floor":0},` + square(east, 10) + `}]}`
}

// square is the geometry of a square by its middle and half of its side, in metres.
func square(east, half float64) string {
	text := ""
	for _, corner := range [][2]float64{{-half, -half}, {half, -half}, {half, half}, {-half, half}, {-half, -half}} {
		p := eastOf(corner[0]+east, corner[1])
		text += fmt.Sprintf(",[%.7f,%.7f]", p.Lng, p.Lat)
	}
	return `"geometry":{"type":"Polygon","coordinates":[[` + text[1:] + `]]}`
}

func eastOf(x, y float64) geofence.LatLng {
	return geofence.NewFrame(desk(), 90).LatLng(x, y)
}

func readMap(store string, sources []byte) (*geofence.Index, error) {
	if string(sources) == "torn" {
		return nil, errors.New("this map cannot be read")
	}
	site, _, err := geofence.Load(store, geofence.Source{Name: "popup.geojson", Data: sources})
	if err != nil {
		return nil, err
	}
	return geofence.NewIndex(site)
}

// saveMap saves a plot and returns its version.
func (h *house) saveMap(east float64) string {
	h.Helper()
	x := must(readMap(popup, []byte(plot(east))))(h)
	h.ok(h.db.SaveMap(h.Context(), popup, x.Site().Version, []byte(plot(east)), manager))
	return x.Site().Version
}

// guest is a shopper of the pop-up store.
func (h *house) guest(name string) *shopper {
	h.Helper()
	s := h.shopper(name)
	s.scope.Store = popup
	s.grant("assist", consent.ForATerm)
	return s
}

func TestAClosedStoreIsLeftAtOnce(t *testing.T) {
	for name, closing := range map[string]func(s *scene){
		"by an administrator": func(s *scene) { s.ok(s.db.SetClosed(s.Context(), shop, true, manager)) },
		"by its hours": func(s *scene) {
			s.ok(s.db.SetHours(s.Context(), shop, fmt.Sprintf("Mo-Su 00:00-%s", s.clock.Now().UTC().Add(time.Minute).Format("15:04")), "UTC", manager))
			for range 6 { // they stay, and the lease runs on, until the minute is over
				s.pass(10 * time.Second)
				s.v.at(desk())
			}
		},
		"by hours that cannot be read": func(s *scene) { s.ok(s.db.SetHours(s.Context(), shop, "whenever", "UTC", manager)) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(h *house) {
				s := newScene(h)
				ben := h.shopper("ben", "assist")
				ben.scope.Store = annex
				ben.grant("assist", consent.ForATerm)
				other := ben.open(s.n)
				equal(h, "before", s.v.phone.end(), "")
				closing(s)
				h.pass(time.Second + tracking.PollEvery)
				equal(h, "told to the phone", s.v.phone.end(), consent.Reason(geofence.StoreClosed))
				h.pass(time.Second)
				if len(s.mei.got("gone")) == 0 {
					t.Error("the console was not told")
				}
				if _, err := s.n.Open(h.Context(), s.ana.opening(), &phone{log: h.log}); !errors.Is(err, tracking.ErrStoreClosed) {
					t.Errorf("opened while closed: %v", err)
				}
				if err := s.n.MayOpen(h.Context(), s.ana.opening()); !errors.Is(err, tracking.ErrStoreClosed) {
					t.Errorf("would open while closed: %v", err)
				}
				if other.phone.end() == consent.Reason(geofence.StoreClosed) {
					t.Error("the other store was closed too")
				}

				h.ok(h.db.SetHours(h.Context(), shop, "", "", manager))
				h.ok(h.db.SetClosed(h.Context(), shop, false, manager))
				h.pass(tracking.PollEvery)
				s.ana.open(s.n)
			})
		})
	}
}

// Somebody who opens a session in the moment in which the store closes is not forgotten in it.
func TestASessionThatOpensAsTheStoreCloses(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("a")
		h.join(n, shop, "mei")
		ana := h.shopper("ana", "assist")
		h.pass(time.Second)
		n.ledger.once("admit", func(next func() error) error {
			h.ok(h.db.SetClosed(h.Context(), shop, true, manager))
			<-time.After(2 * tracking.PollEvery)
			return next()
		}) // the tap is where Open asks, after it has looked at the atlas
		v := ana.open(n)
		h.pass(time.Second)
		equal(h, "told to the phone", v.phone.end(), consent.Reason(geofence.StoreClosed))
	})
}

func TestAMapIsReplacedUnderASession(t *testing.T) {
	inBubble(t, func(h *house) {
		old := h.saveMap(0)
		n := h.start("a")
		h.join(n, popup, "mei")
		h.pass(time.Second)
		v := h.guest("ana").enter(n)

		moved := h.saveMap(500) // a wholly other place
		h.pass(tracking.PollEvery)
		if h.log.find(0, "phone", "map "+moved) < 0 {
			t.Fatal("the app was not told of the new map")
		}
		if r := v.at(desk()); !r.Accepted {
			t.Fatalf("the old map judges until the app has the new one: %+v", r)
		}
		if v.MapOK(old, v.seq) {
			t.Error("the old map was confirmed as the new one")
		}
		if !v.MapOK(moved, v.seq+1) {
			t.Error("the new map was not taken")
		}
		h.pass(time.Second)
		if r := v.at(desk()); !r.Accepted {
			t.Fatalf("a number that the app sent by the old map: %+v", r)
		}
		h.pass(time.Second)
		if r := v.at(desk()); r.Refused != geofence.RefusedOutside || !r.Over {
			t.Fatalf("500 m outside of the new map: %+v", r)
		}
		equal(h, "told to the phone", v.phone.end(), consent.Reason(geofence.LeftStore))
		if x := must(n.Open(h.Context(), h.guest("ben").opening(), &phone{log: h.log}))(h).Map(); x.Site().Version != moved {
			t.Error("a session that opens now goes by the old map")
		}
	})
}

func TestAMapThatIsNotConfirmedInTime(t *testing.T) {
	for name, confirms := range map[string]bool{"never": false, "in time": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(h *house) {
				h.saveMap(0)
				n := h.start("a")
				h.join(n, popup, "mei")
				h.pass(time.Second)
				v := h.guest("ana").enter(n)
				moved := h.saveMap(3)
				for range 7 {
					h.pass(10 * time.Second)
					if confirms {
						v.MapOK(moved, v.seq)
					}
					v.at(desk())
				}
				want := consent.MapChanged
				if confirms {
					want = ""
				}
				equal(h, "told to the phone", v.phone.end(), want)
			})
		})
	}
}

// However late the number is from which an app wants to go by the new map: it is a few at most.
func TestAnAppThatClingsToTheOldMap(t *testing.T) {
	inBubble(t, func(h *house) {
		h.saveMap(0)
		n := h.start("a")
		h.join(n, popup, "mei")
		h.pass(time.Second)
		v := h.guest("ana").enter(n)
		moved := h.saveMap(500)
		h.pass(tracking.PollEvery)
		v.MapOK(moved, 1<<40)
		for i := range 5 {
			h.pass(time.Second)
			if r := v.at(desk()); !r.Accepted {
				t.Fatalf("number %d may have been under way: %+v", i, r)
			}
		}
		h.pass(time.Second)
		if r := v.at(desk()); !r.Over {
			t.Errorf("still judged by the old map: %+v", r)
		}
	})
}

func TestAnAppThatComesBackWithAFence(t *testing.T) {
	inBubble(t, func(h *house) {
		old := h.saveMap(0)
		n := h.start("a")
		h.join(n, popup, "mei")
		h.pass(time.Second)
		v := h.guest("ana").enter(n)
		if x, by := v.Holds(old); x.Site().Version != old || !by.IsZero() {
			t.Error("it has the right one")
		}
		if x, by := v.Holds("other"); x.Site().Version != old || by.Sub(h.clock.Now()) != tracking.MapWithin {
			t.Error("it has another one, and time to fetch the right one")
		}
		moved := h.saveMap(500)
		h.pass(tracking.PollEvery)
		if x, by := v.Holds(old); x.Site().Version != moved || by.IsZero() {
			t.Error("it has the one that was replaced")
		}
		if x, by := v.Holds(moved); x.Site().Version != moved || !by.IsZero() {
			t.Error("it came back with the new one")
		}
		h.pass(time.Second)
		if r := v.at(desk()); r.Accepted {
			t.Error("judged by the old map")
		}
	})
}

func TestAMapIsWithdrawn(t *testing.T) {
	inBubble(t, func(h *house) {
		h.saveMap(0)
		n := h.start("a")
		h.join(n, popup, "mei")
		h.pass(time.Second)
		ana := h.guest("ana")
		v := ana.enter(n)
		h.ok(h.db.WithdrawMap(h.Context(), popup, manager))
		h.pass(tracking.PollEvery)
		equal(h, "told to the phone", v.phone.end(), consent.Reason(geofence.StoreClosed))
		if _, err := n.Open(h.Context(), ana.opening(), &phone{log: h.log}); !errors.Is(err, tracking.ErrNoStore) {
			t.Errorf("opened without a map: %v", err)
		}
	})
}

// A map that cannot be read leaves the one in force, and says so; the other stores are taken up.
func TestAMapThatCannotBeRead(t *testing.T) {
	inBubble(t, func(h *house) {
		before := h.saveMap(0)
		n := h.start("a")
		h.ok(n.ReadStores(h.Context()))
		h.ok(h.db.SaveMap(h.Context(), popup, "torn", []byte("torn"), manager))
		h.ok(h.db.SetClosed(h.Context(), shop, true, manager))
		if err := n.ReadStores(h.Context()); err == nil || !strings.Contains(err.Error(), "store popup: this map cannot be read") {
			t.Errorf("said: %v", err)
		}
		if x, ok := n.Atlas.Index(popup); !ok || x.Site().Version != before {
			t.Error("the map in force is gone")
		}
		if n.Atlas.Open(shop, h.clock.Now()) {
			t.Error("the other store was not taken up")
		}
		if !n.Atlas.Given(shop) || n.Atlas.Given(popup) {
			t.Error("whose map it is")
		}
	})
}

// What a console is sent is in metres of its map: with another one it begins anew, and nobody joins
// the old one meanwhile.
func TestConsolesComeBackToTheNewMap(t *testing.T) {
	inBubble(t, func(h *house) {
		h.saveMap(0)
		n := h.start("a")
		mei, lea := h.join(n, popup, "mei"), h.join(n, shop, "lea")
		h.saveMap(500)
		h.ok(n.ReadStores(h.Context()))
		select {
		case <-mei.cut:
		case <-time.After(time.Second):
			t.Fatal("a console goes on with the old map")
		}
		select {
		case <-lea.cut:
			t.Error("a console of another store was cut")
		default:
		}
		h.pass(time.Second)
		h.join(n, popup, "mei")
	})
}

func TestNobodyJoinsTheOldMap(t *testing.T) {
	inBubble(t, func(h *house) {
		h.saveMap(0)
		n := h.start("a")
		slow := h.screen("slow")
		_, leave, err := n.Join(h.Context(), popup, tracking.Person{Actor: tracking.Actor{Shift: "slow", Tag: "Slow"}}, slow)
		h.ok(err)
		h.saveMap(500)
		h.ok(n.ReadStores(h.Context())) // cut, and not gone yet: it is still told of ends
		if _, _, err := n.Join(h.Context(), popup, tracking.Person{Actor: tracking.Actor{Shift: "mei", Tag: "Mei"}}, h.screen("mei")); !errors.Is(err, tracking.ErrUnavailable) {
			t.Errorf("joined the desk of the old map: %v", err)
		}
		leave()
		h.join(n, popup, "mei")
	})
}

// The ledger keeps a map under the version that whoever saved it reckoned. Where this server reckons
// another one, the map is read once all the same, not with every change of any store.
func TestAMapThatIsKeptUnderAnotherVersion(t *testing.T) {
	inBubble(t, func(h *house) {
		h.ok(h.db.SaveMap(h.Context(), popup, "of an earlier release", []byte(plot(0)), manager))
		n := h.start("a")
		mei := h.join(n, popup, "mei")
		before, _ := n.Atlas.Index(popup)
		h.ok(h.db.SetClosed(h.Context(), shop, true, manager))
		h.pass(tracking.PollEvery)
		if after, _ := n.Atlas.Index(popup); after != before {
			t.Error("the same map was read again")
		}
		if !mei.open() {
			t.Error("a console was sent away for it")
		}
	})
}
