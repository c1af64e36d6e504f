// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstep/consent"
)

func openForTest(t testing.TB, path string) *DB {
	t.Helper()
	db, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// An acknowledged write has been synced: that is what these settings mean to SQLite.
func TestConnectionsAreSetForDurability(t *testing.T) {
	db := openForTest(t, filepath.Join(t.TempDir(), "a ledger?#%.db"))
	for query, want := range map[string]string{
		`PRAGMA journal_mode`: "wal", `PRAGMA synchronous`: "2", `PRAGMA secure_delete`: "1",
	} {
		var got string
		if err := db.writer.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("writer: %s is %s, %v, want %s", query, got, err, want)
		}
	}
	var queryOnly string
	if err := db.reader.QueryRow(`PRAGMA query_only`).Scan(&queryOnly); err != nil || queryOnly != "1" {
		t.Errorf("reader: query_only is %s, %v", queryOnly, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	for dsn, says := range map[string]string{
		"":                            "give its path",
		":memory:":                    "give its path",
		"sqlite:":                     "give its path",
		"mysql://db/ledger":           "no driver for mysql",
		"/does/not/exist/ledger.db":   "no such file",
		"sqlite:/does/not/exist/l.db": "no such file",
	} {
		if db, err := Open(t.Context(), dsn); err == nil || !strings.Contains(err.Error(), says) || db != nil {
			t.Errorf("%q: %v", dsn, err)
		}
	}
}

// A file that is no ledger is refused, and the lock is given back.
func TestDamagedFileIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(path, bytes.Repeat([]byte("not a database "), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path); err == nil {
		t.Fatal("opened")
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	openForTest(t, path)
}

func TestFilesAreNobodyElses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	db := openForTest(t, path)
	if err := db.Join(t.Context(), "n1"); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(path + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%q: %v, %v", suffix, info, err)
		}
	}
}

// Raw identifiers go nowhere: not into the database, not into its write-ahead log.
func TestNoRawIdentifierIsStored(t *testing.T) {
	dir := t.TempDir()
	db := openForTest(t, filepath.Join(dir, "ledger.db"))
	k := consent.NewKeys()
	l := consent.New(db, k, consent.DevelopmentRegistry(), time.Now)
	subject, installation := k.Subject("canary-subject-7f3a"), k.Installation("canary-thumbprint-91bc")
	q, err := l.Prompt(t.Context(), consent.PromptRequest{
		Subject: subject, Installation: installation, Store: "canary-store", Purpose: "assist", Lang: "en", AgeBand: "canary+", Opened: true,
	})
	if !errors.Is(err, consent.ErrAgeUnknown) {
		t.Fatal(err)
	}
	q, err = l.Prompt(t.Context(), consent.PromptRequest{
		Subject: subject, Installation: installation, Store: "canary-store", Purpose: "assist", Lang: "en", AgeBand: "57-59", Opened: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := l.Decide(t.Context(), consent.DecisionRequest{
		ServedID: q.ServedID, Hash: q.Notice.Hash, Choice: consent.ForATerm, Control: "button", Digest: q.Digest,
		Subject: subject, Installation: installation, Store: "canary-store", Purpose: "assist",
	})
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(filepath.Join(dir, "ledger.db"+suffix))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, data...)
	}
	if !bytes.Contains(all, []byte("canary-store")) {
		t.Fatal("the search finds nothing, not even what must be there")
	}
	for _, secret := range []string{
		"canary-subject", "canary-thumbprint", "57-59", d.StopToken, string(subject), string(installation), d.RecordID, d.Visit, d.Receipt, q.ServedID,
	} {
		if bytes.Contains(all, []byte(secret)) {
			t.Errorf("%q is in the database", secret)
		}
	}
}

func TestRestartStrikesOffWhoDied(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	ctx := t.Context()
	db, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Join(ctx, "n1"), db.SetDuty(ctx, "n1", "shop", []string{"assist"}, time.Now().Add(time.Hour), time.Now()), db.Close()); err != nil {
		t.Fatal(err)
	}
	db = openForTest(t, path)
	a, err := db.Admit(ctx, consent.Scope{Installation: "i", Store: "shop"}, time.Now())
	if err != nil || a.Change != 1 {
		t.Errorf("admission %+v, %v", a, err)
	}
	var duties int64
	if err := db.row(ctx, `SELECT COUNT(*) FROM duty`).into(&duties); err != nil || duties != 0 {
		t.Errorf("%d still on duty, %v", duties, err)
	}
	if acked, err := db.Acked(ctx, []string{"n1"}); err != nil || len(acked) != 0 {
		t.Errorf("still listed: %v, %v", acked, err)
	}
	if n, err := db.Generation(ctx); err != nil || n != 1 {
		t.Errorf("generation %d, %v", n, err)
	}
}

// An end writes what the outside must be told: ids and epochs, in the order of the feed.
func TestOutboxFollowsTheFeed(t *testing.T) {
	db := openForTest(t, filepath.Join(t.TempDir(), "ledger.db"))
	k := consent.NewKeys()
	l := consent.New(db, k, consent.DevelopmentRegistry(), time.Now)
	p := benchShopper{k.Subject("ana"), k.Installation("k1")}
	if err := p.grant(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	e, err := l.End(t.Context(), consent.EndRequest{ID: "0198c9a0-0000-7000-8000-000000000001", Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn})
	if err != nil {
		t.Fatal(err)
	}
	var n, change, epoch int64
	var sealed string
	err = db.reader.QueryRow(`SELECT COUNT(*), MAX(change), MAX(body), MAX(epoch) FROM outbox`).Scan(&n, &change, &sealed, &epoch)
	if err != nil || n != 1 || change != e.Change || epoch != 2 {
		t.Errorf("%d rows, change %d, epoch %d, %v", n, change, epoch, err)
	}
	if visit, err := openDay(db.ring, "outbox", sealed); err != nil || string(visit) != e.Ends[0].Visit+"\n" {
		t.Errorf("visit %s, %v", visit, err)
	}
}

// A write whose commit fails is not acknowledged, and leaves nothing behind.
func TestFailedWriteLeavesNothing(t *testing.T) {
	db := openForTest(t, filepath.Join(t.TempDir(), "ledger.db"))
	boom := errors.New("boom")
	err := db.write(t.Context(), func(tx *tx) error {
		if _, err := tx.enter(consent.Entry{Kind: consent.EntryDuty, Store: "shop"}, "", nil); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
	if a, err := db.Admit(t.Context(), consent.Scope{}, time.Now()); err != nil || a.Change != 0 {
		t.Errorf("change %d, %v", a.Change, err)
	}
	var entries int64
	if err := db.reader.QueryRow(`SELECT COUNT(*) FROM feed`).Scan(&entries); err != nil || entries != 0 {
		t.Errorf("%d entries, %v", entries, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Join(ctx, "n1"); !errors.Is(err, consent.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before its turn: %v", err)
	}
	if err := db.Join(t.Context(), "n1"); err != nil {
		t.Errorf("the next write: %v", err)
	}
}

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
