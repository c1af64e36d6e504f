// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
)

// Over random histories of decisions and ends of all kinds, by several shoppers on several phones that change
// hands: only what is given or renewed is ever in force, and admitted; a state that is final stays; each record
// ends once, or never; and the log says the same of all of it.
func TestStatesOverRandomHistories(t *testing.T) {
	if err := flag.Set("rapid.checks", randomHistories); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		h := newHistory(t, rt)
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			h.step()
			h.check()
		}
	})
}

type randomHistory struct {
	*rapid.T
	t    *testing.T
	db   *sqlstore.DB
	l    *consent.Ledger
	keys consent.Keys
	now  time.Time
	over map[string]string // records in a final state, by id
}

func newHistory(t *testing.T, rt *rapid.T) *randomHistory {
	h := &randomHistory{T: rt, t: t, keys: consent.NewKeys(), now: time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC), over: map[string]string{}}
	clock := func() time.Time { return h.now }
	h.db = storetest.SQLite(t, clock)
	h.l = consent.New(h.db, h.keys, consent.DevelopmentRegistry(), clock)
	h.ok(h.l.Bind(t.Context())) // as a server does: what people decide on is kept
	return h
}

func (h *randomHistory) pick(what string, of ...string) string {
	return rapid.SampledFrom(of).Draw(h.T, what)
}

func (h *randomHistory) scope() consent.Scope {
	return consent.Scope{Installation: h.keys.Installation(h.pick("phone", "p1", "p2")), Store: h.pick("store", "s1", "s2")}
}

func (h *randomHistory) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *randomHistory) step() {
	h.now = h.now.Add(time.Duration(rapid.Int64Range(1, 3600_000).Draw(h.T, "ms")) * time.Millisecond)
	if rapid.IntRange(0, 9).Draw(h.T, "long") == 0 {
		h.now = h.now.Add(13 * time.Hour) // a visit's grant has run out
	}
	ctx, scope, purpose := h.t.Context(), h.scope(), h.pick("purpose", "assist", "pickup")
	subject := h.keys.Subject(h.pick("who", "ana", "ben"))
	switch h.pick("what", "decide", "decide", "decide", "session", "grant", "store", "all", "revoke", "due") {
	case "decide":
		q, err := h.l.Prompt(ctx, consent.PromptRequest{Subject: subject, Installation: scope.Installation, App: "app", Store: scope.Store, Purpose: purpose, Lang: "en", AgeBand: "adult", Opened: true})
		h.ok(err)
		choice := consent.Choice(h.pick("choice", "visit", "term", "no", "not_now"))
		_, err = h.l.Decide(ctx, consent.DecisionRequest{ServedID: q.ServedID, Hash: q.Notice.Hash, Choice: choice, Control: "switch", Digest: q.Digest,
			Subject: subject, Installation: scope.Installation, Store: scope.Store, Purpose: purpose})
		h.ok(err)
	case "session":
		a, err := h.l.Admit(ctx, scope)
		h.ok(err)
		h.end(consent.EndRequest{Kind: consent.EndSession, Scope: scope, Visit: a.Visit, Reason: "left_store"})
	case "grant":
		h.end(consent.EndRequest{Kind: consent.EndGrant, Scope: scope, Purpose: purpose, Subject: subject, Reason: consent.Withdrawn})
	case "store":
		h.end(consent.EndRequest{Kind: consent.EndStore, Scope: scope, Subject: subject, Reason: consent.Withdrawn})
	case "all":
		h.end(consent.EndRequest{Kind: consent.EndAll, Subject: subject, Reason: consent.Withdrawn})
	case "revoke":
		h.end(consent.EndRequest{Kind: consent.EndStore, Scope: scope, Reason: consent.Revoked})
	case "due":
		due, err := h.l.Due(ctx, h.now, 100)
		h.ok(err)
		for _, r := range due {
			_, err := h.l.End(ctx, r)
			h.ok(err)
		}
	}
}

func (h *randomHistory) end(r consent.EndRequest) {
	r.ID = uuid.NewString()
	_, err := h.l.End(h.t.Context(), r)
	h.ok(err)
}

