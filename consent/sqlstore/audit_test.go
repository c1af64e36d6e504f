// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
)

func TestAuditOfAGoodLog(t *testing.T) {
	e := newEvidence(t)
	r := e.audit(e.checkpoints...)
	e.wants(r)
	var leaves, decisions, ends int
	e.spoil(func(db *sql.DB) error {
		return db.QueryRow(`SELECT (SELECT COUNT(*) FROM leaf), (SELECT COUNT(*) FROM record), (SELECT COUNT(*) FROM ending WHERE kind <> 'session')`).
			Scan(&leaves, &decisions, &ends)
	})
	if r.Size != int64(leaves) || r.Decisions != decisions || r.Ends != ends || r.Receipts != decisions+ends || r.Notices == 0 || r.Checkpoints != 2 ||
		r.Notices+decisions+ends != leaves || decisions < 20 || ends < 6 {
		t.Errorf("%d leaves, %d decisions, %d ends: %+v", leaves, decisions, ends, r)
	}
	if last, err := consent.OpenCheckpoint(e.checkpoints[1], must(e.keys.LogVerifiers(r.Origin))(t)...); err != nil || last.TreeHead != r.TreeHead {
		t.Errorf("root %+v, the checkpoint says %+v, %v", r.TreeHead, last, err)
	}
}

// An audit needs nothing of a server that runs, and does not disturb it; nor does it change a ledger at rest.
func TestAuditBesideARunningLedger(t *testing.T) {
	e := newEvidence(t)
	before, err := os.ReadFile(e.path)
	if err != nil {
		t.Fatal(err)
	}
	e.wants(e.audit())
	if after, err := os.ReadFile(e.path); err != nil || string(after) != string(before) {
		t.Errorf("the file at rest was changed: %v", err)
	}
	db := open(t, e.path)
	e.ok(db.KeepNotices(t.Context(), []consent.Notice{laterNotice(t, 2)}, "", e.now))
	if r := e.audit(e.checkpoints...); r.Size != e.size+1 || len(r.Findings) > 0 {
		t.Errorf("%+v", r)
	}
	if err := db.KeepNotices(t.Context(), []consent.Notice{laterNotice(t, 3)}, "", e.now); err != nil {
		t.Errorf("the ledger was disturbed: %v", err)
	}
}

// noticeAt2 changes the row of the notice whose leaf is 2.
func noticeAt2(set string) func(*sql.DB) error {
	return sqlDo(`UPDATE notice SET ` + set + ` WHERE 'notice_leaf/' || hash = (SELECT name FROM setting WHERE name LIKE 'notice_leaf/%' AND value = '2')`)
}

// laterNotice is another version of a notice of the example.
func laterNotice(t *testing.T, version int) consent.Notice {
	t.Helper()
	n := must(consent.DevelopmentRegistry().Notice("assist", "en", ""))(t)
	n.Version = version
	n.Hash = must(n.ComputeHash())(t)
	return n
}

