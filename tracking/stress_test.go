// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking"
	"doorstep/tracking/live"
	"doorstep/tracking/live/redisserver"
)

// Fixes, calls, looks, withdrawals and new grants at once, on two nodes. After a withdrawal has been
// answered, nobody sends another byte about that visit, and no position of it is held.
func TestWithdrawalsBesideEverythingElse(t *testing.T) {
	inBubble(t, func(h *house) { everythingAtOnce(h, 8, 6) })
}

func redis(t *testing.T) tracking.Live { return openRedis(t, startRedis(t).URL()) }

func startRedis(t *testing.T) *redisserver.Server {
	t.Helper()
	srv, err := redisserver.Start(t.Context())
	if errors.Is(err, redisserver.ErrNoBinary) && os.Getenv("CI") != "true" {
		t.Skip("no redis-server on the PATH: install Redis 7")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	return srv
}

func openRedis(t *testing.T, url string) tracking.Live {
	t.Helper()
	r, err := live.OpenRedis(t.Context(), url, live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func everythingAtOnce(h *house, shoppers, rounds int) {
	nodes := []*node{h.start("a"), h.start("b")}
	screens := []*screen{h.join(nodes[0], shop, "mei"), h.join(nodes[1], shop, "kim")}
	stop := make(chan struct{})
	var crowd, staff sync.WaitGroup
	for _, c := range screens {
		staff.Go(func() { c.busy(stop) })
	}
	var accepted, stops atomic.Int64
	for i := range shoppers {
		s := h.shopper(fmt.Sprint("shopper ", i))
		r := rand.New(rand.NewPCG(1, uint64(i)))
		crowd.Go(func() {
			for range rounds {
				s.comeAndGo(nodes, r, &accepted, &stops)
			}
		})
	}
	crowd.Wait()
	<-time.After(500 * time.Millisecond)
	close(stop)
	staff.Wait()
	if accepted.Load() < int64(shoppers*rounds) || stops.Load() != int64(shoppers*rounds) {
		h.Fatalf("only %d positions and %d withdrawals: nothing was tried", accepted.Load(), stops.Load())
	}
	h.silentAfterAnswers()
	h.linearizable()
}

// busy looks at whatever there is.
func (s *screen) busy(stop <-chan struct{}) {
	n := int64(0)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		n++
		s.Beat(n)
		frames := s.got("alert")
		for _, f := range frames[max(0, len(frames)-3):] {
			id := f["alert"].(map[string]any)["id"].(string)
			if s.Look(context.Background(), id) == nil && n%3 == 0 {
				s.LookAway(id)
			}
		}
	}
}

// comeAndGo is one visit: granted, entered, a call, fixes from one goroutine while another withdraws.
func (s *shopper) comeAndGo(nodes []*node, r *rand.Rand, accepted, stops *atomic.Int64) {
	h := s.h
	s.grant("assist", consent.ForATerm)
	n := nodes[r.IntN(2)]
	session, err := n.Open(h.Context(), s.opening(), &phone{log: h.log})
	if err != nil {
		h.Errorf("not opened: %v", err)
		return
	}
	v := &visitor{Session: session, h: h, n: n, hid: session.Visit()}
	v.at(desk())
	<-time.After(10 * time.Millisecond)
	v.at(desk())
	alert := uuid.NewString()
	if err := v.Ask(h.Context(), tracking.Alert{ID: alert, Kind: tracking.Help, ShowMe: true}); err != nil {
		h.Errorf("no call for help: %v", err)
	}
	after := time.Duration(r.IntN(1600)) * time.Millisecond
	kind := []consent.EndKind{consent.EndGrant, consent.EndStore, consent.EndAll}[r.IntN(3)]
	at := nodes[r.IntN(2)]
	var both sync.WaitGroup
	over := make(chan struct{})
	if h.memory == nil { // real time: in a bubble's there would be no end of looking
		both.Go(func() { v.lookAround(s, over) })
	}
	both.Go(func() {
		defer close(over)
		for {
			began := h.clock.Boot()
			f := v.at(desk())
			if f.Accepted || f.Over {
				h.saw(v.hid, "session", began, f.Accepted)
			}
			if f.Over {
				return
			}
			if f.Accepted {
				accepted.Add(1)
			}
			<-time.After(7 * time.Millisecond)
		}
	})
	both.Go(func() {
		<-time.After(after)
		began := h.clock.Boot()
		if _, err := at.End(h.Context(), s.stop(kind)); err != nil {
			h.Errorf("not withdrawn: %v", err)
		}
		h.withdrew(v.hid, began)
		h.log.put(event{who: "answered", what: v.hid, frame: map[string]any{"alert": alert}})
		stops.Add(1)
		if p := v.payload(); p != nil {
			h.Error("a position is held after the answer")
		}
	})
	both.Wait()
}

// silentAfterAnswers reads the whole log: after each answer, no frame speaks of the visit.
func (h *house) silentAfterAnswers() {
	h.Helper()
	over, answered, told := map[string]bool{}, 0, 0
	words := map[string]bool{}
	for _, e := range h.log.all() {
		if e.who == "answered" {
			over[e.frame["alert"].(string)], words[tracking.Word(e.what)] = true, true
			answered++
			continue
		}
		if e.frame == nil || e.what == "snapshot" {
			continue
		}
		if over[alertOf(e.frame)] {
			h.Fatalf("after the answer, %s was sent %s %v", e.who, e.what, e.frame)
		}
		if e.what == "position" || e.what == "live" {
			told++
		}
	}
	if answered == 0 || told == 0 {
		h.Fatalf("%d answers, and %d frames that show something: nothing was tried", answered, told)
	}
	for _, n := range []string{"mei", "kim"} {
		if i := h.log.find(0, n, "cut"); i >= 0 {
			h.Logf("%s was cut at %d", n, i)
		}
	}
}

// alertOf is the alert that a frame is about; empty if it is about none, or about all.
func alertOf(frame map[string]any) string {
	if a, ok := frame["alert"].(map[string]any); ok {
		return a["id"].(string)
	}
	id, _ := frame["alert"].(string)
	return id
}

// A whole visit over a real Redis.
func TestAVisitOverRedis(t *testing.T) {
	h := newHouse(t, redis(t))
	n := h.start("a")
	ana, v, mei, _ := h.watched(n, n)
	a := must(n.End(h.Context(), ana.stop(consent.EndStore)))(h)
	equal(h, "consoles", a.Consoles, 1)
	equal(h, "position", string(v.payload()), "")
	equal(h, "tombstone", v.tombstone(), true)
	equal(h, "gone frames", len(mei.got("gone")), 1)
}

// watched brings somebody who is on a visit at one node, and is looked at from a console of another, in real time.
func (h *house) watched(at, from *node) (ana *shopper, v *visitor, mei *screen, alert string) {
	h.Helper()
	mei = h.join(from, shop, "mei")
	ana = h.shopper("ana", "assist")
	v = ana.open(at)
	h.until("inside, and written", func() bool { v.at(desk()); return v.payload() != nil })
	alert = v.help()
	h.until("on screen", func() bool { return len(mei.about(alert)) > 0 })
	mei.claim(from, alert)
	h.until("a look", func() bool { return mei.Look(h.Context(), alert) == nil })
	h.until("a position on screen", func() bool {
		v.at(desk())
		return len(mei.got("position")) > 0
	})
	return ana, v, mei, alert
}
