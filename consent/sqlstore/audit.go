// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/pressly/goose/v3"

	"doorstep/consent"
)

// Evidence is a ledger opened for reading only, at one moment, beside whatever process works on it. It takes
// no lock and changes nothing.
type Evidence struct {
	db *DB
	tx *sql.Tx
}

var _ consent.Evidence = (*Evidence)(nil)

// ErrOlder is why a ledger is not read whose tables have not been brought up to date.
var ErrOlder = errors.New("the ledger was last used by an older doorstep: start the server of this version on it once, or use the program that wrote it")

// OpenEvidence opens the ledger that dsn names as in Open. There has to be one, and its tables have to be
// those that this program knows: ErrOlder, ErrNewer.
func OpenEvidence(ctx context.Context, dsn string, opts ...Option) (_ *Evidence, err error) {
	db, err := readOnly(dsn)
	if err != nil {
		return nil, err
	}
	for _, o := range opts {
		o(db)
	}
	if db.reader, err = db.pool(reading, 2); err != nil {
		return nil, err
	}
	e := &Evidence{db: db}
	if err := db.versionFits(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	for again := true; again; {
		if again, err = e.begin(ctx); err != nil {
			return nil, errors.Join(err, e.Close())
		}
	}
	return e, nil
}

// begin takes the moment: a snapshot of the database, and the keyring as it was then. The keyring may have been
// read just before a rotation of which the snapshot knows; it is read again, once.
func (e *Evidence) begin(ctx context.Context) (again bool, err error) {
	first := e.tx == nil
	if !first {
		if err := e.tx.Rollback(); err != nil {
			return false, unavailable(err)
		}
	}
	if err := e.db.loadRing(); err != nil {
		return false, err
	}
	// One snapshot: what SQLite reads in a transaction is one anyway.
	level := sql.LevelDefault
	if e.db.schema == goose.DialectPostgres {
		level = sql.LevelRepeatableRead
	}
	if e.tx, err = e.db.reader.BeginTx(ctx, &sql.TxOptions{Isolation: level, ReadOnly: true}); err != nil {
		return false, unavailable(err)
	}
	held, err := e.Setting(ctx, ringSetting)
	if err != nil || held == "" {
		return false, err
	}
	if e.db.ring == nil || e.db.ring.ID() != held {
		return false, fmt.Errorf("sqlstore: %s: %w", e.db.keyring, consent.ErrKeyring)
	}
	var n int64
	if err := e.all(ctx, func(r *sql.Rows) error { return r.Scan(&n) }, `SELECT rotations FROM counter WHERE id = 1`); err != nil {
		return false, err
	}
	if !e.db.ring.Knows(n) {
		if !first {
			return false, fmt.Errorf("sqlstore: %s: %w", e.db.keyring, consent.ErrKeyring)
		}
		return true, nil
	}
	return false, nil
}

// Keyring is the path of the keys by which people can be read.
func (db *DB) Keyring() string { return db.keyring }

// readOnly finds the database without opening it for writing, and without its lock.
func readOnly(dsn string) (*DB, error) {
	if isPostgres(dsn) {
		d, err := postgres(dsn)
		return &DB{dialect: d}, err
	}
	path, err := sqlitePath(dsn)
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	q := url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)", "query_only(ON)"}}
	uri := url.URL{Scheme: "file", Path: path, RawQuery: q.Encode()}
	return &DB{dialect: dialect{
		name: path, schema: goose.DialectSQLite3, alone: true, open: func(use) (*sql.DB, error) { return sql.Open("sqlite", uri.String()) },
	}}, nil
}

func (db *DB) versionFits(ctx context.Context) error {
	p, err := db.provider(db.reader)
	if err != nil {
		return err
	}
	sources := p.ListSources()
	knows := sources[len(sources)-1].Version
	var is int64
	if err := db.row(ctx, `SELECT MAX(version_id) FROM goose_db_version`).into(&is); err != nil {
		return fmt.Errorf("sqlstore: this is no ledger: %w", err)
	}
	switch {
	case is > knows:
		return fmt.Errorf("sqlstore: version %d of the tables, of which this program knows %d: %w", is, knows, ErrNewer)
	case is < knows:
		return fmt.Errorf("sqlstore: version %d of the tables, of which this program knows %d: %w", is, knows, ErrOlder)
	}
	return nil
}

// Close releases the database.
func (e *Evidence) Close() error {
	var errs []error
	if e.tx != nil {
		errs = append(errs, e.tx.Rollback())
	}
	return errors.Join(append(errs, e.db.reader.Close())...)
}

func (e *Evidence) all(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := e.tx.QueryContext(ctx, query, args...)
	return eachRow(rows, err, scan)
}

// Setting is a value that was claimed, "" if none was; see consent.Store.
func (e *Evidence) Setting(ctx context.Context, name string) (value string, err error) {
	err = e.all(ctx, func(r *sql.Rows) error { return r.Scan(&value) }, `SELECT value FROM setting WHERE name = $1`, name)
	return value, err
}

