// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking"
)

// proofLife is how long the registry of these tests keeps what proves consent.
func (h *house) proofLife() time.Duration {
	return time.Duration(h.ledger.Registry().ProofDays) * 24 * time.Hour
}

// lives passes to the last moment of a life that began at from, prunes, and to the moment after it, and prunes again. left
// counts what is about.
func (h *house) lives(what string, from time.Time, life time.Duration, left func() int) {
	h.Helper()
	h.equal(what+" at first", left(), 1)
	h.clock.pass(from.Add(life).Sub(h.clock.now()))
	h.ok(h.ledger.Prune(h.ctx))
	h.equal(what+" at the end of its time", left(), 1)
	h.clock.pass(time.Microsecond)
	h.ok(h.ledger.Prune(h.ctx))
	h.equal(what+" after it", left(), 0)
}

// hold sets one, by two people.
func (h *house) hold(k consent.Hold) string {
	h.Helper()
	k.ID, k.Reason = uuid.NewString(), "A claim that is before the court"
	h.ok(h.ledger.AskHold(h.ctx, k, "ana"))
	_, err := h.ledger.ApproveHold(h.ctx, k.ID, "bea")
	h.ok(err)
	return k.ID
}

func (h *house) entries(p phone) func() int {
	return func() int {
		h.Helper()
		return len(must(h.ledger.Journal(h.ctx, p.subject))(h))
	}
}

// held counts what an export has of somebody, without the entry that it makes itself.
func (h *house) held(p phone, part func(consent.Held) int) func() int {
	return func() int {
		h.Helper()
		return part(must(h.ledger.Export(h.ctx, p.subject))(h))
	}
}

