// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

const leaseLife = 10 * time.Second

func all(string, string, tracking.OutsideEvent) bool { return true }

// told makes one round of a sender whose receivers answer as ok says, and lists what they were sent.
func (h *house) told(holder string, ok func(tracking.Delivery) bool) (sent []string) {
	h.Helper()
	h.equal("held", must(h.store.HoldLease(h.ctx, holder, leaseLife))(h), true)
	_, err := h.store.FanOut(h.ctx, holder, all, []string{"crm"})
	h.ok(err)
	for _, id := range must(h.store.DueDeliveries(h.ctx, 100))(h) {
		d, send, err := h.store.BeginDelivery(h.ctx, holder, id, h.clock.now().Add(time.Minute))
		h.ok(err)
		if !send {
			continue
		}
		sent = append(sent, strings.TrimPrefix(string(d.Event), "alert."))
		state, due := tracking.DeliverySent, h.clock.now()
		if !ok(d) {
			state, due = tracking.DeliveryWaits, h.clock.now().Add(time.Second)
		}
		h.ok(h.store.FinishDelivery(h.ctx, holder, id, state, due, ""))
	}
	return sent
}

func takes(tracking.Delivery) bool   { return true }
func refuses(tracking.Delivery) bool { return false }

func (h *house) change(id string, action tracking.Action) {
	h.Helper()
	_, err := h.store.ChangeAlert(h.ctx, "shop", id, tracking.Change{Action: action, By: tracking.Actor{Shift: "s1", Tag: "Mei"}, Now: h.clock.now()})
	h.ok(err)
}

func (h *house) equals(what string, got []string, want ...string) {
	h.Helper()
	if !slices.Equal(got, want) {
		h.Errorf("%s: %v, want %v", what, got, want)
	}
}

