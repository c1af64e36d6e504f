// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorstep/consent"
	"doorstep/tracking"
)

func (h *house) look(id string, p phone) consent.View {
	return consent.View{
		ID: id, Store: p.store, Visit: h.admit(p).Visit, Alert: "a1", Reader: "shift", Role: "associate", Team: "Shoes",
		Purpose: "assist", Fields: []string{"lat", "lng"}, OpenedAt: h.clock.now(),
	}
}

// enter is the beginning of a visit.
func (h *house) enter(p phone) {
	h.Helper()
	h.ok(h.ledger.Enter(h.ctx, consent.Entered{Scope: p.scope(), Epoch: h.admit(p).Epoch, Purposes: []string{"assist"}}))
}

// views are the looks as entries of a journal.
func views(list ...consent.View) (reads []consent.Read) {
	for _, v := range list {
		reads = append(reads, consent.Read{View: v, Kind: consent.ViewRead, People: 1})
	}
	return reads
}

var journalCases = map[string]func(*testing.T, *house){
	"a look is journalled whole, for its shopper only": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		first := h.look("v1", p)
		h.ok(h.ledger.OpenView(h.ctx, first))
		h.clock.pass(time.Second)
		second := h.look("v2", p)
		h.ok(h.ledger.OpenView(h.ctx, second))
		h.clock.pass(time.Second)
		h.ok(h.ledger.CloseView(h.ctx, "v1", h.clock.now(), 7))
		first.ClosedAt, first.Count = h.clock.now(), 7
		got := must(h.ledger.Journal(h.ctx, p.subject))(h)
		if d := cmp.Diff(views(second, first), got); d != "" {
			h.Fatalf("the journal differs:\n%s", d)
		}
		h.equal("somebody else's", len(must(h.ledger.Journal(h.ctx, h.keys.Subject("ben")))(h)), 0)
	},
	"a look that is journalled again is one; its id is no other's": func(_ *testing.T, h *house) {
		p, other := h.phone("ana", "k1", "shop"), h.phone("ben", "k2", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.decide(other, "assist", consent.ForATerm)
		v := h.look("v1", p)
		h.ok(h.ledger.OpenView(h.ctx, v))
		h.clock.pass(time.Second)
		again := v
		again.OpenedAt = time.Time{} // it began when it began
		h.ok(h.ledger.OpenView(h.ctx, again))
		h.same(views(v), must(h.ledger.Journal(h.ctx, p.subject))(h))
		for name, change := range map[string]func(*consent.View){
			"reader": func(v *consent.View) { v.Reader = "another" }, "alert": func(v *consent.View) { v.Alert = "a2" },
			"fields": func(v *consent.View) { v.Fields = nil }, "shopper": func(v *consent.View) { v.Visit = h.admit(other).Visit },
		} {
			taken := v
			change(&taken)
			if err := h.ledger.OpenView(h.ctx, taken); !errors.Is(err, consent.ErrIDTaken) {
				h.Fatalf("another %s under the same id: %v", name, err)
			}
		}
		h.ok(h.ledger.CloseView(h.ctx, "v1", h.clock.now(), 1))
		h.wants(h.ledger.OpenView(h.ctx, v), consent.ErrIDTaken)
		h.endVisit(p, false)
		h.wants(h.ledger.OpenView(h.ctx, v), tracking.ErrNoVisit)
		h.equal("somebody else's journal", len(must(h.ledger.Journal(h.ctx, other.subject))(h)), 0)
	},
	"nobody looks at a visit that has ended": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		v := h.look("v1", p)
		h.endVisit(p, false)
		h.wants(h.ledger.OpenView(h.ctx, v), tracking.ErrNoVisit)
		h.equal("journal", len(must(h.ledger.Journal(h.ctx, p.subject))(h)), 0)
	},
	"an end closes the looks; the node settles the count once": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.ok(h.ledger.OpenView(h.ctx, h.look("v1", p)))
		h.clock.pass(time.Second)
		h.endVisit(p, false)
		closed := func() consent.Read {
			list := must(h.ledger.Journal(h.ctx, p.subject))(h)
			h.equal("entries", len(list), 1)
			return list[0]
		}
		h.equal("closed by the end", closed().ClosedAt.Equal(h.clock.now()), true)
		h.ok(h.ledger.CloseView(h.ctx, "v1", h.clock.now(), 3))
		h.ok(h.ledger.CloseView(h.ctx, "v1", h.clock.now(), 9))
		h.equal("count", closed().Count, int64(3))
		h.wants(h.ledger.CloseView(h.ctx, "v9", h.clock.now(), 0), consent.ErrNoView)
	},
	"what was lawful before a withdrawal stays recorded as lawful": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		d := h.decide(p, "assist", consent.ForATerm)
		h.ok(h.ledger.OpenView(h.ctx, h.look("v1", p)))
		h.clock.pass(time.Second)
		h.ok(h.ledger.CloseView(h.ctx, "v1", h.clock.now(), 7))
		h.end(consent.EndRequest{Kind: consent.EndAll, Subject: p.subject})
		views := must(h.ledger.Journal(h.ctx, p.subject))(h)
		h.equal("looks", len(views), 1)
		h.equal("its purpose, its count", fmt.Sprint(views[0].Purpose, views[0].Count), "assist7")
		r := must(consent.VerifyReceiptAt(d.Receipt, h.keys.JWKS(), h.clock.now()))(h)
		h.equal("the grant's receipt", r.Record.Event.State, string(consent.Given))
		proof := must(h.ledger.Proof(h.ctx, r.Log.Index, 0))(h)
		h.ok(proof.Verify())
		h.equal("its leaf", proof.Leaf, r.Log.Leaf)
	},
	"a disclosure is of what there is": func(_ *testing.T, h *house) {
		p, ben := h.phone("ana", "k1", "shop"), h.phone("ben", "k2", "shop")
		h.decide(p, "pickup", consent.ForATerm)
		h.end(consent.EndRequest{Kind: consent.EndAll, Subject: p.subject})
		h.decide(ben, "assist", consent.ForATerm)
		fewer := *consent.DevelopmentRegistry()
		fewer.Purposes, fewer.Trying = fewer.Purposes[:1], "" // it knows neither pickup nor any store any more
		later := consent.New(h.store, h.keys, &fewer, h.clock.now)
		ask := func(p phone, store, purpose string, fields ...string) error {
			return later.AskDisclosure(h.ctx, consent.Disclosure{ID: newID(), Subject: p.subject, Recipient: "District court", Reason: "Order 17/2026, section 94",
				Store: store, Purpose: purpose, Fields: fields}, "mei")
		}
		h.ok(ask(p, "", "assist", "records", "position"))
		h.ok(ask(p, "shop", "pickup", "journal"))
		h.wants(ask(p, "annex", "", "journal"), consent.ErrRequest)
		h.wants(ask(ben, "shop", "pickup", "journal"), consent.ErrRequest)
		h.wants(ask(p, "shop", "asist", "journal"), consent.ErrRequest)
		h.wants(ask(p, "shop", "pickup", "journal", "diary"), consent.ErrRequest)
		h.wants(ask(h.phone("nobody", "k9", "shop"), "shop", "", "journal"), consent.ErrRequest)
		h.equal("what waits", len(must(h.ledger.Motions(h.ctx, consent.DisclosureMotion, ""))(h)), 2)
	},
	"what was asked before anybody looked for it is looked for when it is approved": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		moved := func(store string, fields ...string) (id string) {
			d := consent.Disclosure{ID: newID(), Subject: p.subject, Store: store, Recipient: "District court", Reason: "Order 17/2026, section 94", Fields: fields}
			h.ok(h.ledger.Move(h.ctx, consent.Motion{ID: d.ID, Kind: consent.DisclosureMotion, Store: store, Body: must(json.Marshal(d))(h), By: "mei"}))
			return d.ID
		}
		_, err := h.ledger.ApproveDisclosure(h.ctx, moved("shop", "records", "diary"), "lea", nil)
		h.wants(err, consent.ErrRequest)
		h.equal("entries", len(must(h.ledger.Journal(h.ctx, p.subject))(h)), 0)
		must(h.ledger.ApproveDisclosure(h.ctx, moved("shop", "records"), "lea", nil))(h)
		h.equal("entries", len(must(h.ledger.Journal(h.ctx, p.subject))(h)), 1)
	},
	"an id is of one request, in its very words": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		d := consent.Disclosure{ID: newID(), Subject: p.subject, Recipient: "District court", Reason: "Order 17/2026, section 94", Fields: []string{"records"}}
		no := consent.Disclosure{ID: newID(), Refused: true, Recipient: "District court", Reason: "Order 18/2026, section 95"}
		ask := func(d consent.Disclosure) error { return h.ledger.AskDisclosure(h.ctx, d, "mei") }
		taken := func() {
			h.Helper()
			more, other, refused, asked := d, no, no, d
			more.Fields = append(more.Fields, "journal")
			other.Reason = "Order 19/2026, section 96"
			refused.ID, asked.ID = d.ID, no.ID
			for _, d := range []consent.Disclosure{more, other, refused, asked} {
				h.wants(ask(d), consent.ErrIDTaken)
			}
		}
		h.ok(ask(d))
		h.ok(ask(no))
		taken()
		h.ok(ask(d))
		h.ok(ask(no))
		must(h.ledger.ApproveDisclosure(h.ctx, d.ID, "lea", nil))(h)
		taken()
		h.clock.pass(consent.MotionWait + time.Second)
		h.ok(h.ledger.Prune(h.ctx)) // the motion is forgotten, and what became of it is not
		taken()
		h.wants(ask(d), consent.ErrIDTaken)
		hold := consent.Hold{Store: "shop", From: h.clock.now().Add(-time.Hour), To: h.clock.now(), Until: h.clock.now().Add(consent.HoldMost)}
		hold.ID, hold.Reason = h.hold(hold), "Another claim that is before the court"
		h.wants(h.ledger.AskHold(h.ctx, hold, "ana"), consent.ErrIDTaken)
		h.clock.pass(consent.MotionWait + time.Second)
		h.ok(h.ledger.Prune(h.ctx))
		h.wants(h.ledger.AskHold(h.ctx, hold, "ana"), consent.ErrIDTaken)
		h.equal("counted", h.requests(), "answered 1, asked 2, refused 1")
	},
	"what is handed over of nobody is not handed over, and may be once they are known": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		d := consent.Disclosure{ID: newID(), Subject: p.subject, Recipient: "District court", Reason: "Order 17/2026, section 94", Fields: []string{"records"}}
		h.ok(h.ledger.AskDisclosure(h.ctx, d, "mei"))
		_, err := h.ledger.ApproveDisclosure(h.ctx, d.ID, "lea", nil)
		h.wants(err, consent.ErrNoShopper)
		h.equal("counted", h.requests(), "asked 1")
		h.wants(h.ledger.EnterRead(h.ctx, p.subject, consent.Read{Kind: consent.ExportRead}), consent.ErrNoShopper)
		h.decide(p, "assist", consent.ForATerm)
		_, err = h.ledger.ApproveDisclosure(h.ctx, d.ID, "lea", nil)
		h.ok(err)
		h.equal("counted", h.requests(), "answered 1, asked 1")
		h.equal("entries", len(must(h.ledger.Journal(h.ctx, p.subject))(h)), 1)
	},
	"what an authority asked for is counted once it is acknowledged, and once only": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		d := consent.Disclosure{ID: newID(), Subject: p.subject, Recipient: "District court", Reason: "Order 17/2026, section 94", Fields: []string{"records"}}
		no := consent.Disclosure{ID: newID(), Refused: true, Recipient: "District court", Reason: "Order 18/2026, section 95"}
		for range 2 {
			h.ok(h.ledger.AskDisclosure(h.ctx, no, "mei"))
			h.equal("refused", h.requests(), "asked 1, refused 1")
		}
		for range 2 {
			h.ok(h.ledger.AskDisclosure(h.ctx, d, "mei"))
			h.equal("asked", h.requests(), "asked 2, refused 1")
		}
		for range 2 {
			must(h.ledger.ApproveDisclosure(h.ctx, d.ID, "lea", nil))(h)
			h.equal("answered", h.requests(), "answered 1, asked 2, refused 1")
		}
	},
	"the journal is kept for ninety days": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.ok(h.ledger.OpenView(h.ctx, h.look("v1", p)))
		h.clock.pass(consent.JournalLife)
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("on the last day", len(must(h.ledger.Journal(h.ctx, p.subject))(h)), 1)
		h.clock.pass(time.Second)
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("after it", len(must(h.ledger.Journal(h.ctx, p.subject))(h)), 0)
	},
}

// requests is what is counted of requests by authorities, as the database has it: no node keeps any of it back.
func (h *house) requests() string {
	h.Helper()
	var text []string
	for _, t := range must(h.store.Tallies(h.ctx, "9999"))(h) {
		if t.Kind == consent.TallyAuthority {
			text = append(text, fmt.Sprint(t.What, " ", t.N))
		}
	}
	return strings.Join(text, ", ")
}