// Head is the size of the log and the name under which it signs.
func (e *Evidence) Head(ctx context.Context) (size int64, origin string, err error) {
	if err = e.all(ctx, func(r *sql.Rows) error { return r.Scan(&size) }, `SELECT tree_size FROM counter WHERE id = 1`); err != nil {
		return 0, "", err
	}
	origin, err = e.Setting(ctx, consent.LogOriginSetting)
	return size, origin, err
}

// TreeHead is the size and root of the log, from its stored hashes.
func (e *Evidence) TreeHead(ctx context.Context) (consent.TreeHead, error) {
	size, _, err := e.Head(ctx)
	if err != nil {
		return consent.TreeHead{}, err
	}
	return treeHead(size, hashReader(func(scan func(*sql.Rows) error, query string, args ...any) error {
		return e.all(ctx, scan, query, args...)
	}))
}

// Notices are the notices that were ever in force, and what is said to be in the log.
func (e *Evidence) Notices(ctx context.Context, f func(consent.KeptNotice) error) error {
	return e.all(ctx, func(r *sql.Rows) error {
		var name, place, hash, id, lang, body sql.NullString
		var version sql.NullInt64
		if err := r.Scan(&name, &place, &hash, &id, &version, &lang, &body); err != nil {
			return err
		}
		n := consent.KeptNotice{Hash: strings.TrimPrefix(name.String, noticeLeaf), Index: -1}
		if hash.Valid {
			n.Name, n.Body = consent.Notice{ID: id.String, Version: int(version.Int64), Lang: lang.String}.Name(), []byte(body.String)
		}
		if !name.Valid {
			n.Hash = hash.String
		}
		if i, err := strconv.ParseInt(place.String, 10, 64); err == nil && strconv.FormatInt(i, 10) == place.String {
			n.Index = i
		}
		return f(n)
	}, `SELECT s.name, s.value, n.hash, n.id, n.version, n.lang, n.body FROM setting s LEFT JOIN notice n ON s.name = $1 || n.hash WHERE s.name LIKE $2
		UNION ALL SELECT NULL, NULL, n.hash, n.id, n.version, n.lang, n.body FROM notice n WHERE NOT EXISTS (SELECT 1 FROM setting s WHERE s.name = $1 || n.hash)`,
		noticeLeaf, noticeLeaf+"%")
}

// Leaves are the leaves by index.
func (e *Evidence) Leaves(ctx context.Context, f func(index int64, text string) error) error {
	return e.indexed(ctx, `SELECT idx, body FROM leaf ORDER BY idx`, f)
}

// Hashes are the stored hashes by index.
func (e *Evidence) Hashes(ctx context.Context, f func(index int64, hash string) error) error {
	return e.indexed(ctx, `SELECT idx, hash FROM loghash ORDER BY idx`, f)
}

func (e *Evidence) indexed(ctx context.Context, query string, f func(int64, string) error) error {
	return e.all(ctx, func(r *sql.Rows) error {
		var i int64
		var text string
		if err := r.Scan(&i, &text); err != nil {
			return err
		}
		return f(i, text)
	}, query)
}

// Kept are the decisions, the ends, and the proofs of those who have been erased.
func (e *Evidence) Kept(ctx context.Context, f func(consent.Kept) error) error {
	each := func(read func(*sql.Rows) (consent.Kept, error)) func(*sql.Rows) error {
		return func(r *sql.Rows) error {
			k, err := read(r)
			if err == nil {
				err = f(k)
			}
			return err
		}
	}
	if err := e.all(ctx, each(e.decision), `SELECT r.id, r.name, r.store, r.purpose, r.notice, r.choice, r.state, r.live, COALESCE(s.epoch, 0) = r.epoch AND COALESCE(s.subject, '') = r.subject,
			EXISTS (SELECT 1 FROM stop_token k WHERE k.subject = r.subject AND k.installation = r.installation AND k.store = r.store AND k.given_at / 1000 = r.decided_at / 1000),
			r.decided_at, r.given_until, r.expires_at, r.ended_at, r.ended_by, r.body,
			p.kind, p.handle, p.bucket, p.sealed, i.kind, i.handle, i.bucket, i.sealed
		FROM record r LEFT JOIN scope s ON s.installation = r.installation AND s.store = r.store
			LEFT JOIN person p ON p.handle = r.subject LEFT JOIN person i ON i.handle = r.installation`); err != nil {
		return err
	}
	if err := e.all(ctx, each(e.ending), `SELECT e.id, e.ended_at, e.body, p.kind, p.handle, p.bucket, p.sealed
		FROM ending e LEFT JOIN person p ON p.handle = e.subject WHERE e.kind <> $1`, string(consent.EndSession)); err != nil {
		return err
	}
	return e.all(ctx, each(func(r *sql.Rows) (k consent.Kept, err error) {
		var p keptProof
		var mark string
		err = r.Scan(&p.Index, &p.Until, &p.Body, &mark)
		k.Proof, k.Index = true, p.Index
		if e.db.ring == nil || mark != p.mark(e.db.ring) {
			k.Damaged = "the sealed proof, or the date until which it is kept, is not what was written at the erasure"
		}
		return k, err
	}), `SELECT log_index, until, body, mark FROM proof`)
}

