// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"

	"doorstep/consent"
)

// How people are written down. No column holds a Ref, a visit, or any id that somebody outside could hold;
// what stands for them is made and read here, so that the storage form is decided in one place:
//
//	a subject or an installation   person.handle; find and keep translate from the Ref, person back to it
//	an id of one person's, kept    person.mark(kind, id): to compare with; person.seal to read again
//	an id that lives for a day     mark to write, marks to look for: WHERE id IN ($1, $2)
//	whatever names any of these    person.seal for what is long-lived and one person's; sealDay for what goes in a day

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
}

// mark is an id of this person's, to compare with: 32 hex digits.
func (p person) mark(kind, id string) string { return id }

// seal makes text of this person's readable only for as long as the person is known here.
func (p person) seal(text []byte) (string, error) { return string(text), nil }

// open reads what seal made.
func (p person) open(sealed string) ([]byte, error) { return []byte(sealed), nil }

// keep finds a person, and makes one of somebody new. It takes the lock.
func (t *tx) keep(kind personKind, ref consent.Ref) (person, error) {
	return person{string(ref), ref}, t.lock()
}

// find finds a person; noRow tells that they are not known here.
func (t *tx) find(kind personKind, ref consent.Ref) (person, error) {
	return person{string(ref), ref}, nil
}

// find finds a person outside a transaction.
func (db *DB) find(ctx context.Context, kind personKind, ref consent.Ref) (person, error) {
	return person{string(ref), ref}, nil
}

// person is whose handle it is.
func (t *tx) person(handle string) (person, error) { return person{handle, consent.Ref(handle)}, nil }

// person is whose handle it is, outside a transaction.
func (db *DB) person(ctx context.Context, handle string) (person, error) {
	return person{handle, consent.Ref(handle)}, nil
}

// mark is an id that lives for a day at most, as it is written.
func (t *tx) mark(kind, id string) (string, error) { return id, nil }

// marks are the forms in which mark may have written an id that is still alive: always two, to look for.
func (t *tx) marks(kind, id string) ([2]string, error) { return [2]string{id, id}, nil }

// marks is the same outside a transaction.
func (db *DB) marks(kind, id string) ([2]string, error) { return [2]string{id, id}, nil }

// sealDay makes text readable for a day at least and two at most.
func (t *tx) sealDay(text []byte) (string, error) { return string(text), nil }

// openDay reads what sealDay made.
func (t *tx) openDay(sealed string) ([]byte, error) { return []byte(sealed), nil }

// openDay is the same outside a transaction.
func (db *DB) openDay(sealed string) ([]byte, error) { return []byte(sealed), nil }

// WithKeyring names the file that holds the keys by which people can be read, outside the database. Without
// it, it lies beside a SQLite file, by the name of that and ".keyring".
func WithKeyring(path string) Option { return func(db *DB) { db.keyring = path } }
