// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"

	"doorstep/consent"
)

// How people are written down. No column holds a Ref, a visit, or any id that somebody outside could hold;
// what stands for them is made and read here and in days.go, so that the storage form is decided in one place:
//
//	a subject or an installation   person.handle; find and keep translate from the Ref, person back to it
//	an id of one person's, kept    person.mark(kind, id): to compare with; person.seal to read again
//	an id that lives for a day     mark to write, marks to look for: WHERE id IN ($1, $2, $3)
//	whatever names any of these    person.seal for what is long-lived and one person's; sealDay for what goes in a day
//
// A handle is random, and was never seen outside. From a Ref to its handle, and from the handle to all that is
// sealed, the only way leads through the key of a bucket in the keyring: see consent.Keyring. Nothing is
// remembered from one transaction to the next, since another node may have erased the person meanwhile.

// personKind is what a Ref stands for.
type personKind string

const (
	aSubject       personKind = "subject"
	anInstallation personKind = "installation"
)

// person is somebody, or somebody's phone, as the tables know them.
type person struct {
	handle string // what other tables hold
	ref    consent.Ref
	key    consent.Secret
}

// mark is an id of this person's, to compare with: 32 hex digits.
func (p person) mark(kind, id string) string { return p.key.Mark(kind, id) }

// seal makes text of this person's readable only for as long as the person is known here. Place says what
// it is, and has to be the same when it is opened.
func (p person) seal(place string, text []byte) string { return p.key.Seal(place, text) }

// open reads what seal made.
func (p person) open(place, sealed string) ([]byte, error) {
	text, err := p.key.Open(place, sealed)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %s: %w", place, err)
	}
	return text, nil
}

// personRow is a person as it is stored.
type personRow struct{ kind, handle, bucket, sealed string }

const personColumns = `kind, handle, bucket, sealed`

func (r *personRow) fields() []any { return []any{&r.kind, &r.handle, &r.bucket, &r.sealed} }

// place binds what is sealed to its row.
func (r personRow) place() string { return "person|" + r.kind + "|" + r.handle }

const personKeyBytes = 32

// seal is a row of a person: the key of all that is theirs, and their Ref.
func (r *personRow) seal(b consent.Bucket, key []byte, ref consent.Ref) {
	r.bucket = b.Label
	r.sealed = b.Seal(r.place(), append(append([]byte{}, key...), ref...))
}

func (r personRow) open(b consent.Bucket) (key []byte, ref consent.Ref, err error) {
	text, err := b.Open(r.place(), r.sealed)
	if err != nil || len(text) < personKeyBytes {
		return nil, "", fmt.Errorf("sqlstore: a person: %w", consent.ErrSealed)
	}
	return text[:personKeyBytes], consent.Ref(text[personKeyBytes:]), nil
}

// asker asks for one row, in a transaction or outside.
type asker func(query string, args ...any) row

func (db *DB) asker(ctx context.Context) asker {
	return func(query string, args ...any) row { return db.row(ctx, query, args...) }
}

// find finds a person; noRow tells that they are not known here.
func (t *tx) find(kind personKind, ref consent.Ref) (person, error) {
	if p, ok := t.people[string(kind)+string(ref)]; ok {
		return p, nil
	}
	p, err := findPerson(t.db.ring, t.row, kind, ref)
	return t.met(kind, p, err)
}

// find finds a person outside a transaction.
func (db *DB) find(ctx context.Context, kind personKind, ref consent.Ref) (person, error) {
	return findPerson(db.ring, db.asker(ctx), kind, ref)
}

// met remembers a person to the end of the transaction.
func (t *tx) met(kind personKind, p person, err error) (person, error) {
	if err == nil {
		if t.people == nil {
			t.people = map[string]person{}
		}
		t.people[string(kind)+string(p.ref)], t.people[p.handle] = p, p
	}
	return p, err
}

func findPerson(ring *consent.Keyring, ask asker, kind personKind, ref consent.Ref) (person, error) {
	for {
		l := ring.Lookups(string(kind), ref)
		var r personRow
		err := ask(`SELECT `+personColumns+` FROM person WHERE lookup IN ($1, $2)`, l[0], l[1]).into(r.fields()...)
		if err == nil {
			return openAsked(ring, ask, r, kind, ref)
		}
		if !noRow(err) {
			return person{}, err
		}
		again, stale := freshen(ring, ask)
		if stale != nil {
			return person{}, stale
		}
		if !again {
			return person{}, err
		}
	}
}

