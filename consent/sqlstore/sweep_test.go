// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"context"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/consent/sqlstore"
)

// growing are the tables that may have a row for each of very many people.
var growing = []string{"alert", "ending", "feed", "look", "outbox", "person", "record", "scope", "stay", "stop_token", "webhook"}

// swept is a SQLite ledger whose statements by which it is written to are kept.
func swept(t *testing.T) (a aged, sweep func() (statements []string)) {
	var statements []string
	g := &gate{before: func(s string) error { statements = append(statements, s); return nil }}
	a = aged{t, open(t, filepath.Join(t.TempDir(), "ledger.db"), sqlstore.WithPools(g.wrap)), 0}
	return a, func() []string {
		statements = nil
		if err := a.db.Prune(t.Context(), time.Now(), proofLife); err != nil {
			t.Fatal(err)
		}
		return statements
	}
}

// While it is pruned, nobody else can write: no statement reads a table whole that may have many rows.
func TestASweepReadsNoLargeTableWhole(t *testing.T) {
	a, sweep := swept(t)
	for _, l := range lives {
		if l.table != "goose_db_version" {
			a.put(l, time.UnixMicro(1))
		}
	}
	statements := sweep()
	for _, table := range growing {
		if !slices.ContainsFunc(statements, func(s string) bool { return strings.Contains(s, "DELETE FROM "+table+" ") }) {
			t.Errorf("nothing of %s was deleted", table)
		}
	}
	value, whole := regexp.MustCompile(`\$\d`), regexp.MustCompile(`^SCAN (`+strings.Join(growing, "|")+`)\b`)
	slices.Sort(statements)
	for _, s := range slices.Compact(statements) {
		if !strings.HasPrefix(s, "DELETE") && !strings.HasPrefix(s, "SELECT") && !strings.HasPrefix(s, "UPDATE") {
			continue
		}
		for _, step := range plan(t, a.db, value.ReplaceAllString(s, "1")) {
			if whole.MatchString(step) {
				t.Errorf("%s\n\t%s", step, s)
			}
		}
	}
}

// plan is how SQLite would go about a statement.
func plan(t *testing.T, db *sqlstore.DB, statement string) (steps []string) {
	t.Helper()
	rows, err := db.Writer().QueryContext(context.Background(), `EXPLAIN QUERY PLAN `+statement)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}

// However many rows go, all of them do, and others have their turn in between.
func TestALargeSweepGivesWay(t *testing.T) {
	a, sweep := swept(t)
	const rows, atOnce = 1100, 500
	if _, err := a.db.Writer().Exec(`INSERT INTO outbox (change, kind, store, subject, epoch, entered_at, body)
		WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) SELECT i, 'end', 'shop', '', 1, i, '' FROM n`, rows); err != nil {
		t.Fatal(err)
	}
	gone, together := 0, 0
	for _, s := range sweep() {
		switch {
		case s == "COMMIT":
			together = 0
		case strings.HasPrefix(s, "DELETE FROM outbox"):
			gone, together = gone+1, together+1
		}
		if together > atOnce {
			t.Fatalf("more than %d rows go in one transaction", atOnce)
		}
	}
	if gone != rows {
		t.Errorf("%d rows went, want %d", gone, rows)
	}
	a.wants("what is left", `SELECT COUNT(*) FROM outbox`, 0)
}
