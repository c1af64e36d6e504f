// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"doorstep/consent"
)

// tx is one write transaction. The counter row is read at the beginning and written back once, at the end; it
// is locked in between.
type tx struct {
	db      *DB
	sql     *sql.Tx
	stmts   *statements
	ctx     context.Context
	now     time.Time
	locked  bool
	change  int64
	size    int64 // leaves in the log
	changed bool
	people  map[string]person // met in this transaction, by handle and by kind and Ref
}

// write runs f in one durable transaction, which nothing else that is written comes in between: it begins by
// taking the counter row. What f reads is therefore all there is, on PostgreSQL too, where each statement of a
// transaction sees what has been committed before it (READ COMMITTED). The caller's context can give up
// waiting for its turn; once begun, the transaction is carried to its end, which is near.
func (db *DB) write(ctx context.Context, f func(*tx) error) error {
	return db.writeIn(ctx, false, locked(f))
}

// writeNow is write for what the promises wait for: it goes before all that is merely waiting.
func (db *DB) writeNow(ctx context.Context, f func(*tx) error) error {
	return db.writeIn(ctx, true, locked(f))
}

// mark is writeNow for what changes one row that is its caller's own, and decides nothing by any other: it need
// not wait for the counter row.
func (db *DB) mark(ctx context.Context, f func(*tx) error) error { return db.writeIn(ctx, true, f) }

func locked(f func(*tx) error) func(*tx) error {
	return func(t *tx) error {
		if err := t.lock(); err != nil {
			return err
		}
		if err := t.day(); err != nil { // or an id that another node has marked would not be found
			return err
		}
		return f(t)
	}
}

func (db *DB) writeIn(ctx context.Context, urgent bool, f func(*tx) error) (err error) {
	if err := db.turn.take(ctx, urgent); err != nil {
		return unavailable(err)
	}
	defer db.turn.give()
	ctx, cancel := db.carry(ctx)
	defer cancel()
	begun, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return unavailable(err)
	}
	t := &tx{db: db, sql: begun, stmts: &db.stmts, ctx: ctx, now: db.now()}
	if err = f(t); err == nil {
		err = t.writeCounter()
	}
	if err != nil {
		if undo := begun.Rollback(); undo != nil {
			err = errors.Join(err, unavailable(undo))
		}
		return err
	}
	if err := begun.Commit(); err != nil {
		return unavailable(err)
	}
	if t.locked {
		db.wrote.Add(1)
	}
	db.stmts.learn(ctx)
	return nil
}

// carry is the context of a transaction: that the caller went away does not break it off, since that would cost
// a connection and leave its outcome open. Over a network its end need not be near; there the caller's deadline
// counts, and patience if it has none.
func (db *DB) carry(ctx context.Context) (context.Context, context.CancelFunc) {
	carried := context.WithoutCancel(ctx)
	if db.patience == 0 {
		return carried, func() {}
	}
	until := time.Now().Add(db.patience)
	if d, ok := ctx.Deadline(); ok && d.Before(until) {
		until = d
	}
	return context.WithDeadline(carried, until)
}

// lock takes the counter row, if the transaction has not done so.
func (t *tx) lock() error {
	if t.locked {
		return nil
	}
	t.locked = true
	if err := t.row(t.db.counter).into(&t.change, &t.size); err != nil {
		return err
	}
	return t.db.behindMark(t.change, t.db.high.reached())
}

func (t *tx) writeCounter() error {
	if !t.changed {
		return nil
	}
	_, err := t.exec(`UPDATE counter SET change = $1, tree_size = $2 WHERE id = 1`, t.change, t.size)
	return err
}

