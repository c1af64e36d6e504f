// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
	"doorstep/tracking"
)

// eachDatabase runs a test over both databases, each with the address of an empty ledger.
func eachDatabase(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, filepath.Join(t.TempDir(), "ledger.db")) })
	t.Run("postgres", func(t *testing.T) { f(t, storetest.PostgresURL(t)) })
}

var errInjected = errors.New("the line went dead")

// fault fails one statement: the one that is at after that many others.
type fault struct {
	at, seen int
	applied  bool // it is carried out, and reported as failed all the same
	hit      string
}

func (f *fault) gate() gate {
	fail := func(here bool) func(string) error {
		return func(statement string) error {
			if here != f.applied || statement == "ROLLBACK" {
				return nil
			}
			if f.seen++; f.seen-1 != f.at {
				return nil
			}
			f.hit = statement
			return errInjected
		}
	}
	return gate{before: fail(false), after: fail(true)}
}

// scene is a shopper on a visit, with a request for help, and a colleague who looks.
type scene struct {
	db    *sqlstore.DB
	l     *consent.Ledger
	p     person
	visit string
	alert string
	q     consent.Prompt
	id    string // of the end, or the key of the change
}

type faultedWrite struct {
	do   func(context.Context, *scene) error
	done func(before, after string) error // what must be to be seen of it
}

// faulted are the writes of which every statement is failed once in each way. Each is repeated under its own id after
// that, and must then have happened once.
var faulted = map[string]faultedWrite{
	"decide": {
		do: func(ctx context.Context, s *scene) error {
			_, err := s.l.Decide(ctx, s.p.answer(s.q, consent.ForATerm))
			return err
		},
		done: differs,
	},
	"end all": {
		do: func(ctx context.Context, s *scene) error {
			_, err := s.l.End(ctx, consent.EndRequest{ID: s.id, Kind: consent.EndAll, Subject: s.p.subject, Reason: consent.Withdrawn})
			return err
		},
		done: differs,
	},
	"end session": {
		do: func(ctx context.Context, s *scene) error {
			_, err := s.l.End(ctx, consent.EndRequest{ID: s.id, Kind: consent.EndSession, Scope: s.p.scope(), Visit: s.visit, Reason: consent.Lost, KeepRequest: true})
			return err
		},
		done: differs,
	},
	"raise": {
		do: func(ctx context.Context, s *scene) error {
			_, _, err := s.db.RaiseAlert(ctx, tracking.Alert{ID: s.id, Store: "shop", Visit: s.visit, Kind: tracking.Arrived, Purpose: "assist"})
			return err
		},
		done: same, // another alert than the one that is looked at
	},
	"claim": {
		do: func(ctx context.Context, s *scene) error {
			return claim(ctx, s.db, s.alert, s.id)
		},
		done: differs,
	},
}

func differs(before, after string) error {
	if before == after {
		return errors.New("nothing of it is to be seen")
	}
	return nil
}

func same(before, after string) error {
	if before != after {
		return fmt.Errorf("it changed what it must not: %s", after)
	}
	return nil
}

// set sets the scene anew, with another shopper.
func (s *scene) set(ctx context.Context) (err error) {
	s.p, s.alert, s.id = shopper(s.l.Keys(), uuid.NewString()), uuid.NewString(), uuid.NewString()
	if err := s.p.grant(ctx, s.l); err != nil {
		return err
	}
	a, err := s.l.Admit(ctx, s.p.scope())
	if err != nil {
		return err
	}
	s.visit = a.Visit
	if _, _, err = s.db.RaiseAlert(ctx, tracking.Alert{ID: s.alert, Store: "shop", Visit: s.visit, Kind: tracking.Help, Purpose: "assist"}); err != nil {
		return err
	}
	s.q, err = s.p.ask(ctx, s.l)
	return err
}

func (s *scene) seen(t *testing.T) string {
	t.Helper()
	text, err := seen(t.Context(), s.db, s.l, s.p, s.alert)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Whatever statement of a write fails, and whether it was carried out or not: the write is reported as unknown, it
// has happened wholly or not at all, and repeated under its id it has happened once.
func TestFaultAtEveryStatement(t *testing.T) {
	eachDatabase(t, func(t *testing.T, dsn string) {
		var g gate
		db := open(t, dsn, sqlstore.WithPools(g.wrap), sqlstore.WithKeyring(filepath.Join(t.TempDir(), "keyring.json")))
		s := &scene{db: db, l: consent.New(db, consent.NewKeys(), consent.DevelopmentRegistry(), time.Now)}
		for name, w := range faulted {
			for _, applied := range []bool{false, true} {
				if err := s.set(t.Context()); err != nil {
					t.Fatal(err)
				}
				before, points := s.seen(t), 0
				for ; ; points++ {
					f := &fault{applied: applied, at: points}
					g = f.gate()
					err := w.do(t.Context(), s)
					g = gate{}
					if f.hit == "" && err != nil {
						t.Fatalf("%s: without a fault: %v", name, err)
					}
					if f.hit == "" || s.happened(t, fmt.Sprintf("%s, %q failed (carried out: %v)", name, f.hit, applied), before, err, f, w) {
						break
					}
				}
				if err := w.done(before, s.seen(t)); err != nil || points < 4 {
					t.Errorf("%s, after %d faults: %v", name, points, err)
				}
				checkWhole(t, db)
			}
		}
	})
}

// happened looks at what a fault left behind. If it hid a success, it repeats the write and looks again.
func (s *scene) happened(t *testing.T, what, before string, err error, f *fault, w faultedWrite) bool {
	t.Helper()
	if !errors.Is(err, consent.ErrUnavailable) {
		t.Errorf("%s: reported as %v", what, err)
	}
	after := s.seen(t)
	if f.hit != "COMMIT" || !f.applied {
		if after != before {
			t.Errorf("%s: it has happened, by half at least\nbefore %s\nafter  %s", what, before, after)
		}
		return false
	}
	if err := w.done(before, after); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if err := w.do(t.Context(), s); err != nil {
		t.Errorf("%s: repeated: %v", what, err)
	}
	if now := s.seen(t); now != after {
		t.Errorf("%s: it happened twice\nafter the first  %s\nafter the second %s", what, after, now)
	}
	return true
}