// Each way of spoiling a log is found, and named by its kind and its place.
func TestAuditNamesWhatWasDone(t *testing.T) {
	e := newEvidence(t)
	given, withdrawn, refused, last := e.at("given", 0), e.at("withdrawn", 0), e.at("refused", 0), e.size-1
	for _, c := range []struct {
		name  string
		spoil func(*sql.DB) error
		want  []string
	}{
		{"a bit of a leaf flipped", sqlDo(`UPDATE leaf SET body = replace(body, '"type":"given"', '"type":"gives"') WHERE idx = $1`, given),
			[]string{fmt.Sprint("leaf_changed ", given)}},
		{"a bit of a leaf's hash flipped", flipHash(tlog.StoredHashIndex(0, given)), []string{fmt.Sprint("hash_changed ", given)}},
		{"a hash in the tree replaced", sqlDo(`UPDATE loghash SET hash = $2 WHERE idx = $1`, tlog.StoredHashIndex(2, 1), strings.Repeat("0", 63)+"1"),
			[]string{"hash_changed 4"}},
		{"a hash in the tree removed", sqlDo(`DELETE FROM loghash WHERE idx = $1`, tlog.StoredHashIndex(1, 3)), []string{"hash_missing 6"}},
		{"a leaf removed", sqlDo(`DELETE FROM leaf WHERE idx = $1`, given), []string{fmt.Sprint("leaf_missing ", given)}},
		{"a leaf removed with its hash", then(sqlDo(`DELETE FROM leaf WHERE idx = $1`, given), sqlDo(`DELETE FROM loghash WHERE idx = $1`, tlog.StoredHashIndex(0, given))),
			[]string{fmt.Sprint("leaf_missing ", given)}},
		{"an event removed, and all after it moved up", then(sqlDo(`DELETE FROM leaf WHERE idx = $1`, given),
			sqlDo(`UPDATE leaf SET idx = -idx WHERE idx > $1`, given), sqlDo(`UPDATE leaf SET idx = -idx - 1 WHERE idx < 0`), rehash),
			[]string{fmt.Sprint("leaf_moved ", given), fmt.Sprint("cut ", last)}},
		{"two leaves exchanged", swap(given, withdrawn), []string{fmt.Sprint("leaf_moved ", given), fmt.Sprint("leaf_moved ", withdrawn)}},
		{"two leaves exchanged, and all hashes calculated anew", then(swap(given, withdrawn), rehash),
			[]string{fmt.Sprint("leaf_moved ", given), fmt.Sprint("leaf_moved ", withdrawn)}},
		{"a leaf rewritten", sqlDo(`UPDATE leaf SET body = replace(body, '"type":"withdrawn"', '"type":"given"') WHERE idx = $1`, withdrawn),
			[]string{fmt.Sprint("leaf_changed ", withdrawn)}},
		{"a leaf rewritten, and all hashes calculated anew", then(sqlDo(`UPDATE leaf SET body = replace(body, '"type":"withdrawn"', '"type":"given"') WHERE idx = $1`, withdrawn), rehash),
			[]string{fmt.Sprint("leaf_rewritten ", withdrawn)}},
		{"a notice rewritten, and all hashes calculated anew", then(sqlDo(`UPDATE leaf SET body = replace(body, '2026-03-01T10', '2026-03-01T09') WHERE idx = 0`), rehash),
			[]string{fmt.Sprint("root_differs ", e.at("deferred", 0)), "checkpoint_forked -1"}},
		{"the end cut off", then(sqlDo(`DELETE FROM leaf WHERE idx = $1`, last), rehash), []string{fmt.Sprint("cut ", last)}},
		{"the size set back", sqlDo(`UPDATE counter SET tree_size = $1`, last), []string{fmt.Sprint("leaf_beyond ", last)}},
		{"the size set forward", sqlDo(`UPDATE counter SET tree_size = $1`, e.size+1), []string{fmt.Sprint("leaf_missing ", e.size), fmt.Sprint("log_lost ", e.size)}},
		{"a record removed", sqlDo(`DELETE FROM record WHERE id = $1`, e.row(refused)), []string{fmt.Sprint("event_missing ", refused)}},
		{"an end removed", sqlDo(`DELETE FROM ending WHERE id = $1`, e.row(withdrawn)), []string{fmt.Sprint("state_changed ", withdrawn-1), fmt.Sprint("event_missing ", withdrawn)}},
		{"a withdrawn grant brought back", sqlDo(`UPDATE record SET state = 'given', live = 1, ended_at = 0, ended_by = '', epoch =
			(SELECT s.epoch FROM scope s WHERE s.installation = record.installation AND s.store = record.store)
			WHERE id = $1`, e.row(withdrawn-1)), []string{fmt.Sprint("state_changed ", withdrawn-1)}},
		{"a grant's scope given to somebody else", sqlDo(`UPDATE scope SET subject = (SELECT o.subject FROM scope o WHERE o.subject <> scope.subject LIMIT 1)
			WHERE installation = (SELECT installation FROM record WHERE id = $1)`, e.row(given)), []string{fmt.Sprint("state_changed ", given+1), "scope_changed -1"}}, // by which the first was renewed
		{"a scope's visit changed", sqlDo(`UPDATE scope SET visit = 'x' || visit WHERE installation = (SELECT installation FROM record WHERE id = $1)`, e.row(given)), []string{"scope_changed -1"}},
		{"a scope's visit emptied", sqlDo(`UPDATE scope SET visit = '' WHERE installation = (SELECT installation FROM record WHERE id = $1)`, e.row(given)), []string{"scope_changed -1"}},
		{"the seals of scopes exchanged", sqlDo(`UPDATE scope SET seal = (SELECT o.seal FROM scope o WHERE o.seal <> scope.seal LIMIT 1) WHERE installation = (SELECT installation FROM record WHERE id = $1)`, e.row(given)), []string{"scope_changed -1"}},
		{"the stop tokens of two shoppers exchanged", exchangeStopTokens, []string{"stop_changed -1", "stop_changed -1"}},
		{"a stop token made somebody else's, with what its seal was", then(exchangeStopTokens, sqlDo(`UPDATE stop_token SET seal = (SELECT k.seal FROM kept k WHERE k.hash = stop_token.hash) WHERE hash IN (SELECT hash FROM kept)`)),
			[]string{"stop_changed -1", "stop_changed -1"}},
		{"a visit turned into a term", sqlDo(`UPDATE record SET choice = CASE choice WHEN 'visit' THEN 'term' ELSE 'visit' END WHERE id = $1`, e.row(given)), []string{fmt.Sprint("column_changed ", given)}},
		{"a stop token removed", sqlDo(`DELETE FROM stop_token WHERE given_at / 1000 = (SELECT decided_at / 1000 FROM record WHERE id = $1)`, e.row(given)), []string{fmt.Sprint("stop_missing ", given)}},
		{"a refusal turned into a grant", sqlDo(`UPDATE record SET choice = 'term', state = 'given', live = 1, epoch = 1 WHERE id = $1`, e.row(refused)),
			[]string{fmt.Sprint("column_changed ", refused), fmt.Sprint("state_changed ", refused)}},
		{"what is kept put into another row of the same person", sqlDo(`UPDATE record SET body = (SELECT o.body FROM record o WHERE o.id = $1) WHERE id = $2`, e.row(refused), e.row(withdrawn-1)),
			[]string{fmt.Sprint("column_changed ", refused), fmt.Sprint("claimed_twice ", refused), fmt.Sprint("event_missing ", withdrawn-1)}},
		{"a byte of what is sealed", sqlDo(`UPDATE record SET body = CASE substr(body, 1, 1) WHEN 'A' THEN 'B' ELSE 'A' END || substr(body, 2) WHERE id = $1`, e.row(refused)), nil},
		{"a person removed", sqlDo(`DELETE FROM person WHERE handle = (SELECT subject FROM record WHERE id = $1)`, e.row(given)), nil},
		{"a shopper's lookup changed", sqlDo(`UPDATE person SET lookup = 'x' || lookup WHERE handle = (SELECT subject FROM record WHERE id = $1)`, e.row(given)), []string{"person_hidden -1"}},
		{"a phone's lookup changed", sqlDo(`UPDATE person SET lookup = 'x' || lookup WHERE handle = (SELECT installation FROM record WHERE id = $1)`, e.row(given)), []string{"person_hidden -1"}},
		{"the lookups of two shoppers exchanged", exchangeLookups("subject"), []string{"person_hidden -1", "person_hidden -1"}},
		{"the lookups of two phones exchanged", exchangeLookups("installation"), []string{"person_hidden -1", "person_hidden -1"}},
		{"a notice's text edited", sqlDo(`UPDATE notice SET body = replace(body, 'a', 'b')`), nil},
		{"a notice's text removed", sqlDo(`DELETE FROM notice WHERE 'notice_leaf/' || hash = (SELECT name FROM setting WHERE name LIKE 'notice_leaf/%' AND value = '2')`), []string{"notice_lost 2"}},
		{"a notice's text emptied", noticeAt2("body = ''"), []string{"notice_changed 2"}},
		{"a notice renamed", noticeAt2("id = 'zzz'"), []string{"notice_changed 2"}},
		{"a notice of another version", noticeAt2("version = version + 7"), []string{"notice_changed 2"}},
		{"a notice in another language", noticeAt2("lang = 'fr'"), []string{"notice_changed 2"}},
		{"a notice that was decided on removed, and unlisted", then(sqlDo(`DELETE FROM setting WHERE name = 'notice_leaf/' || (SELECT notice FROM record WHERE id = $1)`, e.row(given)),
			sqlDo(`DELETE FROM notice WHERE hash = (SELECT notice FROM record WHERE id = $1)`, e.row(given))), []string{"notice_unlisted 1", "notice_lost -1"}},
		{"a notice entered without a leaf", sqlDo(`INSERT INTO notice SELECT 'ff' || substr(hash, 3), id || '2', version, lang, body, by_whom, kept_at FROM notice LIMIT 1`),
			nil},
		{"a notice unlisted", sqlDo(`DELETE FROM setting WHERE name LIKE 'notice_leaf/%' AND value = '2'`), []string{"notice_unlisted 2", "notice_missing -1"}},
		{"a notice listed elsewhere", sqlDo(`UPDATE setting SET value = '3' WHERE name LIKE 'notice_leaf/%' AND value = '2'`), []string{"notice_unlisted 2", "notice_missing 3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newEvidence(t)
			e.spoil(c.spoil)
			r := e.audit(e.checkpoints[0])
			if c.want != nil {
				e.wants(r, c.want...)
			}
			if len(r.Findings) == 0 {
				t.Error("nothing was found")
			}
		})
	}
}

