// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorstep/consent"
)

// estate is a ledger in a folder of its own, with somebody to erase and somebody of the same bucket.
type estate struct {
	*testing.T
	dir        string
	keys       consent.Keys
	ana, mate  benchShopper
	request    consent.EndRequest
	db         *DB
	ledger     *consent.Ledger
	labelOfAna string
}

const erasureID = "0198c9a0-0000-7000-8000-00000000e0a5"

func newEstate(t *testing.T) *estate {
	t.Helper()
	made.Do(func() { made.estate = makeEstate(t) })
	if made.estate == nil {
		t.Fatal("the first one could not be made")
	}
	e := *made.estate
	e.T, e.dir = t, t.TempDir()
	for name, data := range made.files {
		e.ok(os.WriteFile(filepath.Join(e.dir, name), data, 0o600))
	}
	e.open()
	return &e
}

// made is the estate of which all others are copies: bringing tables up to date takes longer than most tests.
var made struct {
	sync.Once
	*estate
	files map[string][]byte
}

func makeEstate(t *testing.T) *estate {
	e := &estate{T: t, dir: t.TempDir(), keys: consent.NewKeys()}
	e.open()
	e.ana = benchShopper{e.keys.Subject("ana"), e.keys.Installation("k-ana")}
	e.labelOfAna = e.db.ring.Writing(string(aSubject), e.ana.subject, 0).Label
	for i := 0; e.mate.subject == ""; i++ {
		if ref := e.keys.Subject(fmt.Sprint("mate", i)); e.db.ring.Writing(string(aSubject), ref, 0).Label == e.labelOfAna {
			e.mate = benchShopper{ref, e.keys.Installation("k-mate")}
		}
	}
	for _, p := range []benchShopper{e.ana, e.mate} {
		e.ok(p.grant(t.Context(), e.ledger))
	}
	r, err := e.ledger.ErasureRequest(erasureID, e.ana.subject, e.ana.installation)
	e.ok(err)
	e.request = r
	e.close()
	made.files = map[string][]byte{}
	for _, name := range []string{"ledger.db", "ledger.db.keyring", "ledger.db.keyring.proofs", "ledger.db.keyring.mark"} {
		made.files[name], err = os.ReadFile(filepath.Join(e.dir, name))
		e.ok(err)
	}
	return e
}

func (e *estate) path() string { return filepath.Join(e.dir, "ledger.db") }

func (e *estate) open() {
	e.Helper()
	db, err := Open(e.Context(), e.path())
	e.ok(err)
	e.db, e.ledger = db, consent.New(db, e.keys, consent.DevelopmentRegistry(), time.Now)
}

// close ends the process, as far as the files know.
func (e *estate) close() {
	e.Helper()
	e.ok(e.db.Close())
}

