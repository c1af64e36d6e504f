// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
)

// many is how many people a large retailer's ledger knows.
const many = 100_000

// BenchmarkSweep is what a minute's pruning costs where many people are known: while all of them have a grant, of which nothing is to be
// forgotten; and once nothing else is kept of them, so that each sweep forgets as many as it may.
func BenchmarkSweep(b *testing.B) {
	for _, c := range []struct {
		name   string
		tables []string // in which each of them has a row
	}{
		{"granted", []string{"record", "stop_token", "scope", "ending"}}, {"strangers", []string{"scope"}},
	} {
		l := newTimed(b, filepath.Join(b.TempDir(), "ledger.db"))
		l.multiply(b, many, c.tables...)
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := l.Prune(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
		// What a shopper waits for while the ledger is swept without a pause.
		b.Run(c.name+"/grant", func(b *testing.B) {
			stop, stopped := make(chan struct{}), make(chan error)
			go func() {
				for {
					select {
					case <-stop:
						close(stopped)
						return
					default:
					}
					if err := l.Prune(b.Context()); err != nil {
						stopped <- err
						return
					}
				}
			}()
			var took []time.Duration
			for b.Loop() {
				began := time.Now()
				if err := l.newcomer().grant(b.Context(), l.Ledger); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(began))
			}
			close(stop)
			if err := <-stopped; err != nil {
				b.Fatal(err)
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "max-ms")
		})
	}
}

// multiply writes down so many people with what the first has in some tables, each under handles of their own. Nobody can be found by them:
// a sweep asks only who is where.
func (l *timed) multiply(b *testing.B, people int, tables ...string) {
	b.Helper()
	p := l.newcomer()
	err := p.grant(b.Context(), l.Ledger)
	if err == nil {
		_, err = l.End(b.Context(), consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn})
	}
	if err == nil {
		err = p.grant(b.Context(), l.Ledger)
	}
	if err != nil {
		b.Fatal(err)
	}
	const handle = `printf('%%08x%%023x%d', (n.i * 2654435761) & 4294967295, n.i)` // in no order, as random ones
	own := map[string]string{
		"subject": fmt.Sprintf(handle, 0), "installation": fmt.Sprintf(handle, 1),
		"id": `'copy ' || n.i`, "hash": `'copy ' || n.i`, "visit": `'copy ' || n.i`,
	}
	copies := func(table, which string, own map[string]string) {
		b.Helper()
		rows, err := l.db.Reader().Query(`SELECT * FROM ` + table + ` LIMIT 0`)
		if err != nil {
			b.Fatal(err)
		}
		columns, err := rows.Columns()
		if err == nil {
			err = rows.Close()
		}
		for i, c := range columns {
			if other, ok := own[c]; ok {
				columns[i] = other
			}
		}
		if err == nil {
			_, err = l.db.Writer().Exec(`INSERT INTO `+table+` WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
				SELECT `+strings.Join(columns, ", ")+` FROM n, (SELECT * FROM `+table+` `+which+` LIMIT 1)`, people)
		}
		if err != nil {
			b.Fatalf("%s: %v", table, err)
		}
	}
	for i, kind := range []string{"subject", "installation"} {
		copies("person", `WHERE kind = '`+kind+`'`, map[string]string{"lookup": fmt.Sprintf(`'%d ' || n.i`, i), "handle": fmt.Sprintf(handle, i)})
	}
	for _, table := range tables {
		which := ""
		if table == "record" {
			which = "WHERE live = 1"
		}
		copies(table, which, own)
	}
}