// Whatever byte of a leaf, of a hash or of a decision's row is changed to whatever else, it is found. Two
// numbers are only held between bounds, for want of a second witness, and are left out: when a grant for one
// visit runs out, which an end of the visit brings forward, and the epoch of what is not in force.
func TestAuditFindsAnyChangedByte(t *testing.T) {
	e := newEvidence(t)
	type cell struct {
		table, column string
		row           int64
	}
	var cells []cell
	e.spoil(func(db *sql.DB) error {
		for table, columns := range map[string][]string{
			"leaf": {"idx", "body"}, "loghash": {"idx", "hash"},
			"record": {"id", "name", "subject", "installation", "store", "purpose", "notice", "choice", "state", "live", "decided_at", "given_until",
				"expires_at", "ended_at", "ended_by", "body"},
			"ending": {"id", "ended_at", "body"}, "person": {"lookup", "handle", "bucket", "sealed"}, "notice": {"hash", "id", "version", "lang", "body"},
			"scope": {"installation", "store", "subject", "epoch", "visit", "name", "seal"}, "stop_token": {"hash", "subject", "installation", "store", "given_at", "seal"},
		} {
			var rows []int64
			r, err := db.Query(`SELECT rowid FROM ` + table + map[bool]string{true: ` WHERE kind <> 'session'`}[table == "ending"])
			if err != nil {
				return err
			}
			for r.Next() {
				var id int64
				if err := r.Scan(&id); err != nil {
					return err
				}
				rows = append(rows, id)
			}
			for _, column := range columns {
				for _, row := range rows {
					cells = append(cells, cell{table, column, row})
				}
			}
		}
		return nil
	})
	slices.SortFunc(cells, func(a, b cell) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	db, err := sql.Open("sqlite", "file:"+e.path+"?_pragma=synchronous(OFF)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := flag.Set("rapid.checks", changedBytes); err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(rt *rapid.T) {
		c := rapid.SampledFrom(cells).Draw(rt, "cell")
		var value, choice string
		if err := db.QueryRow(`SELECT CAST(`+c.column+` AS TEXT) FROM `+c.table+` WHERE rowid = $1`, c.row).Scan(&value); err != nil {
			rt.Fatal(err)
		}
		if c.table == "record" && c.column == "expires_at" {
			if err := db.QueryRow(`SELECT choice FROM record WHERE rowid = $1`, c.row).Scan(&choice); err != nil {
				rt.Fatal(err)
			}
		}
		if choice == string(consent.ThisVisit) || value == "" {
			return
		}
		changed := change(rt, value)
		set := func(to string) error {
			_, err := db.Exec(`UPDATE `+c.table+` SET `+c.column+` = $1 WHERE rowid = $2`, to, c.row)
			return err
		}
		if set(changed) != nil {
			return // the database itself refuses it
		}
		defer func() {
			if err := set(value); err != nil {
				rt.Fatal(err)
			}
		}()
		var now string
		if err := db.QueryRow(`SELECT CAST(`+c.column+` AS TEXT) FROM `+c.table+` WHERE rowid = $1`, c.row).Scan(&now); err != nil || now == value {
			return // a number written in another way
		}
		r, err := e.tryAudit()
		if err == nil && len(r.Findings) == 0 {
			rt.Fatalf("%+v: %q became %q, and nothing was found", c, value, changed)
		}
	})
	e.wants(e.audit())
}

