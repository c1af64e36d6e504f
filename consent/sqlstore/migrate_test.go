// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
	"doorstep/tracking"
)

// bareDatabases are databases without tables.
func bareDatabases(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Run("sqlite", func(t *testing.T) { f(t, filepath.Join(t.TempDir(), "ledger.db")) })
	t.Run("postgres", func(t *testing.T) { f(t, storetest.PostgresBare(t)) })
}

// old is what a program with version 2 of the tables had written, acknowledged and answered.
type old struct {
	facts map[string]any
	keys  consent.Keys
	rows  []string
}

func readOld(t *testing.T) old {
	t.Helper()
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var o old
	if err := json.Unmarshal(read("version2.json"), &o.facts); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, read("version2.keys.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	var err error
	if o.keys, err = consent.LoadKeys(path); err != nil {
		t.Fatal(err)
	}
	o.rows = strings.Split(strings.TrimSpace(string(read("version2.sql"))), "\n")[1:]
	return o
}

func (o old) fact(name string) string { return o.facts[name].(string) }

// laterTables are those that a version did not have yet.
var laterTables = map[int64][]string{1: {"store_setting", "store_change"}, 2: nil}

// fill makes tables of a version and writes the old rows into them.
func (o old) fill(t *testing.T, dsn string, version int64) {
	t.Helper()
	if err := sqlstore.MigrateTo(t.Context(), dsn, version); err != nil {
		t.Fatal(err)
	}
	statements := []string{"DELETE FROM counter;", "DELETE FROM setting;"}
	for _, row := range o.rows {
		later := false
		for _, table := range laterTables[version] {
			later = later || strings.HasPrefix(row, "INSERT INTO "+table+" ")
		}
		if !later {
			statements = append(statements, row)
		}
	}
	if err := sqlstore.Exec(t.Context(), dsn, strings.Join(statements, "\n")); err != nil {
		t.Fatal(err)
	}
}

// Tables of every earlier version come forward with all that was acknowledged under it.
func TestEarlierVersionsComeForward(t *testing.T) {
	for version := range laterTables {
		bareDatabases(t, func(t *testing.T, dsn string) {
			o := readOld(t)
			o.fill(t, dsn, version)
			now, err := time.Parse(time.RFC3339, o.fact("now"))
			if err != nil {
				t.Fatal(err)
			}
			clock := func() time.Time { return now.Add(time.Minute / 2) }
			keyring := sqlstore.WithKeyring(filepath.Join(t.TempDir(), "keyring.json"))
			db := open(t, dsn, keyring, sqlstore.WithClock(clock))
			l := consent.New(db, o.keys, consent.DevelopmentRegistry(), clock)
			checkWhole(t, db)
			o.check(t, db, l, now)
			if err := l.Bind(t.Context()); err != nil {
				t.Error(err)
			}
			checkWhole(t, db)
		})
	}
}

func (o old) check(t *testing.T, db *sqlstore.DB, l *consent.Ledger, now time.Time) {
	t.Helper()
	ctx := t.Context()
	head, err := l.TreeHead(ctx)
	if err != nil || float64(head.Size) != o.facts["tree size"] || head.Root != o.facts["tree root"] {
		t.Errorf("the log is %+v, %v", head, err)
	}
	for name, grants := range map[string]string{"ana": "assist pickup", "ben": "", "cleo": "", "dan": "assist"} {
		a, err := db.Admit(ctx, shopper(o.keys, name).scope(), now) // whatever the registry has become since
		var has []string
		for _, g := range a.Grants {
			has = append(has, g.Purpose)
			if g.ID != o.fact(name+" "+g.Purpose+" record") {
				t.Errorf("%s: the grant for %s has another id", name, g.Purpose)
			}
		}
		if err != nil || strings.Join(has, " ") != grants {
			t.Errorf("%s may be tracked for %v, %v", name, has, err)
		}
	}
	ben := consent.EndRequest{ID: "0198c9a0-0000-7000-8000-00000000000c", Kind: consent.EndAll, Subject: shopper(o.keys, "ben").subject, Reason: consent.Withdrawn}
	if e, err := l.End(ctx, ben); err != nil || !e.Repeated || e.Receipt != o.fact("ben end receipt") {
		t.Errorf("ben's withdrawal is not known as it was: %+v, %v", e, err)
	}
	if who, err := l.SubjectOfStopToken(ctx, o.fact("cleo stop token")); err != nil || who != shopper(o.keys, "cleo").subject {
		t.Errorf("cleo's stop token is %s's, %v", who, err)
	}
	if views, err := l.Journal(ctx, shopper(o.keys, "ana").subject); err != nil || len(views) != 1 || views[0].Count != 7 || views[0].Team != "desk" {
		t.Errorf("who looked at ana: %+v, %v", views, err)
	}
	if stores, err := db.Stores(ctx); err != nil || len(stores) != 1 || stores[0].Version != "v1" {
		t.Errorf("the stores: %+v, %v", stores, err)
	}
	alerts, _, err := db.Alerts(ctx, "shop")
	if err != nil || len(alerts) != 1 || alerts[0].Version != 2 || alerts[0].Topic != "shoes" {
		t.Fatalf("the alerts: %+v, %v", alerts, err)
	}
	e, err := l.Stop(ctx, o.fact("ana stop token"), consent.EndRequest{ID: "0198c9a0-0000-7000-8000-00000000000e"})
	if err != nil || len(e.Ends) != 1 || len(e.Ends[0].Alerts) != 1 {
		t.Errorf("ana stops: %+v, %v", e, err)
	}
	if left, _, err := db.Alerts(ctx, "shop"); err != nil || len(left) != 1 || left[0].State != tracking.Gone {
		t.Errorf("ana's request after her stop: %+v, %v", left, err)
	}
}

// A program older than the tables is told so, and changes nothing.
func TestNewerTablesAreRefused(t *testing.T) {
	eachDatabase(t, func(t *testing.T, dsn string) {
		keyring := sqlstore.WithKeyring(filepath.Join(t.TempDir(), "keyring.json"))
		db, err := sqlstore.Open(t.Context(), dsn, keyring)
		if err == nil {
			err = db.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := sqlstore.Exec(t.Context(), dsn, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, TRUE)`); err != nil {
			t.Fatal(err)
		}
		db, err = sqlstore.Open(t.Context(), dsn, keyring)
		if !errors.Is(err, sqlstore.ErrNewer) || db != nil || !strings.Contains(err.Error(), "version 99") {
			t.Errorf("opened: %v", err)
		}
		if err := sqlstore.Exec(t.Context(), dsn, `DELETE FROM goose_db_version WHERE version_id = 99`); err != nil {
			t.Fatal(err)
		}
		open(t, dsn, keyring)
	})
}

// Processes that start at the same moment bring the tables up to date once, and all of them start.
func TestSeveralStartAtOnce(t *testing.T) {
	dsn, o := storetest.PostgresBare(t), readOld(t)
	o.fill(t, dsn, 2)
	keyring := sqlstore.WithKeyring(filepath.Join(t.TempDir(), "keyring.json"))
	const processes = 4
	var all sync.WaitGroup
	dbs := make([]*sqlstore.DB, processes)
	for i := range dbs {
		all.Go(func() {
			var err error
			if dbs[i], err = sqlstore.Open(t.Context(), dsn, keyring); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, db := range dbs {
		if db == nil {
			t.FailNow()
		}
		t.Cleanup(func() { _ = db.Close() })
	}
	var twice int
	err := dbs[0].Reader().QueryRow(`SELECT COUNT(*) FROM (SELECT version_id FROM goose_db_version GROUP BY version_id HAVING COUNT(*) > 1) x`).Scan(&twice)
	if err != nil || twice != 0 {
		t.Errorf("%d migrations ran twice, %v", twice, err)
	}
	for _, db := range dbs {
		a, err := db.Admit(t.Context(), shopper(o.keys, "ana").scope(), time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
		if err != nil || len(a.Grants) != 2 {
			t.Errorf("what one of them reads: %+v, %v", a, err)
		}
	}
}
