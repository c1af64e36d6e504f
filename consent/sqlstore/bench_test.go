// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
)

// commits counts the transactions that reach the disk, at the driver.
type commits struct{ atomic.Int64 }

func (c *commits) gate() *gate {
	return &gate{after: func(statement string) error {
		if statement == "COMMIT" {
			c.Add(1)
		}
		return nil
	}}
}

// timed is a ledger of which each commit is counted.
type timed struct {
	*consent.Ledger
	db      *sqlstore.DB
	commits commits
	people  int
}

func newTimed(t testing.TB, dsn string) *timed {
	l := &timed{}
	l.db = open(t, dsn, sqlstore.WithKeyring(filepath.Join(t.TempDir(), "keyring.json")), sqlstore.WithPools(l.commits.gate().wrap))
	l.Ledger = consent.New(l.db, consent.NewKeys(), consent.DevelopmentRegistry(), time.Now)
	return l
}

// newcomer is somebody whom the ledger does not know.
func (l *timed) newcomer() person {
	l.people++
	return shopper(l.Keys(), fmt.Sprint("newcomer ", l.people))
}

// databases are an address of each.
func databases(t testing.TB) map[string]func() string {
	return map[string]func() string{
		"sqlite":   func() string { return filepath.Join(t.TempDir(), "ledger.db") },
		"postgres": func() string { return storetest.PostgresURL(t) },
	}
}

// BenchmarkRawCommit is the cheapest durable transaction there is, one row and one sync, by the ledger's own connection
// and without the ledger: what BenchmarkLedger is to be held against, in the same run.
func BenchmarkRawCommit(b *testing.B) {
	for name, dsn := range databases(b) {
		b.Run(name, func(b *testing.B) {
			l := newTimed(b, dsn())
			if err := l.db.Join(b.Context(), "n1"); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				tx, err := l.db.Writer().Begin()
				if err == nil {
					_, err = tx.Exec(`UPDATE node SET acked = acked + 1`)
				}
				if err == nil {
					err = tx.Commit()
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLedger is what shoppers wait for: a grant from the prompt to the receipt, the decision of it, the global
// stop, and the question whether somebody may be let in.
func BenchmarkLedger(b *testing.B) {
	for name, dsn := range databases(b) {
		b.Run(name, func(b *testing.B) {
			l := newTimed(b, dsn())
			for _, step := range []struct {
				name string
				do   func(*testing.B, *timed, person) func() error // makes ready, and returns what is measured
			}{
				{"grant", func(b *testing.B, l *timed, p person) func() error {
					return func() error { return p.grant(b.Context(), l.Ledger) }
				}},
				{"decision", func(b *testing.B, l *timed, p person) func() error {
					q, err := p.ask(b.Context(), l.Ledger)
					if err != nil {
						b.Fatal(err)
					}
					return func() error { _, err := l.Decide(b.Context(), p.answer(q, consent.ForATerm)); return err }
				}},
				{"withdrawal", func(b *testing.B, l *timed, p person) func() error {
					if err := p.grant(b.Context(), l.Ledger); err != nil {
						b.Fatal(err)
					}
					r := consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn}
					return func() error { _, err := l.End(b.Context(), r); return err }
				}},
				{"admission", func(b *testing.B, l *timed, p person) func() error {
					if err := p.grant(b.Context(), l.Ledger); err != nil {
						b.Fatal(err)
					}
					return func() error { _, err := l.Admit(b.Context(), p.scope()); return err }
				}},
			} {
				b.Run(step.name, func(b *testing.B) {
					reached := int64(0)
					for b.Loop() {
						b.StopTimer()
						do := step.do(b, l, l.newcomer())
						before := l.commits.Load()
						b.StartTimer()
						if err := do(); err != nil {
							b.Fatal(err)
						}
						reached += l.commits.Load() - before
					}
					b.ReportMetric(float64(reached)/float64(b.N), "commits/op")
				})
			}
		})
	}
}

// A grant is two commits from the prompt to the receipt, a withdrawal one, on either database; and an admission none.
func TestCommits(t *testing.T) {
	for name, dsn := range databases(t) {
		t.Run(name, func(t *testing.T) {
			l := newTimed(t, dsn())
			ctx := t.Context()
			if err := l.newcomer().grant(ctx, l.Ledger); err != nil { // so that nothing is there for the first time
				t.Fatal(err)
			}
			p := l.newcomer()
			for _, step := range []struct {
				name string
				want int64
				do   func() error
			}{
				{"grant", 2, func() error { return p.grant(ctx, l.Ledger) }},
				{"admission", 0, func() error { _, err := l.Admit(ctx, p.scope()); return err }},
				{"withdrawal", 1, func() error {
					_, err := l.End(ctx, consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn})
					return err
				}},
			} {
				before, counted := l.commits.Load(), l.db.Commits()
				if err := step.do(); err != nil {
					t.Fatalf("%s: %v", step.name, err)
				}
				if n := l.commits.Load() - before; n != step.want || l.db.Commits()-counted != n {
					t.Errorf("%s: %d commits, not %d; the ledger counts %d", step.name, n, step.want, l.db.Commits()-counted)
				}
			}
		})
	}
}