var outsideCases = map[string]func(*testing.T, *house){
	"the outside is told of each change once, and nothing of keeping": func(_ *testing.T, h *house) {
		p := h.visitor("ana", "shop")
		h.raise(p, "a1", tracking.Help)
		h.equals("raised", h.told("n1", takes), "raised")
		h.change("a1", tracking.Claim)
		h.change("a1", tracking.Keep)
		h.change("a1", tracking.Resolve)
		h.equals("then", h.told("n1", takes), "resolved") // that it was claimed is not so any more
		h.equals("again", h.told("n1", takes))
		d := must(h.store.Deliveries(h.ctx, tracking.DeliverySent, 10))(h)
		h.equal("sent", len(d), 2)
		h.equal("of which visit", d[0].Visit == h.admit(p).Visit && d[0].Alert == "a1" && d[0].Store == "shop", true)
	},
	"what has ended is dropped, and whoever was told hears that it is gone": func(_ *testing.T, h *house) {
		ana, ben := h.visitor("ana", "shop"), h.visitor("ben", "shop")
		h.raise(ana, "a1", tracking.Help)
		h.equals("tried", h.told("n1", refuses), "raised")
		h.raise(ben, "b1", tracking.Help)
		h.endVisit(ana, false)
		h.endVisit(ben, false)
		h.clock.pass(2 * time.Second)
		h.equals("after they left", h.told("n1", takes), "gone")
		dropped := must(h.store.Deliveries(h.ctx, tracking.DeliveryDropped, 10))(h)
		h.equal("dropped", len(dropped), 3) // two that were raised, and the end of what nobody was told of
	},
	"whoever was told of an alert that was settled hears when the visit ends": func(_ *testing.T, h *house) {
		p := h.visitor("ana", "shop")
		h.raise(p, "a1", tracking.Help)
		h.told("n1", takes)
		h.change("a1", tracking.Claim)
		h.change("a1", tracking.Resolve)
		h.equals("settled", h.told("n1", takes), "resolved")
		h.end(consent.EndRequest{Kind: consent.EndAll, Subject: p.subject})
		h.equals("withdrawn", h.told("n1", takes), "gone")
		h.equals("once", h.told("n1", takes))
	},
	"a request that outlives its visit is told of as off, and ends later": func(_ *testing.T, h *house) {
		p := h.visitor("ana", "shop")
		h.raise(p, "a1", tracking.Help)
		h.told("n1", takes)
		h.endVisit(p, true)
		h.equals("silent", h.told("n1", takes), "off")
		h.end(consent.EndRequest{Kind: consent.EndAll, Subject: p.subject})
		h.equals("withdrawn", h.told("n1", takes), "gone")
	},
	"one sends at a time; another takes over when the lease is out": func(_ *testing.T, h *house) {
		p := h.visitor("ana", "shop")
		h.equal("first", must(h.store.HoldLease(h.ctx, "n1", leaseLife))(h), true)
		h.equal("second", must(h.store.HoldLease(h.ctx, "n2", leaseLife))(h), false)
		_, err := h.store.FanOut(h.ctx, "n2", all, []string{"crm"})
		h.wants(err, tracking.ErrNotSender)
		h.raise(p, "a1", tracking.Help)
		_, err = h.store.FanOut(h.ctx, "n1", all, []string{"crm"})
		h.ok(err)
		id := must(h.store.DueDeliveries(h.ctx, 10))(h)[0]
		_, send, err := h.store.BeginDelivery(h.ctx, "n1", id, h.clock.now().Add(time.Minute))
		h.equal("begun", fmt.Sprint(send, err), "true <nil>")
		h.clock.pass(leaseLife + time.Second)
		h.equals("what the dead one had in hand waits", h.told("n2", takes))
		h.wants(h.store.FinishDelivery(h.ctx, "n1", id, tracking.DeliverySent, h.clock.now(), ""), tracking.ErrNotSender)
		h.clock.pass(time.Minute)
		h.equals("and is sent by the other", h.told("n2", takes), "raised")
	},
	"each message is in the journal before it is sent, once, with its receiver and without a place": func(_ *testing.T, h *house) {
		ana, ben := h.visitor("ana", "shop"), h.visitor("ben", "shop")
		entries := func(p phone) (out []string) {
			for _, r := range must(h.ledger.Journal(h.ctx, p.subject))(h) {
				out = append(out, fmt.Sprint(r.Kind, " ", r.Company, " ", r.Purpose, " ", strings.Join(r.Fields, "+"), " ", r.Alert, " ", r.OpenedAt.Equal(h.clock.now())))
			}
			return out
		}
		const entry = "webhook crm assist visit+alert+kind a1 "
		h.raise(ana, "a1", tracking.Help)
		h.told("n1", func(tracking.Delivery) bool {
			h.equals("before the answer", entries(ana), entry+"true")
			return false
		})
		h.clock.pass(2 * time.Second)
		h.told("n1", takes)
		h.equals("tried again", entries(ana), entry+"false")
		h.raise(ben, "b1", tracking.Help)
		h.endVisit(ben, false)
		h.endVisit(ana, false)
		h.told("n1", takes)
		h.equals("of each event", entries(ana), entry+"true", entry+"false")
		h.equals("what was dropped told nobody", entries(ben))
	},
	"what was given up can be sent again, unless it has ended": func(_ *testing.T, h *house) {
		p := h.visitor("ana", "shop")
		h.raise(p, "a1", tracking.Help)
		h.told("n1", takes)
		sent := must(h.store.Deliveries(h.ctx, tracking.DeliverySent, 10))(h)
		h.ok(h.store.Replay(h.ctx, sent[0].ID))
		h.equals("again", h.told("n1", takes), "raised")
		h.endVisit(p, false)
		h.ok(h.store.Replay(h.ctx, sent[0].ID))
		h.equals("after the end", h.told("n1", takes), "gone")
		h.wants(h.store.Replay(h.ctx, sent[0].ID), tracking.ErrNoDelivery)
		h.clock.pass(consent.FeedLife + time.Second)
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("kept", len(must(h.store.Deliveries(h.ctx, tracking.DeliverySent, 10))(h)), 0)
	},
	"what waits is counted, and since when, before receivers are made of it and after; and what was given up": func(_ *testing.T, h *house) {
		p := h.visitor("ana", "shop")
		h.told("n1", takes)
		since := h.clock.now()
		says := func(what string, waiting, dead int, oldest bool) {
			h.Helper()
			b := must(h.store.Backlog(h.ctx))(h)
			h.equal(what, fmt.Sprint(b.Waiting, b.Dead, b.Oldest.Equal(since), b.Oldest.IsZero()), fmt.Sprint(waiting, dead, oldest, !oldest))
		}
		says("at first", 0, 0, false)
		h.raise(p, "a1", tracking.Help)
		says("in the outbox", 0, 0, true)
		h.told("n1", refuses)
		h.clock.pass(2 * time.Second)
		h.raise(p, "a2", tracking.Arrived)
		says("tried once, and another after it", 1, 0, true)
		h.equals("the other", h.told("n1", func(d tracking.Delivery) bool { return d.Alert == "a2" }), "raised", "raised")
		says("the first", 1, 0, true)
		first := must(h.store.Deliveries(h.ctx, tracking.DeliveryWaits, 10))(h)[0]
		h.ok(h.store.FinishDelivery(h.ctx, "n1", first.ID, tracking.DeliveryDead, h.clock.now(), "answered 500"))
		says("given up", 0, 1, false)
		h.ok(h.store.Replay(h.ctx, first.ID))
		says("sent again", 1, 0, true)
	},
	"a receiver that does not listen is told of nothing": func(_ *testing.T, h *house) {
		p := h.visitor("ana", "shop")
		h.raise(p, "a1", tracking.Help)
		h.equal("held", must(h.store.HoldLease(h.ctx, "n1", leaseLife))(h), true)
		_, err := h.store.FanOut(h.ctx, "n1", func(_, _ string, e tracking.OutsideEvent) bool { return e == tracking.CallEvent }, []string{"crm"})
		h.ok(err)
		h.equals("told", h.told("n1", takes))
		if _, _, err := h.store.BeginDelivery(h.ctx, "n1", "none", h.clock.now()); !errors.Is(err, tracking.ErrNoDelivery) {
			h.Errorf("begun: %v", err)
		}
	},
}