func (e *estate) ok(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

func (e *estate) begin() {
	e.Helper()
	_, err := e.ledger.End(e.Context(), e.request)
	e.ok(err)
}

func (e *estate) erase() string {
	e.Helper()
	proof, err := e.ledger.Erase(e.Context(), erasureID, e.request)
	e.ok(err)
	return proof
}

// command is what the ledger would give the store.
func (e *estate) command() consent.EraseCommand {
	return consent.EraseCommand{Request: e.request, Now: time.Now(),
		Event: func() consent.Event {
			return consent.Event{Record: consent.Record{Event: consent.RecordEvent{State: "erased"}}}
		}}
}

// eraseUpTo runs the transaction of an erasure and then fails it or not; nothing after it is done.
func (e *estate) eraseUpTo(commit bool) {
	e.Helper()
	boom := errors.New("boom")
	err := e.db.writeNow(e.Context(), func(t *tx) error {
		row, err := erasureOf(t.row, erasureMark(e.db.ring, e.request))
		if err == nil {
			_, err = t.erase(row, e.command())
		}
		if err == nil && !commit {
			err = boom
		}
		return err
	})
	if commit {
		e.ok(err)
	} else if !errors.Is(err, boom) {
		e.Fatal(err)
	}
}

// isErased checks all that an erasure promises, to whom it was done and to whom it was not.
func (e *estate) isErased() {
	e.Helper()
	ctx := e.Context()
	for kind, ref := range map[personKind]consent.Ref{aSubject: e.ana.subject, anInstallation: e.ana.installation} {
		if _, err := e.db.find(ctx, kind, ref); !noRow(err) {
			e.Errorf("%s is still known: %v", kind, err)
		}
	}
	if _, ok := e.db.ring.Bucket(e.labelOfAna); ok {
		e.Error("the key of the bucket is still there")
	}
	if _, begun := e.db.ring.Rotations(); begun {
		e.Error("a rotation is still under way")
	}
	var rows int64
	for _, p := range personal {
		var n int64
		e.ok(e.db.row(ctx, `SELECT COUNT(*) FROM `+p.table+` WHERE subject <> '' AND subject NOT IN (SELECT handle FROM person)`).into(&n))
		rows += n
	}
	if rows != 0 {
		e.Errorf("%d rows of nobody", rows)
	}
	a, err := e.ledger.Admit(ctx, consent.Scope{Installation: e.mate.installation, Store: "shop"})
	if err != nil || len(a.Grants) != 1 || a.Subject != e.mate.subject {
		e.Errorf("the other in the bucket: %+v, %v", a, err)
	}
	if _, err := e.ledger.Erasure(ctx, erasureID, e.request); err != nil {
		e.Errorf("no proof: %v", err)
	}
}

// An erasure removes one and leaves the others, and answers the same proof however often it is asked for.
func TestErasure(t *testing.T) {
	e := newEstate(t)
	defer e.close()
	if _, err := e.ledger.Erasure(t.Context(), erasureID, e.request); !errors.Is(err, consent.ErrNoErasure) {
		t.Fatalf("before: %v", err)
	}
	if _, err := e.ledger.Erase(t.Context(), erasureID, e.request); !errors.Is(err, consent.ErrNoErasure) {
		t.Fatalf("without an end: %v", err)
	}
	e.begin()
	proof := e.erase()
	e.isErased()
	e.begin() // a late repetition finds nobody, and makes nobody
	if again := e.erase(); again != proof {
		t.Error("another proof")
	}
	e.isErased()
	e.ok(e.ana.grant(t.Context(), e.ledger)) // a stranger, who is asked anew
	a, err := e.ledger.Admit(t.Context(), consent.Scope{Installation: e.ana.installation, Store: "shop"})
	if err != nil || len(a.Grants) != 1 || a.Epoch <= 2 {
		t.Errorf("back again: %+v, %v", a, err)
	}
}

// What the disk may hold at a crash, and how an erasure goes on from there.
func TestErasureAfterACrash(t *testing.T) {
	for name, crash := range map[string]func(*estate){
		"begun":                           func(*estate) {},
		"new keys written":                func(e *estate) { e.eraseUpTo(false); e.ok(e.db.dropEntry(1)) },
		"entry written":                   func(e *estate) { e.eraseUpTo(false) },
		"committed":                       func(e *estate) { e.eraseUpTo(true) },
		"committed, then somebody erased": func(e *estate) { e.eraseUpTo(false); e.eraseUpTo(true) },
	} {
		t.Run(name, func(t *testing.T) {
			e := newEstate(t)
			e.begin()
			crash(e)
			e.close()
			e.open()
			defer e.close()
			e.ok(e.db.FinishErasures(t.Context(), time.Now().Add(time.Second), e.command()))
			e.isErased()
			if n, err := rotations(e.db.asker(t.Context())); err != nil || n != 1 {
				t.Errorf("%d rotations, %v", n, err)
			}
		})
	}
}

// Whoever asks about an erasure that a crash cut short behind its commit is not answered before the old keys have gone: the
// proof says that they have.
func TestRemovalIsToldOnceTheKeysAreGone(t *testing.T) {
	e := newEstate(t)
	defer e.close()
	e.begin()
	e.eraseUpTo(true)
	if _, ok := e.db.ring.Bucket(e.labelOfAna); !ok {
		t.Fatal("the old keys went by themselves: this test sees nothing")
	}
	_, err := e.ledger.Erasure(t.Context(), erasureID, e.request)
	e.ok(err)
	e.isErased()
}

// What was deleted does not lie about in SQLite's write-ahead log either, though nobody could read it.
func TestAnErasureEmptiesTheWriteAheadLog(t *testing.T) {
	e := newEstate(t)
	defer e.close()
	size := func() int64 {
		info, err := os.Stat(e.path() + "-wal")
		e.ok(err)
		return info.Size()
	}
	e.begin()
	if size() == 0 {
		t.Fatal("there was nothing in it: this test sees nothing")
	}
	e.erase()
	if n := size(); n > 0 {
		t.Errorf("%d bytes are left", n)
	}
}

// Neither is anything lost that was not to go: somebody new in the bucket while an erasure hangs is kept.
func TestNewcomerDuringAnErasure(t *testing.T) {
	e := newEstate(t)
	e.begin()
	e.eraseUpTo(false)
	e.ok(e.ana.grant(t.Context(), e.ledger)) // under the key that is still in force
	e.close()
	e.open()
	defer e.close()
	e.erase()
	e.isErased()
}

// copyFile copies what is there; a file that is not there is removed.
func (e *estate) copyFile(from, to string) {
	e.Helper()
	data, err := os.ReadFile(filepath.Join(e.dir, from))
	if errors.Is(err, fs.ErrNotExist) {
		err = os.Remove(filepath.Join(e.dir, to))
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	} else if err == nil {
		err = os.WriteFile(filepath.Join(e.dir, to), data, 0o600)
	}
	e.ok(err)
}

// A backup of the database that is restored replays what was erased since, before it is ready.
func TestRestoredBackupReplaysErasures(t *testing.T) {
	for name, c := range map[string]struct {
		begunBefore bool
		crash       func(*estate) // instead of an erasure that is finished
	}{
		"from before it began":             {},
		"from when it had begun":           {begunBefore: true},
		"after a crash behind the commit":  {crash: func(e *estate) { e.eraseUpTo(true) }},
		"the same, from when it had begun": {begunBefore: true, crash: func(e *estate) { e.eraseUpTo(true) }},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEstate(t)
			if c.begunBefore {
				e.begin()
			}
			e.close()
			e.copyFile("ledger.db", "backup")
			e.open()
			e.begin()
			if c.crash != nil {
				c.crash(e)
			} else {
				e.erase()
			}
			e.close()
			e.copyFile("backup", "ledger.db")
			e.open()
			defer e.close()
			e.ok(e.db.FinishErasures(t.Context(), time.Now().Add(time.Second), e.command()))
			e.isErased()
			n, err := e.db.Generation(t.Context())
			if want := int64(2); !c.begunBefore && (err != nil || n != want) {
				t.Errorf("generation %d, %v", n, err)
			}
		})
	}
}

