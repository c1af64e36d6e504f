// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
)

type benchShopper struct{ subject, installation consent.Ref }

func (p benchShopper) ask(ctx context.Context, l *consent.Ledger) (consent.DecisionRequest, error) {
	q, err := l.Prompt(ctx, consent.PromptRequest{
		Subject: p.subject, Installation: p.installation, App: "app", Store: "shop", Purpose: "assist", Lang: "en", AgeBand: "adult", Opened: true,
	})
	return consent.DecisionRequest{
		ServedID: q.ServedID, Hash: q.Notice.Hash, Choice: consent.ForATerm, Control: "button", Digest: q.Digest,
		Subject: p.subject, Installation: p.installation, Store: "shop", Purpose: "assist",
	}, err
}

func (p benchShopper) grant(ctx context.Context, l *consent.Ledger) error {
	r, err := p.ask(ctx, l)
	if err == nil {
		_, err = l.Decide(ctx, r)
	}
	return err
}

// Decide, End and Admit beside the cheapest durable transaction there is: one updated row.
func BenchmarkLedger(b *testing.B) {
	db := openForTest(b, filepath.Join(b.TempDir(), "ledger.db"))
	k := consent.NewKeys()
	l := consent.New(db, k, consent.DevelopmentRegistry(), time.Now)
	ctx := b.Context()
	newcomer := func(i int) benchShopper {
		name := fmt.Sprint(b.Name(), i, uuid.NewString())
		return benchShopper{k.Subject(name), k.Installation(name)}
	}
	check := func(b *testing.B, err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	b.Run("commit", func(b *testing.B) {
		check(b, db.Join(ctx, "n1"))
		for i := int64(1); b.Loop(); i++ {
			check(b, db.Ack(ctx, "n1", i))
		}
		check(b, db.Leave(ctx, "n1"))
	})
	b.Run("decide", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			r, err := newcomer(i).ask(ctx, l)
			check(b, err)
			b.StartTimer()
			_, err = l.Decide(ctx, r)
			check(b, err)
		}
	})
	b.Run("end", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			p := newcomer(i)
			check(b, p.grant(ctx, l))
			r := consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn}
			b.StartTimer()
			_, err := l.End(ctx, r)
			check(b, err)
		}
	})
	b.Run("admit", func(b *testing.B) {
		p := newcomer(0)
		check(b, p.grant(ctx, l))
		for b.Loop() {
			_, err := l.Admit(ctx, consent.Scope{Installation: p.installation, Store: "shop"})
			check(b, err)
		}
	})
}