// enter appends to the feed, under the next change number and at the time of the transaction. What names a visit
// or an alert is sealed for the day. Subject is the handle of whose it is, which an erasure finds it by; empty if
// it is nobody's.
func (t *tx) enter(e consent.Entry, subject string, body any) (int64, error) {
	if err := t.lock(); err != nil {
		return 0, err
	}
	t.change, t.changed = t.change+1, true
	if end, ok := body.(*consent.End); ok {
		end.Change = t.change
	}
	text, err := json.Marshal(body)
	if err != nil {
		return 0, fmt.Errorf("sqlstore: %w", err)
	}
	sealed, err := t.sealDay("feed", append([]byte(e.Alert+"\n"), text...))
	if err != nil {
		return 0, err
	}
	_, err = t.exec(`INSERT INTO feed (change, kind, store, subject, entered_at, body) VALUES ($1, $2, $3, $4, $5, $6)`,
		t.change, string(e.Kind), e.Store, subject, micros(t.now), sealed)
	return t.change, err
}

func (t *tx) exec(query string, args ...any) (int64, error) {
	var r sql.Result
	var err error
	if s := t.stmts.get(query); s != nil {
		r, err = t.sql.StmtContext(t.ctx, s).ExecContext(t.ctx, args...)
	} else {
		r, err = t.sql.ExecContext(t.ctx, query, args...)
	}
	if err != nil {
		return 0, unavailable(err)
	}
	n, err := r.RowsAffected()
	return n, unavailable(err)
}

func (t *tx) row(query string, args ...any) row {
	if s := t.stmts.get(query); s != nil {
		return row{t.sql.StmtContext(t.ctx, s).QueryRowContext(t.ctx, args...)}
	}
	return row{t.sql.QueryRowContext(t.ctx, query, args...)}
}

// all calls scan for each row. It has read them all before anything else is asked of the connection.
func (t *tx) all(scan func(*sql.Rows) error, query string, args ...any) error {
	var rows *sql.Rows
	var err error
	if s := t.stmts.get(query); s != nil {
		rows, err = t.sql.StmtContext(t.ctx, s).QueryContext(t.ctx, args...)
	} else {
		rows, err = t.sql.QueryContext(t.ctx, query, args...)
	}
	return eachRow(rows, err, scan)
}

// row is the answer of a query for one row.
type row struct{ *sql.Row }

// errNoRow is that there is none.
var errNoRow = errors.New("sqlstore: no such row")

func (r row) into(dest ...any) error {
	err := r.Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return errNoRow
	}
	return unavailable(err)
}

func (db *DB) row(ctx context.Context, query string, args ...any) row {
	return row{db.reader.QueryRowContext(ctx, query, args...)}
}

func (db *DB) all(ctx context.Context, scan func(*sql.Rows) error, query string, args ...any) error {
	rows, err := db.reader.QueryContext(ctx, query, args...)
	return eachRow(rows, err, scan)
}

func eachRow(rows *sql.Rows, err error, scan func(*sql.Rows) error) error {
	if err != nil {
		return unavailable(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return unavailable(err)
		}
	}
	return unavailable(rows.Err())
}

// statements are the prepared ones of a single writing connection: parsing takes longer than most of them run.
// One is prepared after the first transaction that used it, when the connection is free. Without prepare there
// are none: a driver with several connections keeps its own for each.
type statements struct {
	prepare func(context.Context, string) (*sql.Stmt, error)
	known   map[string]*sql.Stmt
	seen    []string
}

func (s *statements) get(query string) *sql.Stmt {
	if p, ok := s.known[query]; ok || s.prepare == nil {
		return p
	}
	s.seen = append(s.seen, query)
	return nil
}

// learn prepares what was seen. The transaction is committed by then, so a failure to prepare is not one
// of the write: the query is simply parsed again next time.
func (s *statements) learn(ctx context.Context) {
	if s.prepare == nil {
		return
	}
	if s.known == nil {
		s.known = map[string]*sql.Stmt{}
	}
	for _, query := range s.seen {
		if s.known[query] != nil {
			continue
		}
		if p, err := s.prepare(ctx, query); err == nil {
			s.known[query] = p
		}
	}
	s.seen = s.seen[:0]
}

func (s *statements) close() error {
	var errs []error
	for _, p := range s.known {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}
