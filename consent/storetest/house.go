// SPDX-License-Identifier: Apache-2.0

// Package storetest is the contract of a ledger's store: the tests that every one of them runs.
package storetest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking"
)

// Store is what a deployment needs of its database.
type Store interface {
	consent.Store
	tracking.AlertStore
	tracking.Outside
	Bookings
}

// Bookings are what a retailer has booked; see sqlstore.
type Bookings interface {
	KeepBookings(ctx context.Context, store string, list []tracking.Booking, by string) (changed int64, err error)
	CancelBookings(ctx context.Context, store string, refs []string, by string) (cancelled int64, err error)
}

// Open opens an empty store that reads the time from now, and sees to its closing.
type Open func(t *testing.T, now func() time.Time) Store

// Run runs the whole contract.
func Run(t *testing.T, open Open) {
	for _, group := range []struct {
		name  string
		cases map[string]func(*testing.T, *house)
	}{
		{"decide", decideCases}, {"end", endCases}, {"race", raceCases}, {"alert", alertCases}, {"booking", bookingCases}, {"outside", outsideCases}, {"feed", feedCases}, {"journal", journalCases}, {"notice", noticeCases}, {"tally", tallyCases}, {"counts", countCases}, {"retention", retentionCases},
	} {
		for name, f := range group.cases {
			t.Run(group.name+"/"+name, func(t *testing.T) { f(t, newHouse(t, open)) })
		}
	}
}

// house is an empty ledger with a clock that is set by hand.
type house struct {
	*testing.T
	store  Store
	ledger *consent.Ledger
	keys   consent.Keys
	clock  *clock
	ctx    context.Context
}

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newHouse(t *testing.T, open Open) *house {
	c := &clock{t: time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC)}
	h := &house{T: t, store: open(t, c.now), keys: consent.NewKeys(), clock: c, ctx: t.Context()}
	h.ledger = consent.New(h.store, h.keys, consent.DevelopmentRegistry(), c.now)
	return h
}

// phone is one installation of one shopper in one store.
type phone struct {
	subject, installation consent.Ref
	store                 string
}

func (h *house) phone(sub, thumbprint, store string) phone {
	return phone{h.keys.Subject(sub), h.keys.Installation(thumbprint), store}
}

func (p phone) scope() consent.Scope {
	return consent.Scope{Installation: p.installation, Store: p.store}
}

// ask prompts as if the shopper had opened the notice.
func (h *house) ask(p phone, purpose string) consent.Prompt {
	h.Helper()
	r := consent.PromptRequest{
		Subject: p.subject, Installation: p.installation, App: "app", Store: p.store, Purpose: purpose, Lang: "en", AgeBand: "18+", Opened: true,
	}
	return must(h.ledger.Prompt(h.ctx, r))(h)
}

func answer(p phone, q consent.Prompt, c consent.Choice) consent.DecisionRequest {
	return consent.DecisionRequest{
		ServedID: q.ServedID, Hash: q.Notice.Hash, Choice: c, Control: "button", Digest: q.Digest,
		Subject: p.subject, Installation: p.installation, Store: p.store, Purpose: q.Purpose,
	}
}

// decide prompts and answers.
func (h *house) decide(p phone, purpose string, c consent.Choice) consent.Decision {
	h.Helper()
	return must(h.ledger.Decide(h.ctx, answer(p, h.ask(p, purpose), c)))(h)
}

func (h *house) admit(p phone) consent.Admission {
	h.Helper()
	return must(h.ledger.Admit(h.ctx, p.scope()))(h)
}

func (h *house) end(r consent.EndRequest) consent.Ending {
	h.Helper()
	if r.ID == "" {
		r.ID = uuid.NewString()
	}
	if r.Reason == "" {
		r.Reason = consent.Withdrawn
	}
	return must(h.ledger.End(h.ctx, r))(h)
}

// endVisit ends the current session as the fence does.
func (h *house) endVisit(p phone, keepRequest bool) consent.Ending {
	h.Helper()
	return h.end(consent.EndRequest{
		Kind: consent.EndSession, Scope: p.scope(), Visit: h.admit(p).Visit, Reason: "left_store", KeepRequest: keepRequest,
	})
}

func (h *house) raise(p phone, id string, kind tracking.AlertKind) tracking.Alert {
	h.Helper()
	a, merged, err := h.store.RaiseAlert(h.ctx, tracking.Alert{ID: id, Store: p.store, Visit: h.admit(p).Visit, Kind: kind, Purpose: "assist"})
	if err != nil || merged {
		h.Fatalf("raising %s: merged %v, error %v", id, merged, err)
	}
	return a
}

// alert reads one back, among those open and just ended.
func (h *house) alert(store, id string) tracking.Alert {
	h.Helper()
	list, _, err := h.store.Alerts(h.ctx, store)
	if err != nil {
		h.Fatal(err)
	}
	for _, a := range list {
		if a.ID == id {
			return a
		}
	}
	h.Fatalf("alert %s is not listed among %d", id, len(list))
	return tracking.Alert{}
}

// feed reads everything after since, as a node of its own.
func (h *house) feed(since int64) []consent.Entry {
	h.Helper()
	h.ok(h.store.Join(h.ctx, "reader"))
	var out []consent.Entry
	for more := true; more; {
		f := must(h.store.Poll(h.ctx, "reader", since))(h)
		out, since, more = append(out, f.Entries...), f.Change, f.More
	}
	h.ok(h.store.Leave(h.ctx, "reader"))
	return out
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *house) wants(err, target error) {
	h.Helper()
	if !errors.Is(err, target) {
		h.Fatalf("got error %v, want %v", err, target)
	}
}

func (h *house) equal(what string, got, want any) {
	h.Helper()
	if got != want {
		h.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func (h *house) same(want, got any) {
	h.Helper()
	if d := cmp.Diff(want, got); d != "" {
		h.Fatalf("it differs:\n%s", d)
	}
}

// must hands on a value, or fails.
func must[T any](v T, err error) func(*house) T {
	return func(h *house) T {
		h.Helper()
		if err != nil {
			h.Fatal(err)
		}
		return v
	}
}

func purposes(a consent.Admission) string {
	s := ""
	for _, g := range a.Grants {
		s += g.Purpose + " "
	}
	return s
}