// change replaces one byte: a digit of a number by another, any other by any.
func change(t *rapid.T, value string) string {
	b := []byte(value)
	i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
	for {
		to := byte(rapid.IntRange(' ', '~').Draw(t, "to"))
		if strings.Trim(value, "0123456789") == "" {
			to = '0' + to%10
		}
		if to != b[i] {
			b[i] = to
			return string(b)
		}
	}
}

// goOn lets the ledger in the file live on, under keys that may not be its own.
func (e *evidence) goOn(f func(*writer)) {
	e.Helper()
	now := e.now
	db, err := sqlstore.Open(e.Context(), e.path, sqlstore.WithClock(func() time.Time { return now }))
	if err != nil {
		e.Fatal(err)
	}
	w := &writer{ctx: e.Context(), l: consent.New(db, e.keys, consent.DevelopmentRegistry(), func() time.Time { return now }), keys: e.keys, now: &now, n: 7}
	f(w)
	w.try(db.Close())
	if w.err != nil {
		e.Fatal(w.err)
	}
}

// A log that went back to an old backup is sound in itself. Only what was kept elsewhere tells that it was
// longer once, and, when it has grown again, that it had another history.
func TestCheckpointsTellWhatTheDatabaseCannot(t *testing.T) {
	e := newEvidence(t)
	var later []byte
	e.goOn(func(w *writer) { w.write(); later = w.checkpoint() })
	e.wants(e.audit(e.checkpoints[0], e.checkpoints[1], later))
	e.restore()
	e.wants(e.audit())
	e.wants(e.audit(e.checkpoints[1], later), "checkpoint_cut -1")
	e.goOn(func(w *writer) { w.write(); w.write() })
	e.wants(e.audit())
	e.wants(e.audit(e.checkpoints[1], later), "checkpoint_forked -1")

	foreign := must(consent.NewKeys().SignCheckpoint(consent.Checkpoint{Origin: "harbour-street.example/privacy", TreeHead: consent.TreeHead{Root: strings.Repeat("0", 64)}}, e.now))(t)
	elsewhere := must(e.keys.SignCheckpoint(consent.Checkpoint{Origin: "elsewhere.example", TreeHead: consent.TreeHead{Root: strings.Repeat("0", 64)}}, e.now))(t)
	e.wants(e.audit(foreign, []byte("no checkpoint\n"), elsewhere), "checkpoint_bad -1", "checkpoint_bad -1", "checkpoint_bad -1")
}