// joined is a person's row at the other side of a join, which may have nothing to join.
type joined [4]sql.NullString

func (j *joined) fields() []any { return []any{&j[0], &j[1], &j[2], &j[3]} }

func (j joined) row() personRow {
	return personRow{j[0].String, j[1].String, j[2].String, j[3].String}
}

// open opens it with the keyring of the moment, which is not read again: what is in the snapshot is under its keys.
func (j joined) open(e *Evidence) (person, error) {
	p, _, err := e.open(j.row())
	return p, err
}

func (e *Evidence) open(row personRow) (person, consent.Bucket, error) {
	b, ok := consent.Bucket{}, false
	if e.db.ring != nil {
		b, ok = e.db.ring.Bucket(row.bucket)
	}
	if !ok {
		return person{}, b, consent.ErrSealed
	}
	key, ref, err := row.open(b)
	if err != nil {
		return person{}, b, err
	}
	secret, err := consent.SecretOf(key)
	return person{row.handle, ref, secret}, b, err
}

// People are the shoppers and phones that are known, each as far as they can be found and read.
func (e *Evidence) People(ctx context.Context, f func(consent.KeptPerson) error) error {
	return e.all(ctx, func(r *sql.Rows) error {
		var row personRow
		var lookup string
		if err := r.Scan(append(row.fields(), &lookup)...); err != nil {
			return err
		}
		k := consent.KeptPerson{Kind: row.kind, Row: row.handle}
		if p, b, err := e.open(row); err != nil {
			k.Damaged = "who it is cannot be opened"
		} else {
			lookups := e.db.ring.Lookups(row.kind, p.ref)
			k.Findable = lookup == b.Mark(row.kind, string(p.ref)) && slices.Contains(lookups[:], lookup)
		}
		return f(k)
	}, `SELECT `+personColumns+`, lookup FROM person ORDER BY handle`)
}

func (e *Evidence) decision(r *sql.Rows) (consent.Kept, error) {
	var d consent.KeptDecision
	k := consent.Kept{Decided: &d, Index: -1}
	var name, body string
	var subject, phone joined
	var live, decided, until, expires, ended int64
	err := r.Scan(append(append([]any{&k.ID, &name, &d.Scope.Store, &d.Purpose, &d.Notice, &d.Choice, &d.State, &live, &d.Current, &d.Stoppable,
		&decided, &until, &expires, &ended, &d.EndedBy, &body}, subject.fields()...), phone.fields()...)...)
	if err != nil {
		return k, err
	}
	d.Live, d.DecidedAt, d.GivenUntil = live != 0, fromMicros(decided), fromMicros(until)
	d.ExpiresAt, d.EndedAt = fromMicros(expires), fromMicros(ended)
	who, err := subject.open(e)
	if err != nil {
		k.Damaged = "whose it is cannot be told"
		return k, nil
	}
	at, err := phone.open(e)
	if err != nil {
		k.Damaged = "whose phone it was cannot be told"
		return k, nil
	}
	event, err := openEvent(who, "record", body)
	if err != nil || event.Record == nil {
		k.Damaged = "its record cannot be opened"
		return k, nil
	}
	k.Index, k.Key, k.Receipt, d.Record, d.Said = event.Index, event.Key, event.Receipt, event.Record, event.Choice
	d.Subject, d.Scope.Installation = who.ref, at.ref
	id, err := who.text("name", name)
	switch {
	case err != nil || who.mark("event", id) != k.ID:
		k.Damaged = "its id cannot be told, or is another one's"
	case live != 0 && live != 1:
		k.Damaged = "whether it is in force cannot be told"
	}
	k.RecordID = id
	return k, nil
}

func (e *Evidence) ending(r *sql.Rows) (consent.Kept, error) {
	k := consent.Kept{Index: -1}
	var ended int64
	var body string
	var owner joined
	if err := r.Scan(append([]any{&k.ID, &ended, &body}, owner.fields()...)...); err != nil {
		return k, err
	}
	k.EndedAt = fromMicros(ended)
	who, err := owner.open(e)
	if err != nil {
		k.Damaged = "whose it is cannot be told"
		return k, nil
	}
	event, err := openEvent(who, "ending", body)
	if err != nil || event.Ending == nil {
		k.Damaged = "its answer cannot be opened"
		return k, nil
	}
	k.Index, k.Key, k.Receipt, k.RecordID = event.Index, event.Key, event.Receipt, event.Ending.ID
	if who.mark("event", k.RecordID) != k.ID || !event.Ending.At.Equal(k.EndedAt) || event.Ending.Receipt != event.Receipt {
		k.Damaged = "its row and its answer are not of the same end"
	}
	return k, nil
}
