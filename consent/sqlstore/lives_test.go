// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
)

const day = 24 * time.Hour

// proofLife is how long the proof of consent is kept in this test, after the last that happened to it.
const proofLife = 100 * day

// life is how long a kind of row is kept: the figures that were promised, not the constants that they are kept by.
type life struct {
	table string
	what  string         // which of its rows, where there are several kinds
	set   map[string]any // what makes it one of them
	from  []string       // the columns that its life is counted from
	lasts time.Duration  // longer than this, it goes
	stays string         // or why it does not
	last  bool           // or it goes with the last that is kept of somebody, and has no time of its own
}

var lives = []life{
	// For a day: what servers tell each other and the world outside, and what comes with a request.
	{table: "feed", from: []string{"entered_at"}, lasts: day},
	{table: "outbox", from: []string{"entered_at"}, lasts: day},
	{table: "webhook", what: "waiting", set: row{"state": "waiting"}, from: []string{"happened"}, lasts: day},
	{table: "webhook", what: "dead", set: row{"state": "dead"}, from: []string{"happened"}, lasts: day},
	{table: "alert", what: "settled", set: row{"final": 1}, from: []string{"changed_at"}, lasts: day},
	{table: "alert", what: "that nobody settled", set: row{"final": 0}, from: []string{"changed_at"}, lasts: day},
	{table: "alert_key", from: []string{"entered_at"}, lasts: day},
	{table: "booking", from: []string{"due_at"}, lasts: day},
	{table: "ending", what: "of a session", set: row{"kind": "session"}, from: []string{"ended_at"}, lasts: day},
	{table: "motion", from: []string{"moved_at"}, lasts: day},
	// For as long as it is of use.
	{table: "served", from: []string{"expires_at"}},
	{table: "node", from: []string{"polled_at"}, lasts: time.Minute},
	{table: "duty", from: []string{"until"}, lasts: time.Minute},
	{table: "sign_in", from: []string{"ends_at"}},
	{table: "zone_part", from: []string{"opened_at"}, lasts: 15*time.Minute + 10*time.Second},
	{table: "zone_window", from: []string{"opened_at"}, lasts: 28 * day},
	{table: "zone_band", from: []string{"opened_at"}, lasts: 28 * day},
	// To answer for it.
	{table: "stay", from: []string{"opened_at"}, lasts: 8 * day},
	{table: "look", from: []string{"opened_at"}, lasts: 90 * day},
	{table: "refused_read", from: []string{"refused_at"}, lasts: 90 * day},
	{table: "erasure", what: "that is done", from: []string{"done_at"}, lasts: 90 * day},
	{table: "erasure", what: "that was begun", set: row{"done_at": 0}, stays: "it has to be finished, however late"},
	{table: "hold", from: []string{"until"}, lasts: 3 * 366 * day},
	{table: "disclosure", from: []string{"at"}, lasts: 3 * 366 * day},
	{table: "store_change", from: []string{"changed_at"}, lasts: 3 * 366 * day},
	{table: "notice", what: "with who published it", from: []string{"kept_at"}, lasts: 3 * 366 * day},
	{table: "app_suspension", what: "with who lifted it", from: []string{"since"}, lasts: 3 * 366 * day},
	// What proves consent.
	{table: "record", what: "just decided", set: row{"live": 0, "ended_at": 0}, from: []string{"decided_at"}, lasts: proofLife},
	{table: "record", what: "just ended", set: row{"live": 0}, from: []string{"ended_at"}, lasts: proofLife},
	{table: "record", what: "in force", set: row{"live": 1, "subject": "c1", "installation": "c2", "store": "shop"}, stays: "it is what processing rests on"},
	{table: "ending", what: "of all consent", set: row{"kind": "all"}, from: []string{"ended_at"}, lasts: proofLife},
	{table: "ending", what: "of a grant", set: row{"kind": "grant"}, from: []string{"ended_at"}, lasts: proofLife},
	{table: "ending", what: "of a store's grants", set: row{"kind": "store"}, from: []string{"ended_at"}, lasts: proofLife},
	{table: "stop_token", from: []string{"given_at"}, lasts: proofLife},
	{table: "proof", from: []string{"until"}},
	// Who they are, of whom any of this is.
	{table: "scope", what: "with a decision", set: row{"subject": "c1", "installation": "c2", "store": "shop"}, stays: "its epoch is what says who is in force"},
	{table: "person", what: "who decided", set: row{"handle": "c1"}, stays: "the decision is theirs"},
	{table: "person", what: "whose phone it is", set: row{"handle": "c2"}, stays: "the decision was made on it"},
	{table: "scope", what: "with nothing in it", set: row{"subject": "d1", "installation": "d2"}, last: true},
	{table: "person", what: "of whom nothing is kept", set: row{"handle": "d1"}, last: true},
	{table: "person", what: "on whose phone nothing was", set: row{"handle": "d2"}, last: true},
	// What is about nobody.
	{table: "leaf", stays: "the log only grows, and names nobody"},
	{table: "loghash", stays: "the log only grows, and names nobody"},
	{table: "notice", set: row{"by_whom": ""}, stays: "what was shown has to be told for as long as the log lasts"},
	{table: "tally", stays: "a number of a day, published"},
	{table: "app_suspension", set: row{"lifted_by": ""}, stays: "an app is no person; its next suspension replaces it"},
	{table: "store_map", stays: "a store's"},
	{table: "store_setting", stays: "a store's"},
	{table: "counter", stays: "the ledger's own"},
	{table: "setting", stays: "the ledger's own"},
	{table: "lease", stays: "the ledger's own: one row, whoever has it"},
	{table: "goose_db_version", stays: "the ledger's own"},
}