// errLookup is a row that was found as somebody's and is sealed as somebody else's: whoever asks is answered nothing.
var errLookup = errors.New("the ledger is damaged: a person's row is found under another one's lookup; `doorstep ledger verify` names it")

// openAsked opens a row that was found by its lookup, and refuses one that is not of whom it was looked for: the lookup
// is only a column, who it is, is sealed.
func openAsked(ring *consent.Keyring, ask asker, r personRow, kind personKind, ref consent.Ref) (person, error) {
	p, err := openPerson(ring, ask, r)
	if err == nil && (r.kind != string(kind) || p.ref != ref) {
		return person{}, unavailable(errLookup)
	}
	return p, err
}

// errRing is consent.ErrKeyring while the server runs: then it is no fault of whoever asks.
var errRing = errors.New("bring back the newest copy of the keyring that belongs to this ledger")

// freshen reads the keyring again if the database has counted a rotation that is not in it.
func freshen(ring *consent.Keyring, ask asker) (again bool, err error) {
	n, err := rotations(ask)
	if err != nil || ring.Knows(n) {
		return false, err
	}
	if err := ring.Reload(); err != nil {
		return false, unavailable(err)
	}
	if !ring.Knows(n) {
		return false, unavailable(fmt.Errorf("%s does not fit the ledger: %w", ring.Path(), errRing))
	}
	return true, nil
}

func rotations(ask asker) (n int64, err error) {
	err = ask(`SELECT rotations FROM counter WHERE id = 1`).into(&n)
	return n, err
}

func openPerson(ring *consent.Keyring, ask asker, r personRow) (person, error) {
	b, ok := ring.Bucket(r.bucket)
	if !ok {
		if _, err := freshen(ring, ask); err != nil {
			return person{}, err
		}
		if b, ok = ring.Bucket(r.bucket); !ok {
			return person{}, unavailable(fmt.Errorf("%s has no key for a person: %w", ring.Path(), errRing))
		}
	}
	key, ref, err := r.open(b)
	if err != nil {
		return person{}, err
	}
	secret, err := consent.SecretOf(key)
	return person{r.handle, ref, secret}, err
}

// person is whose handle it is; noRow tells that they have been erased.
func (t *tx) person(handle string) (person, error) {
	if p, ok := t.people[handle]; ok {
		return p, nil
	}
	return personOf(t.db.ring, t.row, handle)
}

// person is whose handle it is, outside a transaction.
func (db *DB) person(ctx context.Context, handle string) (person, error) {
	return personOf(db.ring, db.asker(ctx), handle)
}

func personOf(ring *consent.Keyring, ask asker, handle string) (person, error) {
	var r personRow
	if err := ask(`SELECT `+personColumns+` FROM person WHERE handle = $1`, handle).into(r.fields()...); err != nil {
		return person{}, err
	}
	return openPerson(ring, ask, r)
}

// keep finds a person, and makes one of somebody new. It takes the lock, so that no rotation comes in between.
func (t *tx) keep(kind personKind, ref consent.Ref) (person, error) {
	p, err := t.find(kind, ref)
	if !noRow(err) {
		return p, err
	}
	if err := t.lock(); err != nil {
		return person{}, err
	}
	if p, err := t.find(kind, ref); !noRow(err) { // somebody else made it while this waited
		return p, err
	}
	if err := t.bind(); err != nil {
		return person{}, err
	}
	n, err := rotations(t.row)
	if err != nil {
		return person{}, err
	}
	b := t.db.ring.Writing(string(kind), ref, n)
	key := make([]byte, personKeyBytes)
	rand.Read(key)
	r := personRow{kind: string(kind), handle: newHandle()}
	r.seal(b, key, ref)
	if _, err := t.exec(`INSERT INTO person (lookup, kind, handle, bucket, sealed) VALUES ($1, $2, $3, $4, $5)`,
		b.Mark(r.kind, string(ref)), r.kind, r.handle, r.bucket, r.sealed); err != nil {
		return person{}, err
	}
	secret, err := consent.SecretOf(key)
	return t.met(kind, person{r.handle, ref, secret}, err)
}

// newHandle is 128 random bits, in hex.
func newHandle() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}
