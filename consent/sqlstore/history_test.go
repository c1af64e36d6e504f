// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
)

// past is a ledger with a history in a file, and what was kept of it elsewhere.
type past struct {
	file        []byte
	ring, mark  []byte
	keys        consent.Keys
	checkpoints [][]byte // one early, one at the end
	size        int64
	now         time.Time
}

// history is made once: notices, grants of either kind, refusals, a renewal, a visit that ended, withdrawals
// of one purpose and of everything, an expiry, a phone that changed hands.
var history = sync.OnceValues(func() (p past, err error) {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		return p, err
	}
	defer os.RemoveAll(dir)
	ctx, path := context.Background(), filepath.Join(dir, "ledger.db")
	p.keys, p.now = consent.NewKeys(), time.Date(2026, 3, 1, 10, 20, 30, 123_456_789, time.UTC)
	clock := func() time.Time { return p.now }
	db, err := sqlstore.Open(ctx, path, sqlstore.WithClock(clock))
	if err != nil {
		return p, err
	}
	w := writer{ctx: ctx, l: consent.New(db, p.keys, consent.DevelopmentRegistry(), clock), keys: p.keys, now: &p.now}
	w.try(w.l.Bind(ctx))
	w.write()
	p.checkpoints = append(p.checkpoints, w.checkpoint())
	w.write()
	p.checkpoints = append(p.checkpoints, w.checkpoint())
	head, err := w.l.TreeHead(ctx)
	p.size = head.Size
	w.try(err)
	w.try(db.Close())
	if w.err != nil {
		return p, w.err
	}
	if p.file, err = os.ReadFile(path); err == nil {
		p.ring, err = os.ReadFile(path + ".keyring")
	}
	if err == nil {
		p.mark, err = os.ReadFile(path + ".keyring.mark")
	}
	return p, err
})

type writer struct {
	ctx  context.Context
	l    *consent.Ledger
	keys consent.Keys
	now  *time.Time
	n    int
	err  error
}

func (w *writer) try(err error) {
	if w.err == nil {
		w.err = err
	}
}

func (w *writer) checkpoint() []byte {
	signed, err := w.l.Checkpoint(w.ctx)
	w.try(err)
	return signed
}

func (w *writer) decide(who, phone, purpose string, c consent.Choice) consent.Decision {
	*w.now = w.now.Add(17*time.Minute + 3*time.Millisecond)
	subject, installation := w.keys.Subject(who), w.keys.Installation(phone)
	q, err := w.l.Prompt(w.ctx, consent.PromptRequest{Subject: subject, Installation: installation, App: "app", Store: "shop",
		Purpose: purpose, Lang: "en", AgeBand: "adult", Opened: true})
	w.try(err)
	d, err := w.l.Decide(w.ctx, consent.DecisionRequest{ServedID: q.ServedID, Hash: q.Notice.Hash, Choice: c, Control: "button",
		Digest: q.Digest, Subject: subject, Installation: installation, Store: "shop", Purpose: purpose})
	w.try(err)
	return d
}

func (w *writer) end(r consent.EndRequest) {
	*w.now = w.now.Add(11*time.Minute + 7*time.Microsecond)
	r.ID = uuid.NewString()
	_, err := w.l.End(w.ctx, r)
	w.try(err)
}

func (w *writer) write() {
	w.n++
	ana, ben, eve := fmt.Sprint("ana", w.n), fmt.Sprint("ben", w.n), fmt.Sprint("eve", w.n)
	scope := consent.Scope{Installation: w.keys.Installation(ana), Store: "shop"}
	w.decide(ana, ana, "assist", consent.NotNow)
	w.decide(ana, ana, "assist", consent.ForATerm)
	w.decide(ana, ana, "assist", consent.ForATerm)
	visit := w.decide(ana, ana, "pickup", consent.ThisVisit).Visit
	w.end(consent.EndRequest{Kind: consent.EndSession, Scope: scope, Visit: visit, Reason: "left_store"})
	w.decide(ben, ben, "assist", consent.No)
	w.decide(ben, ben, "assist", consent.ForATerm)
	w.end(consent.EndRequest{Kind: consent.EndGrant, Scope: consent.Scope{Installation: w.keys.Installation(ben), Store: "shop"}, Purpose: "assist", Reason: consent.Withdrawn})
	w.decide(ben, ben, "assist", consent.ForATerm)
	w.decide(ben, ben, "pickup", consent.ForATerm)
	w.end(consent.EndRequest{Kind: consent.EndAll, Subject: w.keys.Subject(ben), Reason: consent.Withdrawn})
	w.decide(eve, eve, "assist", consent.ThisVisit)
	w.decide(ben, eve, "assist", consent.ForATerm) // eve's phone changes hands
	w.decide(eve, ana+"'s other", "pickup", consent.ThisVisit)
	*w.now = w.now.Add(13 * time.Hour)
	due, err := w.l.Due(w.ctx, *w.now, 100)
	w.try(err)
	for _, r := range due {
		_, err := w.l.End(w.ctx, r)
		w.try(err)
	}
}

// evidence is a copy of the history that a test may spoil.
type evidence struct {
	*testing.T
	past
	path string
}

func newEvidence(t *testing.T) *evidence {
	t.Helper()
	p, err := history()
	if err != nil {
		t.Fatal(err)
	}
	e := &evidence{t, p, filepath.Join(t.TempDir(), "ledger.db")}
	e.restore()
	e.ok(os.WriteFile(e.path+".keyring", e.ring, 0o600))
	e.ok(os.WriteFile(e.path+".keyring.mark", e.mark, 0o600))
	return e
}