type row = map[string]any

func (l life) String() string { return strings.TrimSpace(l.table + " " + l.what) }

// Every kind of row goes when its time is over and no earlier, in both databases. A table that is not on the list fails.
func TestEverythingGoesOnItsDay(t *testing.T) {
	for name, d := range map[string]struct {
		open   func(testing.TB, func() time.Time) *sqlstore.DB
		tables string
	}{
		"sqlite":   {storetest.SQLite, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`},
		"postgres": {storetest.Postgres, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`},
	} {
		t.Run(name, func(t *testing.T) {
			now := time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC)
			a := aged{t, d.open(t, func() time.Time { return now }), 0}
			known := map[string]bool{}
			for _, l := range lives {
				known[l.table] = true
			}
			if tables := a.column(d.tables); !slices.Equal(tables, slices.Sorted(maps.Keys(known))) {
				t.Fatalf("the tables are %q: say of each how long its rows live, or why they stay", tables)
			}
			gone, left := map[string]string{}, map[string]string{} // by what it is, how to count it
			for _, l := range lives {
				switch {
				case l.table == "goose_db_version":
				case l.stays != "":
					left[l.String()] = a.put(l, time.UnixMicro(1))
				case l.last:
					gone[l.String()] = a.put(l, time.UnixMicro(1))
				default:
					gone[l.String()] = a.put(l, now.Add(-l.lasts-time.Microsecond))
					left[l.String()+", to the last moment"] = a.put(l, now.Add(-l.lasts))
				}
			}
			for what, query := range joined(gone, left) {
				a.wants(what, query, 1)
			}
			if err := a.db.Prune(t.Context(), now, proofLife); err != nil {
				t.Fatal(err)
			}
			for what, query := range gone {
				a.wants(what, query, 0)
			}
			for what, query := range left {
				a.wants(what, query, 1)
			}
		})
	}
}

func joined(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

// aged puts rows into a ledger that are as old as they are said to be.
type aged struct {
	*testing.T
	db *sqlstore.DB
	n  int64
}

// put writes a row whose life began at a time, and whatever else it says of time lies before that. The query that it
// returns counts it.
func (a *aged) put(l life, from time.Time) string {
	a.Helper()
	a.n++
	kinds := a.kinds(l.table)
	columns := slices.Sorted(maps.Keys(kinds))
	var values []any
	var marks, is []string
	for i, c := range columns {
		v, given := l.set[c]
		switch {
		case slices.Contains(l.from, c):
			v = from.UnixMicro()
		case given:
		case kinds[c] == "TEXT":
			v = fmt.Sprint("row ", a.n)
		default:
			v = a.n // as a time, long ago
		}
		values, marks = append(values, v), append(marks, fmt.Sprint("$", i+1))
		if text, ok := v.(string); ok {
			v = "'" + text + "'"
		}
		is = append(is, fmt.Sprint(c, " = ", v))
	}
	if _, err := a.db.Writer().Exec(`INSERT INTO `+l.table+` (`+strings.Join(columns, ", ")+`) VALUES (`+strings.Join(marks, ", ")+`)`, values...); err != nil {
		a.Fatalf("%s: %v", l, err)
	}
	return `SELECT COUNT(*) FROM ` + l.table + ` WHERE ` + strings.Join(is, " AND ")
}

// kinds are the columns of a table and what is in them.
func (a *aged) kinds(table string) map[string]string {
	a.Helper()
	rows, err := a.db.Reader().Query(`SELECT * FROM ` + table + ` WHERE 1 = 0`)
	if err != nil {
		a.Fatal(err)
	}
	defer rows.Close()
	types, err := rows.ColumnTypes()
	if err != nil {
		a.Fatal(err)
	}
	out := map[string]string{}
	for _, c := range types {
		out[c.Name()] = c.DatabaseTypeName()
	}
	return out
}

func (a *aged) column(query string) (out []string) {
	a.Helper()
	rows, err := a.db.Reader().Query(query)
	if err != nil {
		a.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			a.Fatal(err)
		}
		out = append(out, v)
	}
	if err := rows.Err(); err != nil {
		a.Fatal(err)
	}
	return out
}

func (a *aged) wants(what, query string, want int) {
	a.Helper()
	var n int
	if err := a.db.Reader().QueryRow(query).Scan(&n); err != nil && err != sql.ErrNoRows {
		a.Fatalf("%s: %v", what, err)
	}
	if n != want {
		a.Errorf("%s: there are %d, want %d", what, n, want)
	}
}