// Several erasures are replayed in their order; mates that were carried over twice are read with the last key.
func TestSeveralErasuresAreReplayed(t *testing.T) {
	e := newEstate(t)
	other := benchShopper{e.keys.Subject("ben"), e.keys.Installation("k-ben")}
	e.ok(other.grant(t.Context(), e.ledger))
	e.close()
	e.copyFile("ledger.db", "backup")
	e.open()
	e.begin()
	e.erase()
	r, err := e.ledger.ErasureRequest("0198c9a0-0000-7000-8000-00000000e0a6", other.subject, other.installation)
	e.ok(err)
	_, err = e.ledger.End(t.Context(), r)
	e.ok(err)
	_, err = e.ledger.Erase(t.Context(), "0198c9a0-0000-7000-8000-00000000e0a6", r)
	e.ok(err)
	e.close()
	e.copyFile("backup", "ledger.db")
	e.open()
	defer e.close()
	e.isErased()
	if _, err := e.db.find(t.Context(), aSubject, other.subject); !noRow(err) {
		t.Errorf("the second: %v", err)
	}
}

// A keyring that does not fit is refused: under it nobody would be known, and no stop would find anything.
func TestKeyringMustFit(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(*estate)
		says string
	}{
		"missing":      {func(e *estate) { e.ok(os.Remove(e.path() + ".keyring")) }, "is not there"},
		"another's":    {func(e *estate) { e.copyFile("other", "ledger.db.keyring") }, "another ledger"},
		"an old copy":  {func(e *estate) { e.copyFile("old", "ledger.db.keyring") }, "counts 0 erasures, the ledger 1"},
		"for everyone": {func(e *estate) { e.ok(os.Chmod(e.path()+".keyring", 0o644)) }, "can be read by others"},
		"damaged":      {func(e *estate) { e.ok(os.WriteFile(e.path()+".keyring", []byte("{"), 0o600)) }, "restore the newest copy"},
		"no entries left": {func(e *estate) {
			e.copyFile("backup", "ledger.db")
			e.ok(os.RemoveAll(e.path() + ".keyring.erasures"))
		}, "restore a younger one"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEstate(t)
			e.close()
			e.copyFile("ledger.db.keyring", "old")
			e.copyFile("ledger.db", "backup")
			_, err := consent.CreateKeyring(filepath.Join(e.dir, "other"))
			e.ok(err)
			e.open()
			e.begin()
			e.erase()
			e.close()
			c.harm(e)
			db, err := Open(t.Context(), e.path())
			if err == nil {
				e.ok(db.Close())
				t.Fatal("opened")
			}
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %q", err)
			}
		})
	}
}

