// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"flag"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
)

var auditedLeaves = flag.Int("audited-leaves", 2000, "decisions in the log of BenchmarkAudit")

// The audit of a whole ledger in a SQLite file, from opening it: every leaf, hash, record, seal and signature.
func BenchmarkAudit(b *testing.B) {
	now := time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC)
	path := filepath.Join(b.TempDir(), "ledger.db")
	db := open(b, path, sqlstore.WithClock(func() time.Time { return now }))
	w := &writer{ctx: b.Context(), keys: consent.NewKeys(), now: &now}
	w.l = consent.New(db, w.keys, consent.DevelopmentRegistry(), func() time.Time { return now })
	w.try(w.l.Bind(b.Context()))
	for i := range *auditedLeaves {
		who := fmt.Sprint("shopper ", i/3)
		w.decide(who, who, "assist", []consent.Choice{consent.No, consent.ThisVisit, consent.ForATerm}[i%3])
	}
	if w.err != nil {
		b.Fatal(w.err)
	}
	for b.Loop() {
		x, err := sqlstore.OpenEvidence(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		r, err := consent.Audit(b.Context(), x, w.keys, nil, now)
		if err != nil || len(r.Findings) > 0 || r.Decisions != *auditedLeaves {
			b.Fatalf("%+v, %v", r, err)
		}
		if err := x.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(*auditedLeaves)*float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
}