// Who has the keys besides the database can make everything in it agree: the checkpoint that was kept
// elsewhere, and the shopper's own receipt, do not.
func TestWhoHoldsTheKeysCannotRewriteThePast(t *testing.T) {
	e := newEvidence(t)
	given := e.at("given", 0)
	var shoppers string
	x, err := sqlstore.OpenEvidence(t.Context(), e.path)
	e.ok(err)
	e.ok(x.Kept(t.Context(), func(k consent.Kept) error {
		if k.Index == given {
			shoppers = k.Receipt
		}
		return nil
	}))
	e.ok(x.Close())
	e.path = filepath.Join(t.TempDir(), "ledger.db")
	e.goOn(func(w *writer) { w.try(w.l.Bind(w.ctx)); w.write(); w.write() })
	e.wants(e.audit())
	e.wants(e.audit(e.checkpoints...), "checkpoint_forked -1", "checkpoint_forked -1")
	r := must(consent.VerifyReceiptAt(shoppers, e.keys.JWKS(), e.now))(t)
	db := open(t, e.path)
	if p := must(db.Proof(t.Context(), r.Log.Index, r.Log.Size))(t); p.Leaf == r.Log.Leaf || p.Tree.Root == r.Log.Root {
		t.Error("the forged log holds what the shopper's receipt says")
	}
}

// Whoever was erased leaves leaves behind that say nothing, and a sealed proof for each: nothing is amiss. A proof
// that was taken away is.
func TestAuditAfterAnErasure(t *testing.T) {
	e := newEvidence(t)
	e.goOn(func(w *writer) {
		r, err := w.l.ErasureRequest(uuid.NewString(), w.keys.Subject("ana1"), w.keys.Installation("ana1"))
		w.try(err)
		_, err = w.l.End(w.ctx, r)
		w.try(err)
		_, err = w.l.Erase(w.ctx, uuid.NewString(), r)
		w.try(err)
	})
	var err error
	if e.ring, err = os.ReadFile(e.path + ".keyring"); err != nil {
		t.Fatal(err)
	}
	r := e.audit(e.checkpoints...)
	e.wants(r)
	if r.Proofs < 5 || r.Checkpoints != 2 {
		t.Fatalf("%+v", r)
	}
	if e.file, err = os.ReadFile(e.path); err != nil {
		t.Fatal(err)
	}
	var proofs []string
	for i := range r.Proofs {
		proofs = append(proofs, "")
		e.spoil(func(db *sql.DB) error {
			var at int64
			err := db.QueryRow(`SELECT log_index FROM proof ORDER BY log_index LIMIT 1 OFFSET $1`, i).Scan(&at)
			proofs[i] = fmt.Sprint("proof_changed ", at)
			return err
		})
	}
	for change, want := range map[string][]string{
		`UPDATE proof SET body = 'AAAA'`: proofs,
		`UPDATE proof SET until = 1`:     proofs,
		`UPDATE proof SET mark = ''`:     proofs,
		`UPDATE proof SET (body, until, mark) = (SELECT o.body, o.until, o.mark FROM proof o WHERE o.log_index <> proof.log_index LIMIT 1)
			WHERE log_index = (SELECT MIN(log_index) FROM proof)`: proofs[:1],
	} {
		e.spoil(sqlDo(change))
		e.wants(e.audit(), want...)
		e.restore()
	}
	var index int64
	e.spoil(func(db *sql.DB) error {
		if err := db.QueryRow(`SELECT MIN(log_index) FROM proof`).Scan(&index); err != nil {
			return err
		}
		_, err := db.Exec(`DELETE FROM proof WHERE log_index = $1`, index)
		return err
	})
	e.wants(e.audit(), fmt.Sprint("event_missing ", index))
}