// The proof of consent of somebody erased is read with the key of proofs, and with no other; not even its
// place in the log can be changed.
func TestProofOfConsentSurvives(t *testing.T) {
	e := newEstate(t)
	defer e.close()
	e.begin()
	e.erase()
	key, err := consent.LoadProofKey(consent.ProofKeyPath(e.path() + ".keyring"))
	e.ok(err)
	sealed, until, err := e.proofOf(0)
	e.ok(err)
	jws, err := key.Open(0, sealed)
	e.ok(err)
	r, err := consent.VerifyReceipt(jws, e.keys.JWKS())
	if err != nil || r.Subject != string(e.ana.subject) || !until.After(time.Now().AddDate(0, 1, 0)) {
		t.Errorf("%+v until %v, %v", r, until, err)
	}
	if _, err := key.Open(1, sealed); !errors.Is(err, consent.ErrProofKey) {
		t.Errorf("at another place: %v", err)
	}
	_, err = consent.CreateKeyring(filepath.Join(e.dir, "other"))
	e.ok(err)
	wrong, err := consent.LoadProofKey(consent.ProofKeyPath(filepath.Join(e.dir, "other")))
	e.ok(err)
	if _, err := wrong.Open(0, sealed); !errors.Is(err, consent.ErrProofKey) {
		t.Errorf("with another key: %v", err)
	}
	e.ok(e.db.Prune(t.Context(), until, time.Hour))
	if _, _, err := e.proofOf(0); err != nil {
		t.Errorf("on the last day: %v", err)
	}
	e.ok(e.db.Prune(t.Context(), until.Add(time.Second), time.Hour))
	if _, _, err := e.proofOf(0); !errors.Is(err, consent.ErrNoLeaf) {
		t.Errorf("after its time: %v", err)
	}
}

// A registry that keeps proof for less than it did does not shorten what was promised before: neither of
// somebody who is erased, nor of somebody who withdrew.
func TestProofIsKeptAsItWasPromised(t *testing.T) {
	e := newEstate(t)
	defer e.close()
	shorter := *consent.DevelopmentRegistry()
	shorter.ProofDays = 1
	promised := time.Now().AddDate(0, 0, consent.DevelopmentRegistry().ProofDays-1)
	e.ledger = consent.New(e.db, e.keys.Promising(consent.DevelopmentRegistry().ProofDays), &shorter, time.Now)
	e.begin()
	e.erase()
	if _, until, err := e.proofOf(0); err != nil || until.Before(promised) {
		t.Errorf("the proof goes at %s, %v", until, err)
	}
	_, err := e.ledger.End(t.Context(), consent.EndRequest{ID: erasureID, Kind: consent.EndAll, Subject: e.mate.subject, Reason: consent.Withdrawn})
	e.ok(err)
	later := consent.New(e.db, e.keys.Promising(consent.DevelopmentRegistry().ProofDays), &shorter, func() time.Time { return promised })
	e.ok(later.Prune(t.Context()))
	held, err := e.ledger.Export(t.Context(), e.mate.subject)
	if err != nil || len(held.Decisions) != 1 || len(held.Ends) != 1 {
		t.Errorf("%d decisions and %d ends are left, %v", len(held.Decisions), len(held.Ends), err)
	}
}

// proofOf reads a proof as the command does, beside the ledger that is open.
func (e *estate) proofOf(index int64) (string, time.Time, error) {
	e.Helper()
	evidence, err := OpenEvidence(e.Context(), e.path())
	e.ok(err)
	defer func() { e.ok(evidence.Close()) }()
	return evidence.ErasedProof(e.Context(), index)
}

// Whatever names a shopper is in the list of what an erasure removes.
func TestErasureKnowsEveryTable(t *testing.T) {
	db := openForTest(t, filepath.Join(t.TempDir(), "ledger.db"))
	rows, err := db.reader.Query(`SELECT m.name, p.name FROM sqlite_master m, pragma_table_info(m.name) p
		WHERE m.type = 'table' AND p.name IN ('subject', 'installation', 'visit', 'alert', 'handle')`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		got[table] = append(got[table], column)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, p := range personal {
		if !slices.Contains(got[p.table], "subject") {
			t.Errorf("%s has no subject", p.table)
		}
		if slices.Contains(got[p.table], "installation") != slices.Contains(phoneTables, p.table) {
			t.Errorf("%s: is the phone in it or not?", p.table)
		}
		delete(got, p.table)
	}
	delete(got, "alert_key") // a mark for a day
	delete(got, "person")
	delete(got, "erasure") // a handle until it is done
	if d := cmp.Diff(map[string][]string{}, got); d != "" {
		t.Errorf("an erasure would leave these behind: add them to the list, or say here why not:\n%s", d)
	}
}
