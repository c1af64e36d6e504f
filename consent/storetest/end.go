// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking"
)

func newID() string { return uuid.NewString() }

var endCases = map[string]func(*testing.T, *house){
	"the id of a session's end is good for that session only, and a stop token ends none": func(_ *testing.T, h *house) {
		p, q := h.phone("ana", "k1", "shop"), h.phone("ben", "k2", "shop")
		d := h.decide(p, "assist", consent.ForATerm)
		h.decide(q, "assist", consent.ForATerm)
		r := consent.EndRequest{ID: newID(), Kind: consent.EndSession, Scope: p.scope(), Visit: h.admit(p).Visit, Reason: consent.Bye}
		h.end(r)
		h.equal("the same again", h.end(r).Repeated, true)
		r.Scope, r.Visit = q.scope(), h.admit(q).Visit
		_, err := h.ledger.End(h.ctx, r)
		h.wants(err, consent.ErrIDTaken)
		h.equal("the other's visit", h.admit(q).Visit, r.Visit)
		_, err = h.ledger.StopRequest(h.ctx, d.StopToken, consent.EndRequest{ID: newID(), Kind: consent.EndSession, Visit: h.admit(p).Visit})
		h.wants(err, consent.ErrRequest)
	},
	"only ends raise the epoch": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.decide(p, "pickup", consent.ForATerm)
		h.decide(p, "assist", consent.NotNow)
		h.equal("after decisions", h.admit(p).Epoch, int64(1))
		h.endVisit(p, false)
		h.equal("after an end", h.admit(p).Epoch, int64(2))
	},
	"the end of one purpose leaves the other, re-stamped": func(_ *testing.T, h *house) {
		p, elsewhere := h.phone("ana", "k1", "shop"), h.phone("ana", "k1", "other")
		h.decide(p, "assist", consent.ForATerm)
		h.decide(p, "pickup", consent.ForATerm)
		h.decide(elsewhere, "assist", consent.ForATerm)
		before := h.admit(p)
		e := h.end(consent.EndRequest{Kind: consent.EndGrant, Scope: p.scope(), Purpose: "assist"})
		after := h.admit(p)
		h.equal("ends", len(e.Ends), 1)
		want := consent.End{
			Change: e.Ends[0].Change, Scope: p.scope(), Visit: before.Visit, Epoch: 2, NextVisit: after.Visit,
			Reason: consent.Withdrawn, Surviving: []string{"pickup"},
		}
		if d := cmp.Diff(want, e.Ends[0]); d != "" {
			h.Fatalf("the end differs:\n%s", d)
		}
		h.equal("what stays", purposes(after), "pickup ")
		h.equal("a new pseudonym", after.Visit != before.Visit, true)
		h.equal("other store", h.admit(elsewhere).Epoch, int64(1))
	},
	"the global stop ends every scope of the subject and nobody else's": func(_ *testing.T, h *house) {
		mine := []phone{h.phone("ana", "k1", "shop"), h.phone("ana", "k1", "other"), h.phone("ana", "k2", "shop")}
		ben := h.phone("ben", "k3", "shop")
		for _, p := range append(mine, ben) {
			h.decide(p, "assist", consent.ForATerm)
		}
		e := h.end(consent.EndRequest{Kind: consent.EndAll, Subject: mine[0].subject})
		h.equal("ends", len(e.Ends), len(mine))
		for _, p := range mine {
			h.equal("grants", len(h.admit(p).Grants), 0)
		}
		h.equal("somebody else's", len(h.admit(ben).Grants), 1)
	},
	"an id answers the same again, and serves for nothing else": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		r := consent.EndRequest{ID: newID(), Kind: consent.EndStore, Scope: p.scope()}
		first := h.end(r)
		h.clock.pass(time.Minute)
		h.decide(p, "assist", consent.ForATerm)
		second := h.end(r)
		h.equal("repeated", second.Repeated, true)
		second.Repeated = false
		if d := cmp.Diff(first, second); d != "" {
			h.Fatalf("the answers differ:\n%s", d)
		}
		h.equal("a grant given after it", len(h.admit(p).Grants), 1)
		r.Kind, r.Purpose, r.Reason = consent.EndGrant, "assist", consent.Withdrawn
		_, err := h.ledger.End(h.ctx, r)
		h.wants(err, consent.ErrIDTaken)
	},
	"ending what is not there succeeds": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		for _, r := range []consent.EndRequest{
			{Kind: consent.EndAll, Subject: p.subject}, {Kind: consent.EndStore, Scope: p.scope()}, {Kind: consent.EndGrant, Scope: p.scope(), Purpose: "assist"},
		} {
			e := h.end(r)
			h.equal("change", e.Change, int64(0))
			h.equal("ends", len(e.Ends), 0)
			h.equal("receipt", e.Receipt != "", true)
		}
	},
	"what nobody declares is refused, unless it is on record": func(_ *testing.T, h *house) {
		p, ben := h.phone("ana", "k1", "shop"), h.phone("ben", "k2", "shop")
		grant, store := consent.EndGrant, consent.EndStore
		end := func(by *consent.Ledger, p phone, kind consent.EndKind, at, purpose string, onRecord bool) error {
			_, err := by.End(h.ctx, consent.EndRequest{ID: newID(), Kind: kind, Subject: p.subject, Reason: consent.Withdrawn, OnRecord: onRecord,
				Scope: consent.Scope{Installation: p.installation, Store: at}, Purpose: purpose})
			return err
		}
		h.decide(p, "assist", consent.ForATerm)
		h.decide(p, "pickup", consent.ForATerm)
		h.wants(end(h.ledger, p, grant, "shop", "asist", false), consent.ErrNotOnRecord)
		h.wants(end(h.ledger, p, grant, "shopp", "assist", true), consent.ErrNotOnRecord)
		h.wants(end(h.ledger, p, store, "shopp", "", true), consent.ErrNotOnRecord)
		h.equal("leaves", must(h.ledger.TreeHead(h.ctx))(h).Size, int64(2))
		h.equal("what stays", purposes(h.admit(p)), "assist pickup ")

		fewer := *consent.DevelopmentRegistry()
		fewer.Purposes, fewer.Trying = fewer.Purposes[:1], "" // it knows neither pickup nor any store
		later := consent.New(h.store, h.keys, &fewer, h.clock.now)
		h.wants(end(later, ben, grant, "shop", "pickup", false), consent.ErrNotOnRecord)
		taken := consent.EndRequest{ID: newID(), Kind: grant, Subject: p.subject, Reason: consent.Withdrawn, Scope: p.scope(), Purpose: "pickup"}
		must(later.End(h.ctx, taken))(h)
		h.equal("what stays of it", purposes(h.admit(p)), "assist ")
		h.ok(end(later, p, grant, "shop", "pickup", true)) // it is over, and still on record
		h.ok(end(later, p, store, "shop", "", true))
		h.ok(end(later, ben, consent.EndAll, "", "", false))
		h.equal("what stays of all", purposes(h.admit(p)), "")

		h.ask(ben, "pickup")
		h.ok(end(later, ben, grant, "shop", "pickup", true)) // a notice that waits is on record too
		idle := consent.EndRequest{ID: newID(), Kind: grant, Subject: ben.subject, Reason: consent.Withdrawn, Scope: ben.scope(), Purpose: "pickup"}
		h.end(idle)
		h.equal("sent again", must(later.End(h.ctx, idle))(h).Repeated, true)
		idle.ID, idle.Reason = newID(), consent.Revoked
		_, err := later.End(h.ctx, idle)
		h.ok(err) // whoever else ends something knows what they mean
	},
	"the visits that are open": func(_ *testing.T, h *house) {
		p, annex, tablet, ben := h.phone("ana", "k1", "shop"), h.phone("ana", "k1", "annex"), h.phone("ana", "k2", "shop"), h.phone("ben", "k3", "shop")
		var open []consent.OpenVisit
		for _, x := range []phone{p, annex, tablet, ben} {
			h.decide(x, "assist", consent.ForATerm)
			h.enter(x)
			open = append(open, consent.OpenVisit{Scope: x.scope(), Visit: h.admit(x).Visit})
		}
		h.decide(h.phone("ana", "k1", "never entered"), "assist", consent.ForATerm)
		are := func(subject, installation consent.Ref, want ...consent.OpenVisit) {
			h.Helper()
			got := must(h.ledger.OpenVisits(h.ctx, subject, installation))(h)
			key := func(v consent.OpenVisit) string { return string(v.Scope.Installation) + v.Scope.Store }
			slices.SortFunc(got, func(a, b consent.OpenVisit) int { return strings.Compare(key(a), key(b)) })
			slices.SortFunc(want, func(a, b consent.OpenVisit) int { return strings.Compare(key(a), key(b)) })
			h.same(want, got)
		}
		are(p.subject, p.installation, open[0], open[1])
		are(p.subject, "", open[0], open[1], open[2])
		are(ben.subject, "", open[3])
		h.ok(h.ledger.OpenView(h.ctx, consent.View{ID: "v1", Store: "shop", Visit: open[0].Visit, Reader: "s1", Purpose: "assist"}))
		h.endVisit(annex, false)
		are(p.subject, p.installation, open[0])
		h.equal("a look at the other store's visit is open", must(h.ledger.Journal(h.ctx, p.subject))(h)[0].ClosedAt.IsZero(), true)
		are(h.keys.Subject("nobody"), "")
		are("", h.keys.Installation("nowhere"))
	},
	"what finds nothing is recorded so often an hour, and what finds something always": func(_ *testing.T, h *house) {
		p, ben := h.phone("ana", "k1", "shop"), h.phone("ben", "k2", "shop")
		stop := func(p phone, store string) (consent.Ending, error) {
			return h.ledger.End(h.ctx, consent.EndRequest{ID: newID(), Kind: consent.EndStore, Subject: p.subject,
				Scope: consent.Scope{Installation: p.installation, Store: store}, Reason: consent.Withdrawn})
		}
		idle := func() error {
			_, err := stop(p, "shop "+newID()) // whatever it is said to be about
			return err
		}
		for range 20 {
			h.ok(idle())
		}
		h.wants(idle(), consent.ErrIdle)
		h.equal("leaves", must(h.ledger.TreeHead(h.ctx))(h).Size, int64(20))
		_, err := stop(ben, "shop")
		h.ok(err)
		served := h.ask(p, "assist")
		_, err = stop(p, "shop")
		h.ok(err)
		_, err = h.ledger.Decide(h.ctx, answer(p, served, consent.ForATerm))
		h.wants(err, consent.ErrServed)
		h.decide(p, "assist", consent.ForATerm)
		e, err := stop(p, "shop")
		h.ok(err)
		h.equal("ends", len(e.Ends), 1)
		h.wants(idle(), consent.ErrIdle)
		_, err = h.ledger.End(h.ctx, consent.EndRequest{ID: newID(), Kind: consent.EndAll, Subject: p.subject, Reason: consent.Revoked})
		h.ok(err)
		h.clock.pass(time.Hour)
		h.ok(idle())
	},
	"a session's end: grants for a term stay, those for the visit have ten minutes": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		term := h.decide(p, "pickup", consent.ForATerm)
		visit := h.decide(p, "assist", consent.ThisVisit)
		e := h.endVisit(p, false)
		h.equal("receipt", e.Receipt, "")
		h.equal("surviving", slices.Equal(e.Ends[0].Surviving, []string{"assist", "pickup"}), true)
		a := h.admit(p)
		h.equal("visit's expiry", a.Grants[0].ExpiresAt.Equal(h.clock.now().Add(10*time.Minute)), true)
		h.equal("term's expiry", a.Grants[1].ExpiresAt.Equal(term.Grant.ExpiresAt), true)
		h.clock.pass(9 * time.Minute)
		h.enter(p)
		h.equal("after rejoining", h.admit(p).Grants[0].ExpiresAt.Equal(visit.Grant.ExpiresAt), true)
		h.endVisit(p, false)
		h.clock.pass(10 * time.Minute)
		h.equal("too late", purposes(h.admit(p)), "pickup ")
		h.enter(p)
		h.equal("still too late", purposes(h.admit(p)), "pickup ")
	},
	"the end of another purpose does not shorten a visit's grant, and names no grant that has run out": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		visit := h.decide(p, "assist", consent.ThisVisit)
		h.decide(p, "pickup", consent.ForATerm)
		h.end(consent.EndRequest{Kind: consent.EndGrant, Scope: p.scope(), Purpose: "pickup"})
		h.equal("expiry", h.admit(p).Grants[0].ExpiresAt.Equal(visit.Grant.ExpiresAt), true)
		h.decide(p, "pickup", consent.ForATerm)
		h.clock.pass(visit.Grant.ExpiresAt.Sub(h.clock.now()))
		e := h.endVisit(p, false)
		h.equal("surviving", slices.Equal(e.Ends[0].Surviving, []string{"pickup"}), true)
	},
	"ended sessions are forgotten after a day, withdrawals are not": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		session := consent.EndRequest{ID: newID(), Kind: consent.EndSession, Scope: p.scope(), Visit: h.admit(p).Visit, Reason: consent.Bye}
		withdrawal := consent.EndRequest{ID: newID(), Kind: consent.EndStore, Scope: p.scope(), Reason: consent.Withdrawn}
		h.end(session)
		h.end(withdrawal)
		h.clock.pass(consent.FeedLife)
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("session, within the day", len(h.end(session).Ends), 1)
		h.clock.pass(time.Second)
		h.ok(h.ledger.Prune(h.ctx))
		h.equal("session", len(h.end(session).Ends), 0)
		h.equal("withdrawal", len(h.end(withdrawal).Ends), 1)
	},
	"a stale session's end changes nothing": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		old := h.admit(p).Visit
		h.endVisit(p, false)
		before := h.admit(p)
		e := h.end(consent.EndRequest{Kind: consent.EndSession, Scope: p.scope(), Visit: old, Reason: consent.Lost})
		h.equal("repeated", e.Repeated, true)
		h.equal("ends", len(e.Ends), 0)
		if d := cmp.Diff(before, h.admit(p)); d != "" {
			h.Fatalf("the scope has changed:\n%s", d)
		}
	},
	"a visit is ended by who knows nothing else of it": func(_ *testing.T, h *house) {
		p, ben := h.phone("ana", "k1", "shop"), h.phone("ben", "k2", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.decide(ben, "assist", consent.ForATerm)
		h.raise(p, "a1", tracking.Help)
		before, others := h.admit(p), h.admit(ben)
		lost := consent.EndRequest{ID: newID(), Kind: consent.EndSession, Visit: before.Visit, Reason: consent.Lost}
		e := h.end(lost)
		after := h.admit(p)
		want := []consent.End{{
			Change: e.Ends[0].Change, Scope: p.scope(), Visit: before.Visit, Epoch: before.Epoch + 1, NextVisit: after.Visit,
			Reason: consent.Lost, Surviving: []string{"assist"}, Alerts: []string{"a1"},
		}}
		h.same(want, e.Ends)
		h.equal("epoch", after.Epoch, before.Epoch+1)
		h.equal("the other's visit", h.admit(ben).Visit, others.Visit)
		lost.ID = newID()
		stale := h.end(lost)
		h.equal("stale: repeated, ends", fmt.Sprint(stale.Repeated, len(stale.Ends)), "true 0")
		h.same(after.Visit, h.admit(p).Visit)
		other := h.end(consent.EndRequest{Kind: consent.EndSession, Visit: after.Visit, Subject: ben.subject, Reason: consent.Lost})
		h.equal("not this subject's", len(other.Ends), 0)
	},
	"a visit's end is one event, with its scope or without": func(_ *testing.T, h *house) {
		for i, p := range []phone{h.phone("ana", "k1", "shop"), h.phone("ben", "k2", "shop")} {
			h.decide(p, "assist", consent.ForATerm)
			byScope := consent.EndRequest{ID: newID(), Kind: consent.EndSession, Scope: p.scope(), Subject: p.subject, Visit: h.admit(p).Visit, Reason: consent.Bye}
			byVisit := consent.EndRequest{ID: byScope.ID, Kind: consent.EndSession, Visit: byScope.Visit, Reason: consent.Lost}
			asked := []consent.EndRequest{byScope, byVisit}
			first, second := h.end(asked[i]), h.end(asked[1-i])
			h.equal("repeated", fmt.Sprint(first.Repeated, second.Repeated), "false true")
			second.Repeated = false
			h.same(first, second)
			h.equal("epoch", h.admit(p).Epoch, int64(2))
		}
	},
	"expiries are found, and end by the same code": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		d := h.decide(p, "assist", consent.ThisVisit)
		h.equal("early", len(must(h.ledger.Due(h.ctx, h.clock.now(), 10))(h)), 0)
		h.clock.pass(d.Grant.ExpiresAt.Sub(h.clock.now()))
		due := must(h.ledger.Due(h.ctx, h.clock.now(), 10))(h)
		again := must(h.ledger.Due(h.ctx, h.clock.now(), 10))(h)
		h.equal("due", len(due), 1)
		h.equal("the same id from everybody", again[0].ID, due[0].ID)
		e := must(h.ledger.End(h.ctx, due[0]))(h)
		h.equal("ends", len(e.Ends), 1)
		h.equal("reason", e.Ends[0].Reason, consent.Expired)
		h.equal("kept as", must(h.ledger.Export(h.ctx, p.subject))(h).Decisions[0].State, consent.ExpiredOver)
		h.equal("then", len(must(h.ledger.Due(h.ctx, h.clock.now(), 10))(h)), 0)
	},
	"an expiry does not take what was renewed meanwhile": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		d := h.decide(p, "assist", consent.ThisVisit)
		h.clock.pass(d.Grant.ExpiresAt.Sub(h.clock.now()))
		due := must(h.ledger.Due(h.ctx, h.clock.now(), 10))(h)
		h.equal("due", len(due), 1)
		h.decide(p, "assist", consent.ForATerm)
		h.equal("ends", len(must(h.ledger.End(h.ctx, due[0]))(h).Ends), 0)
		h.equal("grants", len(h.admit(p).Grants), 1)
	},
	"an expiry of what was renewed meanwhile ends neither the visit nor its alerts": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		d := h.decide(p, "assist", consent.ThisVisit)
		h.raise(p, "a1", tracking.Help)
		h.raise(p, "a2", tracking.Arrived)
		h.clock.pass(d.Grant.ExpiresAt.Sub(h.clock.now()))
		due := must(h.ledger.Due(h.ctx, h.clock.now(), 10))(h)
		h.equal("due", len(due), 1)
		h.decide(p, "assist", consent.ForATerm)
		before, help, arrived := h.admit(p), h.alert("shop", "a1"), h.alert("shop", "a2")
		e := must(h.ledger.End(h.ctx, due[0]))(h)
		h.equal("ends and change", fmt.Sprint(len(e.Ends), e.Change), "0 0")
		h.same(before, h.admit(p))
		h.same(help, h.alert("shop", "a1"))
		h.same(arrived, h.alert("shop", "a2"))
		h.equal("still open", help.Final() || help.Off || arrived.Final(), false)
	},
	"the stop token only stops, again and again": func(_ *testing.T, h *house) {
		p, other := h.phone("ana", "k1", "shop"), h.phone("ana", "k2", "other")
		token := h.decide(p, "assist", consent.ForATerm).StopToken
		h.decide(other, "assist", consent.ForATerm)
		h.equal("subject", must(h.ledger.SubjectOfStopToken(h.ctx, token))(h), p.subject)
		id := newID()
		e := must(h.ledger.Stop(h.ctx, token, consent.EndRequest{ID: id}))(h)
		h.equal("ends", len(e.Ends), 2)
		h.equal("repeated", must(h.ledger.Stop(h.ctx, token, consent.EndRequest{ID: id}))(h).Repeated, true)
		_, err := h.ledger.Stop(h.ctx, token[:len(token)-1]+"_", consent.EndRequest{ID: newID()})
		h.wants(err, consent.ErrStopToken)
		_, err = h.ledger.Stop(h.ctx, token, consent.EndRequest{ID: newID(), Kind: consent.EndSession})
		h.wants(err, consent.ErrRequest)
	},
	"the nodes of the moment must acknowledge": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.ok(h.store.Join(h.ctx, "n1"))
		h.ok(h.store.Join(h.ctx, "n2"))
		e := h.endVisit(p, false)
		h.equal("nodes", slices.Equal(e.Nodes, []string{"n1", "n2"}), true)
		h.ok(h.store.Ack(h.ctx, "n1", e.Change))
		h.ok(h.store.Ack(h.ctx, "n1", e.Change-1))
		h.ok(h.store.Leave(h.ctx, "n2"))
		acked := must(h.store.Acked(h.ctx, e.Nodes))(h)
		if d := cmp.Diff(map[string]int64{"n1": e.Change}, acked); d != "" {
			h.Fatalf("acknowledged:\n%s", d)
		}
		h.wants(h.store.Ack(h.ctx, "n2", e.Change), consent.ErrNotListed)
		h.ok(h.store.Join(h.ctx, "n1"))
		h.equal("a node that starts anew", must(h.store.Acked(h.ctx, e.Nodes))(h)["n1"], int64(0))
	},
}
