// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"path/filepath"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
)

// An incident's question is answered from beside a running server: who was there at any moment of a span, under
// pseudonyms, to the minute; and for eight days.
func TestWhoWasThereInASpan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	now := time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC)
	db, err := sqlstore.Open(t.Context(), path, sqlstore.WithClock(func() time.Time { return now }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	keys := consent.NewKeys()
	l := consent.New(db, keys, consent.DevelopmentRegistry(), func() time.Time { return now })
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	exposed := func(store string, from, to time.Time) (consent.Exposure, error) {
		e, err := sqlstore.OpenEvidence(t.Context(), path, sqlstore.WithClock(func() time.Time { return now }))
		if err != nil {
			return consent.Exposure{}, err
		}
		defer e.Close()
		return e.Exposed(t.Context(), store, from, to)
	}
	count := func(what, store string, from, to time.Time, visits, views int) {
		t.Helper()
		x, err := exposed(store, from, to)
		ok(err)
		if len(x.Visits) != visits || len(x.Views) != views {
			t.Errorf("%s: %d visits and %d views, want %d and %d", what, len(x.Visits), len(x.Views), visits, views)
		}
	}
	scope := consent.Scope{Installation: keys.Installation("phone"), Store: "shop"}
	subject := keys.Subject("ana")
	q, err := l.Prompt(t.Context(), consent.PromptRequest{Subject: subject, Installation: scope.Installation, App: "app", Store: "shop", Purpose: "assist",
		Lang: "en", AgeBand: "18+", Opened: true})
	ok(err)
	_, err = l.Decide(t.Context(), consent.DecisionRequest{ServedID: q.ServedID, Hash: q.Notice.Hash, Choice: consent.ForATerm, Control: "button",
		Digest: q.Digest, Subject: subject, Installation: scope.Installation, Store: "shop", Purpose: "assist"})
	ok(err)
	a, err := l.Admit(t.Context(), scope)
	ok(err)
	began := now
	ok(l.Enter(t.Context(), consent.Entered{Scope: scope, Epoch: a.Epoch, Purposes: []string{"assist"}}))
	ok(l.Enter(t.Context(), consent.Entered{Scope: scope, Epoch: a.Epoch, Purposes: []string{"assist"}})) // the app comes back
	now = now.Add(time.Minute)
	ok(l.OpenView(t.Context(), consent.View{ID: "v1", Store: "shop", Visit: a.Visit, Reader: "s1", Role: "floor", Purpose: "assist", Fields: []string{"position"}}))
	now = now.Add(time.Minute)
	ok(l.CloseView(t.Context(), "v1", now, 7))
	now = now.Add(7 * time.Minute)
	_, err = l.End(t.Context(), consent.EndRequest{ID: "01890a5d-ac96-774b-bcce-b302099a8057", Kind: consent.EndSession, Scope: scope, Visit: a.Visit, Reason: "left_store"})
	ok(err)
	minute := began.Truncate(time.Minute)
	count("before it", "shop", minute.Add(-time.Hour), minute, 0, 0)
	count("its first minute", "shop", minute.Add(-time.Hour), minute.Add(time.Second), 1, 0)
	count("while somebody looked", "shop", began.Add(90*time.Second), began.Add(91*time.Second), 1, 1)
	count("after that", "shop", began.Add(3*time.Minute), began.Add(4*time.Minute), 1, 0)
	count("in another store", "annex", began.Add(90*time.Second), began.Add(91*time.Second), 0, 0)
	count("in any store", "", began.Add(90*time.Second), began.Add(91*time.Second), 1, 1)
	count("its last minute", "shop", minute.Add(9*time.Minute+59*time.Second), minute.Add(time.Hour), 1, 0)
	count("after it", "shop", minute.Add(10*time.Minute), minute.Add(time.Hour), 0, 0)
	x, err := exposed("", began, now)
	ok(err)
	for _, v := range x.Visits {
		if v.Visit == a.Visit || v.Shopper == string(subject) || v.Shopper == "" || v.From.Second() != 0 || v.To.Second() != 0 {
			t.Errorf("told too exactly, or by a name that is known outside: %+v", v)
		}
	}
	now = minute.Add(consent.EnteredLife)
	ok(l.Prune(t.Context()))
	count("on the eighth day", "shop", began, began.Add(time.Minute), 1, 0)
	now = now.Add(time.Second)
	ok(l.Prune(t.Context()))
	count("after it", "shop", began, began.Add(time.Minute), 0, 0)
}
