// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// Real networks that are cut, on a PostgreSQL and a Redis; the same cases in every order of events are in
// barrier_test.go, where time is the test's.

// silent wants no frame about an alert from a place of the log on, but that it is gone: in a frame of its own, or in an
// entry that has nothing else to say.
func (h *house) silent(from int, alert string) {
	h.Helper()
	for _, e := range h.log.all()[from:] {
		if e.frame != nil && e.what != "gone" && mentions(e.frame, alert) && !saysGone(e.frame, alert) {
			h.Fatalf("after the answer, %s was sent %s", e.who, e.what)
		}
	}
}

// saysGone reports whether every entry of a frame about an alert says that it is gone.
func saysGone(frame map[string]any, alert string) bool {
	entries, _ := frame["alerts"].([]any)
	if a, ok := frame["alert"].(map[string]any); ok {
		entries = append(entries, a)
	}
	said := false
	for _, e := range entries {
		if a, _ := e.(map[string]any); a["id"] == alert {
			if a["presence"] != "gone" || a["zone"] != nil || a["word"] != nil {
				return false
			}
			said = true
		}
	}
	return said
}

// answered ends at a node, and returns where in the log the answer stands.
func (h *house) answered(n *node, r consent.EndRequest) (from int) {
	h.Helper()
	start := h.clock.Boot()
	must(n.End(h.Context(), r))(h)
	h.log.add("test", "answered")
	if took := h.clock.Boot() - start; took > tracking.LeaseTime+tracking.WriteDeadline {
		h.Errorf("answered after %v", took)
	}
	return h.log.find(0, "test", "answered")
}

// A node that is cut off from the ledger serves nobody from T_L on: the withdrawal elsewhere waits for that, and not
// longer. Mended, it hears of the end.
func TestCutOffFromTheLedger(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	a, ledger, _ := d.wired("a")
	b := d.start("b")
	ana, v, mei, alert := d.watched(a, a)
	ledger.cut()
	equal(d.house, "serving at first", a.Serving(), true)
	from := d.answered(b, ana.stop(consent.EndStore))
	equal(d.house, "serving at the answer", a.Serving(), false)
	equal(d.house, "accepted", v.at(desk()).Accepted, false)
	equal(d.house, "position", string(v.payload()), "")
	mei.Beat(7)
	d.until("the cut-off console to be told that nothing is served", func() bool {
		beats := mei.got("beat")
		return len(beats) > 0 && beats[len(beats)-1]["serving"] == false
	})
	ledger.mend()
	d.until("the phone to be told", func() bool { return v.phone.end() != "" })
	d.until("the console to be told, or cut", func() bool { return len(mei.got("gone")) > 0 || !mei.open() })
	d.silent(from, alert)
}

// A node that is cut off from Redis hears of the end from the ledger, and shows nothing of what it had.
func TestCutOffFromRedis(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	a, _, redis := d.wired("a")
	b := d.start("b")
	ana, v, mei, alert := d.watched(b, a)
	redis.cut()
	from := d.answered(b, ana.stop(consent.EndStore))
	equal(d.house, "gone frames", len(mei.got("gone")), 1)
	equal(d.house, "position", string(v.payload()), "")
	redis.mend()
	ben := d.shopper("ben", "assist")
	d.until("the node to be back", func() bool {
		_, err := a.Open(d.Context(), ben.opening(), &phone{log: d.log})
		return err == nil
	})
	d.silent(from, alert)
}

// Redis is out of everybody's reach: the withdrawal is recorded, unreadable at once, and not called complete. When
// Redis is back it is purged without being asked, and the same id is answered.
func TestRedisAwayAtTheWithdrawal(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	a, _, redis := d.wired("a")
	ana, v, _, alert := d.watched(a, a)
	redis.cut()
	r := ana.stop(consent.EndStore)
	if _, err := a.End(d.Context(), r); !errors.Is(err, tracking.ErrNotComplete) {
		t.Fatalf("answered %v without Redis", err)
	}
	d.log.add("test", "answered")
	equal(d.house, "the phone's reason", v.phone.end(), consent.Withdrawn)
	if v.payload() == nil {
		t.Fatal("nothing was there to purge: this shows nothing")
	}
	redis.mend()
	d.until("purged, by itself", v.tombstone)
	must(a.End(d.Context(), r))(d.house)
	d.silent(d.log.find(0, "test", "answered"), alert)
}

// Whatever is published is lost, and every subscription killed: the poll brings the end within T_L.
func TestNoHints(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	a, b := d.start("a"), d.start("b")
	ana, v, mei, alert := d.watched(a, a)
	a.live.fail("publish")
	b.live.fail("publish")
	d.ok(d.redis.Do(d.Context(), "CLIENT", "KILL", "TYPE", "pubsub"))
	start := d.clock.Boot()
	from := d.answered(b, ana.stop(consent.EndAll))
	if took := d.clock.Boot() - start; took > tracking.LeaseTime+tracking.PollEvery {
		t.Errorf("stopped after %v", took)
	}
	equal(d.house, "the phone's reason", v.phone.end(), consent.Withdrawn)
	equal(d.house, "gone frames", len(mei.got("gone")), 1)
	<-time.After(3 * tracking.PollEvery)
	d.silent(from, alert)
}