var retentionCases = map[string]func(*testing.T, *house){
	"an export has the notices that wait for a decision, and no others": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.ask(p, "assist")
		pending := h.held(p, func(k consent.Held) int { return len(k.Pending) })
		h.equal("as long as it can be decided on", pending(), 1)
		h.clock.pass(consent.ServedLife)
		h.equal("after that", pending(), 0)
	},
	"reads live for ninety days": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.ok(h.ledger.OpenView(h.ctx, h.look("v1", p)))
		h.lives("a read", h.clock.now(), consent.JournalLife, h.entries(p))
	},
	"an alert is unlinked a day after it was resolved": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		a, _, err := h.store.RaiseAlert(h.ctx, tracking.Alert{ID: uuid.NewString(), Store: "shop", Visit: h.admit(p).Visit, Kind: tracking.Arrived, Purpose: "assist", Ref: "B1"})
		h.ok(err)
		by := tracking.Actor{Shift: "mei"}
		for _, action := range []tracking.Action{tracking.Claim, tracking.Resolve} {
			a, err = h.store.ChangeAlert(h.ctx, "shop", a.ID, tracking.Change{Action: action, By: by, Now: h.clock.now()})
			h.ok(err)
		}
		h.equal("the booking", a.Ref, "") // goes as it is resolved, which is before the day ends
		h.lives("a resolved alert", h.clock.now(), consent.AlertLife, func() int {
			_, err := h.store.ChangeAlert(h.ctx, "shop", a.ID, tracking.Change{Action: tracking.Claim, By: by, Now: h.clock.now()})
			return map[bool]int{true: 1}[!strings.Contains(err.Error(), tracking.ErrNoAlert.Error())]
		})
	},
	"what proves consent lives to its declared date": func(_ *testing.T, h *house) {
		p, q := h.phone("ana", "k1", "shop"), h.phone("ben", "k2", "shop")
		h.decide(p, "assist", consent.No)
		h.lives("a refusal", h.clock.now(), h.proofLife(), h.held(p, func(k consent.Held) int { return len(k.Decisions) }))
		h.decide(q, "assist", consent.ForATerm)
		h.clock.pass(24 * time.Hour)
		h.end(consent.EndRequest{Kind: consent.EndAll, Subject: q.subject})
		h.lives("a grant that was withdrawn", h.clock.now(), h.proofLife(), h.held(q, func(k consent.Held) int { return len(k.Decisions) }))
		h.equal("its end", h.held(q, func(k consent.Held) int { return len(k.Ends) })(), 0)
	},
	"what is in force proves itself however old it is": func(_ *testing.T, h *house) {
		p, q := h.phone("ana", "k1", "shop"), h.phone("ben", "k2", "shop")
		d, over := h.decide(p, "assist", consent.ForATerm), h.decide(q, "assist", consent.ForATerm)
		h.end(consent.EndRequest{Kind: consent.EndAll, Subject: q.subject})
		h.clock.pass(h.proofLife() + time.Hour) // nobody has ended ana's yet
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("decisions", h.held(p, func(k consent.Held) int { return len(k.Decisions) })(), 1)
		_, err := h.ledger.Stop(h.ctx, over.StopToken, consent.EndRequest{ID: newID()})
		h.wants(err, consent.ErrStopToken)
		e := must(h.ledger.Stop(h.ctx, d.StopToken, consent.EndRequest{ID: newID()}))(h)
		h.equal("ended by its stop token", len(e.Ends), 1)
	},
	"a leaf says the hour": func(_ *testing.T, h *house) {
		h.clock.pass(17*time.Minute + 3*time.Second)
		h.decide(h.phone("ana", "k1", "shop"), "assist", consent.ForATerm)
		head := must(h.ledger.TreeHead(h.ctx))(h)
		leaf := must(h.ledger.Proof(h.ctx, head.Size-1, head.Size))(h).Leaf
		hour := h.clock.now().Truncate(time.Hour)
		text := string(leaf)
		if !strings.Contains(text, hour.Format(time.RFC3339)) && !strings.Contains(text, strconv.FormatInt(hour.Unix(), 10)) {
			h.Fatalf("the leaf does not say the hour %s: %s", hour, text)
		}
		if minute := h.clock.now().Truncate(time.Minute); strings.Contains(text, minute.Format("15:04")) || strings.Contains(text, strconv.FormatInt(minute.Unix()/100, 10)) {
			h.Fatalf("the leaf says the minute: %s", text)
		}
	},
	"a hold keeps the reads of its store and span from pruning, to its end": func(_ *testing.T, h *house) {
		p, q := h.phone("ana", "k1", "shop"), h.phone("ben", "k2", "annex")
		h.decide(p, "assist", consent.ForATerm)
		h.decide(q, "assist", consent.ForATerm)
		began := h.clock.now()
		h.ok(h.ledger.OpenView(h.ctx, h.look("v1", p)))
		h.ok(h.ledger.OpenView(h.ctx, h.look("w1", q)))
		h.clock.pass(time.Minute)
		h.ok(h.ledger.OpenView(h.ctx, h.look("v2", p))) // after the span
		until := began.Add(consent.JournalLife + 30*24*time.Hour)
		h.hold(consent.Hold{Store: "shop", From: began, To: began.Add(time.Second), Until: until})
		h.clock.pass(consent.JournalLife + time.Second)
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("of the store in the span", h.entries(p)(), 1)
		h.equal("of another store", h.entries(q)(), 0)
		h.clock.pass(until.Sub(h.clock.now()))
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("once it has ended", h.entries(p)(), 0)
	},
	"a hold that is lifted keeps nothing": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.No)
		began := h.clock.now()
		h.clock.pass(h.proofLife() - 24*time.Hour)
		id := h.hold(consent.Hold{Store: "shop", From: began, To: began.Add(time.Second), Until: h.clock.now().Add(30 * 24 * time.Hour)})
		h.clock.pass(25 * time.Hour)
		h.ok(h.ledger.Prune(h.ctx))
		decisions := h.held(p, func(k consent.Held) int { return len(k.Decisions) })
		h.equal("while it holds", decisions(), 1)
		h.ok(h.ledger.LiftHold(h.ctx, id, "cem"))
		h.wants(h.ledger.LiftHold(h.ctx, id, "cem"), consent.ErrNoHold)
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("lifted", decisions(), 0)
		list := must(h.ledger.Holds(h.ctx))(h)
		if len(list) != 1 || list[0].By != "ana" || list[0].Approved != "bea" || list[0].LiftedBy != "cem" || list[0].LiftedAt.IsZero() {
			h.Fatalf("what is kept of it: %+v", list)
		}
	},
	"a hold is nothing without a second person, and extends nothing else": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.ok(h.ledger.Enter(h.ctx, consent.Entered{Scope: p.scope(), Epoch: h.admit(p).Epoch, Purposes: []string{"assist"}}))
		h.raise(p, uuid.NewString(), tracking.Help)
		h.ok(h.ledger.OpenView(h.ctx, h.look("v1", p)))
		began := h.clock.now()
		k := consent.Hold{ID: uuid.NewString(), Store: "shop", From: began, To: began.Add(time.Second), Until: began.Add(consent.HoldMost), Reason: "A claim before the court"}
		h.ok(h.ledger.AskHold(h.ctx, k, "ana"))
		_, err := h.ledger.ApproveHold(h.ctx, k.ID, "ana")
		h.wants(err, consent.ErrSamePerson)
		h.clock.pass(consent.MotionWait)
		_, err = h.ledger.ApproveHold(h.ctx, k.ID, "bea")
		h.wants(err, consent.ErrMotionOver)
		h.hold(consent.Hold{Store: "shop", From: began, To: began.Add(time.Second), Until: began.Add(consent.HoldMost)})
		h.endVisit(p, false)
		h.clock.pass(consent.EnteredLife + time.Second)
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("visits", h.held(p, func(k consent.Held) int { return len(k.Visits) })(), 0)
		alerts, _, err := h.store.Alerts(h.ctx, "shop")
		h.ok(err)
		h.equal("alerts", len(alerts), 0)
		h.equal("reads, and the export", h.entries(p)(), 2)
	},
	"what was asked for in pairs is forgotten in a day, what was decided in three years": func(_ *testing.T, h *house) {
		k := consent.Hold{ID: uuid.NewString(), Store: "shop", From: h.clock.now().Add(-time.Hour), To: h.clock.now(), Until: h.clock.now().Add(time.Hour), Reason: "A claim before the court"}
		h.ok(h.ledger.AskHold(h.ctx, k, "ana"))
		h.equal("waiting", len(must(h.ledger.Motions(h.ctx, consent.HoldMotion, "shop"))(h)), 1)
		h.clock.pass(consent.MotionWait)
		h.equal("no more", len(must(h.ledger.Motions(h.ctx, consent.HoldMotion, "shop"))(h)), 0)
		h.clock.pass(time.Second)
		h.ok(h.ledger.Prune(h.ctx))
		_, err := h.ledger.ApproveHold(h.ctx, k.ID, "bea")
		h.wants(err, consent.ErrNoMotion)
		until := h.clock.now().Add(time.Hour)
		h.hold(consent.Hold{Store: "shop", From: h.clock.now().Add(-time.Hour), To: h.clock.now(), Until: until})
		h.lives("a hold that is over", until, consent.AuditLife, func() int { return len(must(h.ledger.Holds(h.ctx))(h)) })
	},
}
