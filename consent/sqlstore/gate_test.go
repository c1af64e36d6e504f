// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
)

// gate stands between the ledger and its writing connections. Either function may be nil; what it returns is
// reported in place of the statement's own answer. Statements are SQL, and "BEGIN", "COMMIT" and "ROLLBACK".
type gate struct {
	before func(statement string) error // before it is sent: with an error it is not
	after  func(statement string) error // when it has been carried out
}

func (g *gate) wrap(p *sql.DB) *sql.DB { return sql.OpenDB(gateConnector{g, p}) }

func (g *gate) ask(statement string) error {
	if g.before == nil {
		return nil
	}
	return g.before(statement)
}

func (g *gate) tell(statement string, err error) error {
	if err != nil || g.after == nil {
		return err
	}
	return g.after(statement)
}

// gateConnector takes its connections from a pool.
type gateConnector struct {
	gate *gate
	pool *sql.DB
}

func (c gateConnector) Connect(ctx context.Context) (driver.Conn, error) {
	held, err := c.pool.Conn(ctx)
	if err != nil {
		return nil, err
	}
	g := &gateConn{gate: c.gate, held: held}
	err = held.Raw(func(inner any) error { g.Conn = inner.(driver.Conn); return nil })
	return g, err
}

func (c gateConnector) Driver() driver.Driver { return c.pool.Driver() }
func (c gateConnector) Close() error          { return c.pool.Close() }

type gateConn struct {
	driver.Conn
	gate *gate
	held *sql.Conn
}

func (c *gateConn) Close() error { return c.held.Close() }

func (c *gateConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := c.gate.ask("BEGIN"); err != nil {
		return nil, err
	}
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := c.gate.tell("BEGIN", nil); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return gateTx{tx, c.gate}, nil
}

func (c *gateConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.gate.ask(query); err != nil {
		return nil, err
	}
	r, err := c.Conn.(driver.ExecerContext).ExecContext(ctx, query, args)
	return r, c.gate.tell(query, err)
}

func (c *gateConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.gate.ask(query); err != nil {
		return nil, err
	}
	r, err := c.Conn.(driver.QueryerContext).QueryContext(ctx, query, args)
	return told(r, c.gate.tell(query, err))
}

func (c *gateConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.Conn.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	return gateStmt{s, query, c.gate}, err
}

func (c *gateConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type gateTx struct {
	driver.Tx
	gate *gate
}

// Commit that is not sent leaves nothing: the server ends the transaction with the connection.
func (t gateTx) Commit() error {
	if err := t.gate.ask("COMMIT"); err != nil {
		return errors.Join(err, t.Tx.Rollback())
	}
	return t.gate.tell("COMMIT", t.Tx.Commit())
}

func (t gateTx) Rollback() error {
	if err := t.gate.ask("ROLLBACK"); err != nil {
		return errors.Join(err, t.Tx.Rollback())
	}
	return t.gate.tell("ROLLBACK", t.Tx.Rollback())
}

type gateStmt struct {
	driver.Stmt
	query string
	gate  *gate
}

func (s gateStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.gate.ask(s.query); err != nil {
		return nil, err
	}
	r, err := s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	return r, s.gate.tell(s.query, err)
}

func (s gateStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.gate.ask(s.query); err != nil {
		return nil, err
	}
	r, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	return told(r, s.gate.tell(s.query, err))
}

// told closes the rows of a query that is reported as failed.
func told(r driver.Rows, err error) (driver.Rows, error) {
	if err != nil && r != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, err
}
