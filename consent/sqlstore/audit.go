// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
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
	if db.reader, err = db.pool(reading, 4); err != nil {
		return nil, err
	}
	e := &Evidence{db: db}
	if err := db.versionFits(ctx); err != nil {
		return nil, errors.Join(err, e.Close())
	}
	// One snapshot: what SQLite reads in a transaction is one anyway.
	level := sql.LevelDefault
	if db.schema == goose.DialectPostgres {
		level = sql.LevelRepeatableRead
	}
	if e.tx, err = db.reader.BeginTx(ctx, &sql.TxOptions{Isolation: level, ReadOnly: true}); err != nil {
		return nil, errors.Join(unavailable(err), e.Close())
	}
	return e, nil
}

// readOnly finds the database without opening it for writing, and without its lock.
func readOnly(dsn string) (*DB, error) {
	if strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://") {
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
		name: path, schema: goose.DialectSQLite3, open: func(use) (*sql.DB, error) { return sql.Open("sqlite", uri.String()) },
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

// Notices are the notices that are said to be in the log.
func (e *Evidence) Notices(ctx context.Context, f func(hash string, index int64) error) error {
	return e.all(ctx, func(r *sql.Rows) error {
		var name, value string
		if err := r.Scan(&name, &value); err != nil {
			return err
		}
		index, err := strconv.ParseInt(value, 10, 64)
		if err != nil || strconv.FormatInt(index, 10) != value {
			index = -1
		}
		return f(strings.TrimPrefix(name, noticeLeaf), index)
	}, `SELECT name, value FROM setting WHERE name LIKE $1 ORDER BY name`, noticeLeaf+"%")
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

// Kept are the decisions and the ends.
func (e *Evidence) Kept(ctx context.Context, f func(consent.Kept) error) error {
	err := e.all(ctx, func(r *sql.Rows) error {
		k, err := e.decision(ctx, r)
		if err == nil {
			err = f(k)
		}
		return err
	}, `SELECT r.id, r.subject, r.installation, r.store, r.purpose, r.notice, r.choice, r.state, r.live, COALESCE(s.epoch, 0) = r.epoch,
			r.decided_at, r.given_until, r.expires_at, r.ended_at, r.ended_by, r.body, r.log_index, r.log_key, r.receipt
		FROM record r LEFT JOIN scope s ON s.installation = r.installation AND s.store = r.store ORDER BY r.log_index`)
	if err != nil {
		return err
	}
	return e.all(ctx, func(r *sql.Rows) error {
		k, err := e.ending(r)
		if err == nil {
			err = f(k)
		}
		return err
	}, `SELECT id, ended_at, body, log_index, log_key FROM ending WHERE log_index >= 0 ORDER BY log_index`)
}

func (e *Evidence) decision(ctx context.Context, r *sql.Rows) (consent.Kept, error) {
	var d consent.KeptDecision
	k := consent.Kept{Decided: &d}
	var subject, installation, body string
	var live, decided, until, expires, ended int64
	if err := r.Scan(&k.ID, &subject, &installation, &d.Scope.Store, &d.Purpose, &d.Notice, &d.Choice, &d.State, &live, &d.Current,
		&decided, &until, &expires, &ended, &d.EndedBy, &body, &k.Index, &k.Key, &k.Receipt); err != nil {
		return k, err
	}
	d.Live, d.DecidedAt, d.GivenUntil = live != 0, fromMicros(decided), fromMicros(until)
	d.ExpiresAt, d.EndedAt = fromMicros(expires), fromMicros(ended)
	if live != 0 && live != 1 {
		k.Damaged = "whether it is in force cannot be told"
		return k, nil
	}
	who, err := e.db.person(ctx, subject)
	if err != nil {
		k.Damaged = "whose it is cannot be told"
		return k, nil
	}
	phone, err := e.db.person(ctx, installation)
	if err != nil {
		k.Damaged = "whose phone it was cannot be told"
		return k, nil
	}
	k.RecordID, d.Subject, d.Scope.Installation = k.ID, who.ref, phone.ref
	if d.Record, err = who.open(body); err != nil {
		k.Damaged = "its record cannot be opened"
	}
	return k, nil
}

func (e *Evidence) ending(r *sql.Rows) (consent.Kept, error) {
	var k consent.Kept
	var ended int64
	var body string
	if err := r.Scan(&k.ID, &ended, &body, &k.Index, &k.Key); err != nil {
		return k, err
	}
	k.EndedAt = fromMicros(ended)
	var kept consent.Ending
	if err := json.Unmarshal([]byte(body), &kept); err != nil || kept.ID != k.ID || !kept.At.Equal(k.EndedAt) {
		k.Damaged = "its answer is not the one that was kept"
		return k, nil
	}
	k.RecordID, k.Receipt = kept.ID, kept.Receipt
	return k, nil
}
