// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"doorstep/consent"
)

var decideCases = map[string]func(*testing.T, *house){
	"nobody asked, nobody admitted": func(_ *testing.T, h *house) {
		a := h.admit(h.phone("ana", "k1", "shop"))
		h.equal("grants", len(a.Grants), 0)
		h.equal("epoch", a.Epoch, int64(0))
	},
	"a grant is admitted, for its purpose and its place": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		d := h.decide(p, "assist", consent.ForATerm)
		a := h.admit(p)
		h.equal("purposes", purposes(a), "assist ")
		h.same(*d.Grant, a.Grants[0])
		h.equal("subject", a.Subject, p.subject)
		h.equal("visit", a.Visit, d.Visit)
		h.equal("visit is derived", a.Visit, h.keys.Visit(p.scope(), a.Epoch))
		h.equal("other store", len(h.admit(h.phone("ana", "k1", "other")).Grants), 0)
		h.equal("other phone", len(h.admit(h.phone("ana", "k2", "shop")).Grants), 0)
	},
	"a refusal admits nobody, and neither does a not now": func(_ *testing.T, h *house) {
		for i, c := range []consent.Choice{consent.No, consent.NotNow} {
			p := h.phone("ana", "k1", "shop")
			d := h.decide(p, "assist", c)
			h.equal("grants", len(h.admit(p).Grants), 0)
			h.equal("subject of the stop token", must(h.ledger.SubjectOfStopToken(h.ctx, d.StopToken))(h), p.subject)
			if d.Receipt == "" || d.Grant != nil || d.Ended != nil {
				h.Fatalf("case %d: a refusal has a receipt, a stop token and nothing else: %+v", i, d)
			}
		}
	},
	"a served id decides once: the same answer again is answered the same, any other is refused": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		for _, c := range []consent.Choice{consent.ThisVisit, consent.ForATerm, consent.No, consent.NotNow} {
			r := answer(p, h.ask(p, "assist"), c)
			first := must(h.ledger.Decide(h.ctx, r))(h)
			size := must(h.ledger.TreeHead(h.ctx))(h).Size
			h.clock.pass(time.Minute)
			again := r
			again.ShownAt, again.DecidedAt = h.clock.now(), h.clock.now() // what is claimed is no part of the answer
			second := must(h.ledger.Decide(h.ctx, again))(h)
			if first.Ended != nil {
				h.equal("the end is a repetition", second.Ended.Repeated, true)
				second.Ended.Repeated = false
			}
			h.same(first, second)
			h.equal("leaves", must(h.ledger.TreeHead(h.ctx))(h).Size, size)
			h.equal("whose stop token", must(h.ledger.SubjectOfStopToken(h.ctx, second.StopToken))(h), p.subject)
			for _, change := range []func(*consent.DecisionRequest){
				func(r *consent.DecisionRequest) {
					r.Choice = map[bool]consent.Choice{true: consent.No, false: consent.ForATerm}[c == consent.ForATerm]
				},
				func(r *consent.DecisionRequest) { r.Control = "switch" },
				func(r *consent.DecisionRequest) { r.Digest += "0" },
				func(r *consent.DecisionRequest) { r.Hash += "0" },
				func(r *consent.DecisionRequest) { r.Store = "other" },
				func(r *consent.DecisionRequest) { r.Purpose = "pickup" },
				func(r *consent.DecisionRequest) { r.Subject = h.keys.Subject("ben") },
				func(r *consent.DecisionRequest) { r.Installation = h.keys.Installation("k2") },
			} {
				other := r
				change(&other)
				_, err := h.ledger.Decide(h.ctx, other)
				h.wants(err, consent.ErrServed)
			}
		}
	},
	"what is not in force any more is not answered as given": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		for name, end := range map[string]func(){
			"withdrawn":  func() { h.end(consent.EndRequest{Kind: consent.EndAll, Subject: p.subject}) },
			"replaced":   func() { h.decide(p, "assist", consent.ForATerm) },
			"refused":    func() { h.decide(p, "assist", consent.No) },
			"taken over": func() { h.decide(h.phone("ben", "k1", "shop"), "assist", consent.ForATerm) },
			"expired":    func() { h.clock.pass(366 * 24 * time.Hour) },
		} {
			r := answer(p, h.ask(p, "assist"), consent.ForATerm)
			must(h.ledger.Decide(h.ctx, r))(h)
			end()
			if _, err := h.ledger.Decide(h.ctx, r); !errors.Is(err, consent.ErrServed) {
				h.Fatalf("%s: %v", name, err)
			}
		}
	},
	"a repetition tells of the end that the decision brought to somebody else": func(_ *testing.T, h *house) {
		ana, ben := h.phone("ana", "k1", "shop"), h.phone("ben", "k1", "shop")
		h.decide(ana, "assist", consent.ForATerm)
		r := answer(ben, h.ask(ben, "assist"), consent.ForATerm)
		first := must(h.ledger.Decide(h.ctx, r))(h)
		second := must(h.ledger.Decide(h.ctx, r))(h)
		h.same(first.Ended.Ends, second.Ended.Ends)
	},
	"a served id lives ten minutes": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		r := answer(p, h.ask(p, "assist"), consent.ThisVisit)
		h.clock.pass(consent.ServedLife)
		_, err := h.ledger.Decide(h.ctx, r)
		h.wants(err, consent.ErrServed)
	},
	"a second decision replaces the first": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ThisVisit)
		d := h.decide(p, "assist", consent.ForATerm)
		h.equal("state", d.State, consent.Renewed)
		a := h.admit(p)
		h.equal("grants", len(a.Grants), 1)
		h.same(*d.Grant, a.Grants[0])
		h.equal("epoch", a.Epoch, int64(1))
	},
	"refusing what was granted ends it": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.decide(p, "pickup", consent.ForATerm)
		before := h.admit(p)
		d := h.decide(p, "assist", consent.No)
		if d.Ended == nil || len(d.Ended.Ends) != 1 || d.Ended.Ends[0].Visit != before.Visit {
			h.Fatalf("the visit has not ended: %+v", d.Ended)
		}
		h.equal("what stays", purposes(h.admit(p)), "pickup ")
	},
	"another shopper on the same phone takes nothing over": func(_ *testing.T, h *house) {
		ana, ben := h.phone("ana", "k1", "shop"), h.phone("ben", "k1", "shop")
		stop := h.decide(ana, "assist", consent.ForATerm).StopToken
		before := h.admit(ana)
		d := h.decide(ben, "pickup", consent.ForATerm)
		if d.Ended == nil || d.Ended.Ends[0].Visit != before.Visit || d.Ended.Ends[0].Reason != consent.Superseded {
			h.Fatalf("the former shopper's visit has not ended: %+v", d.Ended)
		}
		a := h.admit(ben)
		h.equal("subject", a.Subject, ben.subject)
		h.equal("purposes", purposes(a), "pickup ")
		e := must(h.ledger.Stop(h.ctx, stop, consent.EndRequest{ID: newID(), Kind: consent.EndStore}))(h)
		h.equal("what the former shopper's token ends", len(e.Ends), 0)
		h.equal("purposes", purposes(h.admit(ben)), "pickup ")
	},
	"a grant runs out by the server's clock": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		d := h.decide(p, "assist", consent.ThisVisit)
		h.clock.pass(d.Grant.ExpiresAt.Sub(h.clock.now()) - time.Millisecond)
		h.equal("just before", len(h.admit(p).Grants), 1)
		h.clock.pass(time.Millisecond)
		h.equal("then", len(h.admit(p).Grants), 0)
	},
	"quiet after a refusal, in every store and on every phone": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.No)
		there := h.phone("ana", "k2", "other")
		s := must(h.store.Standing(h.ctx, there.subject, there.scope(), "assist", h.clock.now()))(h)
		h.equal("refused at", s.RefusedAt.Equal(h.clock.now()), true)
		other := must(h.store.Standing(h.ctx, there.subject, there.scope(), "pickup", h.clock.now()))(h)
		h.equal("another purpose", other, consent.Standing{})
		h.clock.pass(time.Hour)
		h.decide(there, "assist", consent.ThisVisit)
		s = must(h.store.Standing(h.ctx, there.subject, there.scope(), "assist", h.clock.now()))(h)
		h.equal("after a grant", s.InForce && s.Notice != "" && s.RefusedAt.IsZero(), true)
	},
	"every decision is in the log, and its receipt says where": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		var kept []string
		for _, c := range []consent.Choice{consent.No, consent.NotNow, consent.ThisVisit, consent.ForATerm} {
			kept = append(kept, h.decide(p, "assist", c).Receipt)
		}
		kept = append(kept, h.end(consent.EndRequest{Kind: consent.EndAll, Subject: p.subject}).Receipt)
		head := must(h.ledger.TreeHead(h.ctx))(h)
		h.equal("size", head.Size, int64(len(kept)))
		for i, jws := range kept {
			r := must(consent.VerifyReceiptAt(jws, h.keys.JWKS(), h.clock.now()))(h)
			h.equal("index", r.Log.Index, int64(i))
			proof := must(h.ledger.Proof(h.ctx, r.Log.Index, 0))(h)
			h.ok(proof.Verify())
			h.equal("leaf", proof.Leaf, r.Log.Leaf)
			h.equal("root", proof.Tree, head)
			then := must(h.ledger.Proof(h.ctx, r.Log.Index, r.Log.Size))(h)
			h.equal("root at the time", then.Tree.Root, r.Log.Root)
		}
		_, err := h.ledger.Proof(h.ctx, head.Size, 0)
		h.wants(err, consent.ErrNoLeaf)
	},
	"a notice is in the log once, and names nobody": func(_ *testing.T, h *house) {
		one, two := strings.Repeat("a", 64), strings.Repeat("b", 64)
		h.ok(h.ledger.LogNotices(h.ctx, one, two, one))
		h.clock.pass(time.Hour)
		h.ok(h.ledger.LogNotices(h.ctx, two, one))
		h.equal("size", must(h.ledger.TreeHead(h.ctx))(h).Size, int64(2))
		for i, hash := range []string{one, two} {
			proof := must(h.ledger.Proof(h.ctx, int64(i), 0))(h)
			h.ok(proof.Verify())
			h.equal("leaf", proof.Leaf, `{"event":"","notice":"`+hash+`","time":"2026-03-01T10:00:00Z","type":"notice"}`)
		}
	},
	"a bound ledger has the notices in force in its log": func(_ *testing.T, h *house) {
		h.ok(h.ledger.Bind(h.ctx))
		p := h.ask(h.phone("ana", "k1", "shop"), "assist")
		size, found := must(h.ledger.TreeHead(h.ctx))(h).Size, 0
		for i := range size {
			if strings.Contains(must(h.ledger.Proof(h.ctx, i, 0))(h).Leaf, p.Notice.Hash) {
				found++
			}
		}
		h.equal("leaves of the notice", found, 1)
		h.ok(h.ledger.Bind(h.ctx))
		h.equal("size", must(h.ledger.TreeHead(h.ctx))(h).Size, size)
	},
	"a value is claimed once": func(_ *testing.T, h *house) {
		h.equal("first", must(h.store.Claim(h.ctx, "keys", "a"))(h), "a")
		h.equal("second", must(h.store.Claim(h.ctx, "keys", "b"))(h), "a")
		h.wants(h.ledger.Bind(h.ctx), consent.ErrKeys)
	},
}