func (e *evidence) ok(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

func (e *evidence) restore() {
	e.Helper()
	for _, suffix := range []string{"-wal", "-shm"} {
		if err := os.RemoveAll(e.path + suffix); err != nil {
			e.Fatal(err)
		}
	}
	if err := os.WriteFile(e.path, e.file, 0o600); err != nil {
		e.Fatal(err)
	}
}

// spoil changes the file behind the ledger's back.
func (e *evidence) spoil(f func(*sql.DB) error) {
	e.Helper()
	db, err := sql.Open("sqlite", "file:"+e.path+"?_pragma=synchronous(OFF)")
	if err != nil {
		e.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if err := f(db); err != nil {
		e.Fatal(err)
	}
	if err := db.Close(); err != nil {
		e.Fatal(err)
	}
}

func (e *evidence) audit(saved ...[]byte) consent.AuditReport {
	e.Helper()
	r, err := e.tryAudit(saved...)
	if err != nil {
		e.Fatal(err)
	}
	return r
}

func (e *evidence) tryAudit(saved ...[]byte) (consent.AuditReport, error) {
	x, err := sqlstore.OpenEvidence(e.Context(), e.path)
	if err != nil {
		return consent.AuditReport{}, err
	}
	defer x.Close()
	var list []consent.SavedCheckpoint
	for i, signed := range saved {
		list = append(list, consent.SavedCheckpoint{Name: fmt.Sprint(i), Signed: signed})
	}
	return consent.Audit(e.Context(), x, e.keys, list, e.now)
}

// names are the findings as code and leaf.
func names(r consent.AuditReport) []string {
	var out []string
	for _, f := range r.Findings {
		out = append(out, fmt.Sprintf("%s %d", f.Code, f.Leaf))
	}
	return out
}

func (e *evidence) wants(r consent.AuditReport, want ...string) {
	e.Helper()
	if got := names(r); !slices.Equal(got, want) {
		e.Errorf("found %q, want %q", got, want)
		for _, f := range r.Findings {
			e.Logf("%s: %s: %s", f.Code, f.Where, f.What)
		}
	}
	for _, f := range r.Findings {
		if f.Where == "" || f.What == "" || f.Means == "" || f.Do == "" {
			e.Errorf("a finding that does not say what to do: %+v", f)
		}
	}
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// at finds a leaf of a type, the n-th one.
func (e *evidence) at(kind string, n int) (index int64) {
	e.Helper()
	e.spoil(func(db *sql.DB) error {
		return db.QueryRow(`SELECT idx FROM leaf WHERE body LIKE $1 ORDER BY idx LIMIT 1 OFFSET $2`, `%"type":"`+kind+`"%`, n).Scan(&index)
	})
	return index
}

// row finds the row of the event that is a leaf, of a decision or of an end.
func (e *evidence) row(index int64) (id string) {
	e.Helper()
	x, err := sqlstore.OpenEvidence(e.Context(), e.path)
	e.ok(err)
	defer x.Close()
	e.ok(x.Kept(e.Context(), func(k consent.Kept) error {
		if k.Index == index {
			id = k.ID
		}
		return nil
	}))
	return id
}

// rehash calculates all hashes of the tree anew, as somebody would who knows how.
func rehash(db *sql.DB) error {
	rows, err := db.Query(`SELECT body FROM leaf ORDER BY idx`)
	if err != nil {
		return err
	}
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(x []int64) (out []tlog.Hash, err error) {
		for _, i := range x {
			out = append(out, hashes[i])
		}
		return out, nil
	})
	n := int64(0)
	for ; rows.Next(); n++ {
		var text string
		if err := rows.Scan(&text); err != nil {
			return err
		}
		more, err := tlog.StoredHashes(n, []byte(text), reader)
		if err != nil {
			return err
		}
		hashes = append(hashes, more...)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if _, err := db.Exec(`DELETE FROM loghash`); err != nil {
		return err
	}
	for i, h := range hashes {
		if _, err := db.Exec(`INSERT INTO loghash (idx, hash) VALUES ($1, $2)`, i, fmt.Sprintf("%x", h[:])); err != nil {
			return err
		}
	}
	_, err = db.Exec(`UPDATE counter SET tree_size = $1`, n)
	return err
}

// swap exchanges the texts of two leaves.
func swap(i, j int64) func(*sql.DB) error {
	return then(sqlDo(`UPDATE leaf SET idx = -1 WHERE idx = $1`, i), sqlDo(`UPDATE leaf SET idx = $1 WHERE idx = $2`, i, j),
		sqlDo(`UPDATE leaf SET idx = $1 WHERE idx = -1`, j))
}

// flipHash changes the lowest bit of a stored hash.
func flipHash(x int64) func(*sql.DB) error {
	return func(db *sql.DB) error {
		var text string
		if err := db.QueryRow(`SELECT hash FROM loghash WHERE idx = $1`, x).Scan(&text); err != nil {
			return err
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			return err
		}
		b[31] ^= 1
		_, err = db.Exec(`UPDATE loghash SET hash = $2 WHERE idx = $1`, x, hex.EncodeToString(b))
		return err
	}
}

func then(list ...func(*sql.DB) error) func(*sql.DB) error {
	return func(db *sql.DB) error {
		for _, f := range list {
			if err := f(db); err != nil {
				return err
			}
		}
		return nil
	}
}

func sqlDo(query string, args ...any) func(*sql.DB) error {
	return func(db *sql.DB) error {
		_, err := db.Exec(query, args...)
		return err
	}
}