// What is older than its proof may be gone, with the key that signed it; what is not, may not.
func TestAuditKnowsWhatMayBeGone(t *testing.T) {
	e := newEvidence(t)
	refused := e.at("refused", 0)
	e.spoil(sqlDo(`DELETE FROM record WHERE id = $1`, e.row(refused)))
	e.keys = e.keys.Promising(1096)
	e.wants(e.audit(), fmt.Sprint("event_missing ", refused))
	rotated := must(e.keys.Rotate(e.now, true))(t)
	e.keys = must(rotated.Rotate(e.now.AddDate(3, 0, 3), true))(t)
	e.now = e.now.AddDate(3, 0, 3)
	r := e.audit()
	e.wants(r)
	if r.Forgotten != 1 || r.Receipts != 0 || r.Spent != r.Decisions+r.Ends || r.Spent < 20 {
		t.Errorf("%+v", r)
	}
	e.now = e.now.AddDate(-1, 0, 0) // those receipts should still verify, and their key is not there
	if r := e.audit(); len(r.Findings) != r.Decisions+r.Ends+1 || r.Findings[0].Code != "key_unknown" {
		t.Errorf("%q", names(r))
	}
}

// The same on PostgreSQL, beside the ledger at work: a good log, and a leaf of it changed.
func TestAuditOnPostgreSQL(t *testing.T) {
	url, ring := storetest.PostgresURL(t), filepath.Join(t.TempDir(), "keyring.json")
	now := time.Date(2026, 3, 1, 10, 20, 30, 123_456_789, time.UTC)
	clock := func() time.Time { return now }
	db := open(t, url, sqlstore.WithClock(clock), sqlstore.WithKeyring(ring))
	w := &writer{ctx: t.Context(), keys: consent.NewKeys(), now: &now}
	w.l = consent.New(db, w.keys, consent.DevelopmentRegistry(), clock)
	w.try(w.l.Bind(t.Context()))
	w.write()
	early := w.checkpoint()
	w.try(w.err)
	if w.err != nil {
		t.Fatal(w.err)
	}
	later := 1
	audit := func() consent.AuditReport {
		t.Helper()
		x := must(sqlstore.OpenEvidence(t.Context(), url, sqlstore.WithKeyring(ring)))(t)
		defer x.Close()
		later++
		w.try(db.KeepNotices(t.Context(), []consent.Notice{laterNotice(t, later)}, "", now)) // not in the snapshot
		return must(consent.Audit(t.Context(), x, w.keys, []consent.SavedCheckpoint{{Name: "early", Signed: early}}, now))(t)
	}
	if r := audit(); len(r.Findings) > 0 || r.Checkpoints != 1 || r.Decisions < 10 {
		t.Errorf("%+v", r)
	}
	raw := must(sql.Open("pgx", url))(t)
	defer raw.Close()
	if _, err := raw.Exec(`UPDATE leaf SET body = replace(body, '"type":"given"', '"type":"gives"') WHERE idx = (SELECT MIN(idx) FROM leaf WHERE body LIKE '%"type":"given"%')`); err != nil {
		t.Fatal(err)
	}
	if r := audit(); len(r.Findings) != 1 || r.Findings[0].Code != "leaf_changed" {
		t.Errorf("found %q", names(r))
	}
}