// check holds every record against what is allowed, and what is admitted against the records.
func (h *randomHistory) check() {
	h.Helper()
	ctx := h.t.Context()
	x, err := sqlstore.OpenEvidence(ctx, h.db.Place(), sqlstore.WithKeyring(h.db.Keyring()))
	h.ok(err)
	defer x.Close()
	inForce := map[consent.Scope][]string{}
	h.ok(x.Kept(ctx, func(k consent.Kept) error {
		if d := k.Decided; d != nil {
			h.checkRecord(k.RecordID, d)
			if d.Live && d.Current && d.ExpiresAt.After(h.now) {
				inForce[d.Scope] = append(inForce[d.Scope], d.Purpose)
			}
		}
		return nil
	}))
	for _, phone := range []string{"p1", "p2"} {
		for _, store := range []string{"s1", "s2"} {
			s := consent.Scope{Installation: h.keys.Installation(phone), Store: store}
			a, err := h.l.Admit(ctx, s)
			h.ok(err)
			var admitted []string
			for _, g := range a.Grants {
				admitted = append(admitted, g.Purpose)
			}
			slices.Sort(inForce[s])
			if !slices.Equal(admitted, inForce[s]) {
				h.Fatalf("admitted %v, in force are %v", admitted, inForce[s])
			}
		}
	}
	r, err := consent.Audit(ctx, x, h.keys, nil, h.now)
	h.ok(err)
	if len(r.Findings) > 0 {
		h.Fatalf("the log disagrees: %+v", r.Findings)
	}
}

func (h *randomHistory) checkRecord(id string, d *consent.KeptDecision) {
	h.Helper()
	state, asLogged := consent.State(d.State), consent.State(d.Record.Event.State)
	switch {
	case d.Live && !(state == consent.Given || state == consent.Renewed):
		h.Fatalf("in force in the state %q", state)
	case !d.Live && state.Allows():
		h.Fatalf("%q, and not in force", state)
	case d.Live && state != asLogged:
		h.Fatalf("in force as %q, and logged as %q", state, asLogged)
	case !d.Live && asLogged.Allows() && !slices.Contains([]consent.State{consent.WithdrawnOver, consent.RevokedOver, consent.ExpiredOver, consent.Invalidated}, state):
		h.Fatalf("a grant that ended as %q", state)
	}
	final := fmt.Sprint(d.State, d.EndedAt, d.EndedBy)
	if before, is := h.over[id]; is && before != final {
		h.Fatalf("what was final has changed: %s, now %s", before, final)
	}
	if !d.Live {
		h.over[id] = final
	}
}

// A decision that renews what is in force is logged as renewed; one after it ran out is a new one, and the
// former has expired.
func TestRenewal(t *testing.T) {
	for name, c := range map[string]struct {
		wait           time.Duration
		logged, former consent.State
	}{
		"in force":    {time.Hour, consent.Renewed, consent.Invalidated},
		"the last ms": {12*time.Hour - 18*time.Minute, consent.Renewed, consent.Invalidated},
		"run out":     {13 * time.Hour, consent.Given, consent.ExpiredOver},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
			db := storetest.SQLite(t, func() time.Time { return now })
			w := &writer{ctx: t.Context(), keys: consent.NewKeys(), now: &now}
			w.l = consent.New(db, w.keys, consent.DevelopmentRegistry(), func() time.Time { return now })
			w.decide("ana", "p", "assist", consent.ThisVisit)
			now = now.Add(c.wait)
			d := w.decide("ana", "p", "assist", consent.ForATerm)
			if w.err != nil {
				t.Fatal(w.err)
			}
			r, err := consent.VerifyReceiptAt(d.Receipt, w.keys.JWKS(), now)
			if err != nil || r.Record.Event.State != string(c.logged) {
				t.Errorf("logged as %q, %v", r.Record.Event.State, err)
			}
			x, err := sqlstore.OpenEvidence(t.Context(), db.Place(), sqlstore.WithKeyring(db.Keyring()))
			if err != nil {
				t.Fatal(err)
			}
			defer x.Close()
			err = x.Kept(t.Context(), func(k consent.Kept) error {
				if k.Index == 0 && k.Decided.State != string(c.former) {
					t.Errorf("the former one is %q", k.Decided.State)
				}
				return nil
			})
			if a, err2 := w.l.Admit(t.Context(), consent.Scope{Installation: w.keys.Installation("p"), Store: "shop"}); err != nil || err2 != nil || len(a.Grants) != 1 {
				t.Errorf("%+v, %v, %v", a.Grants, err, err2)
			}
		})
	}
}
