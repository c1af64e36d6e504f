// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"doorstep/consent"
)

// unavailable marks what a driver said as the ledger being out of reach. That goes for every error of a
// database alike: what it was asked to write may have been written or not, and is asked for again under the same
// id. PostgreSQL gives a transaction up by itself where two wait for each other (40P01) or have crossed (40001);
// neither can happen between transactions that begin by taking one row, and if it does, it is no different.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", consent.ErrUnavailable, said(err))
}

// driverError is what a driver said, in words that hold no value of a row and no password.
type driverError struct {
	text  string
	cause error
}

func (e *driverError) Error() string { return e.text }
func (e *driverError) Unwrap() error { return e.cause }

// unsuitable is why a server is refused.
type unsuitable string

func (u unsuitable) Error() string { return string(u) }

func said(err error) error {
	if u, ok := errors.AsType[unsuitable](err); ok {
		return &driverError{string(u), err}
	}
	pg, byServer := errors.AsType[*pgconn.PgError](err)
	c, connecting := errors.AsType[*pgconn.ConnectError](err)
	switch {
	case byServer:
		return &driverError{saidByServer(pg, connecting), err}
	case connecting:
		return &driverError{saidByNetwork(c), err}
	}
	return err
}

// saidByServer is an error of PostgreSQL. The classes that speak of data (22, 23, 42) may quote it; of them, only the
// number and the names of the tables are told, once there is a connection.
func saidByServer(pg *pgconn.PgError, connecting bool) string {
	switch pg.Code {
	case "28P01", "28000":
		return "the server does not let this user in: check the user, the password and pg_hba.conf"
	case "3D000":
		return "there is no such database: create it with createdb --encoding UTF8"
	case "42501":
		return fmt.Sprintf("the user may not do this (SQLSTATE %s): let the database and its tables be the user's own", pg.Code)
	}
	switch class := pg.Code[:min(2, len(pg.Code))]; {
	case !connecting && (class == "22" || class == "23" || class == "42"):
		where := strings.Trim(pg.TableName+" "+pg.ConstraintName, " ")
		return strings.TrimSpace("SQLSTATE "+pg.Code+" "+where) + ": PostgreSQL's own log says more"
	}
	return fmt.Sprintf("%s (SQLSTATE %s)", pg.Message, pg.Code)
}

func saidByNetwork(c *pgconn.ConnectError) string {
	if op, ok := errors.AsType[*net.OpError](c); ok {
		why := op.Err
		if call, ok := errors.AsType[*os.SyscallError](op.Err); ok {
			why = call.Err
		}
		return fmt.Sprintf("%v: is PostgreSQL running there?", why)
	}
	cause := errors.Unwrap(c)
	for {
		several, ok := cause.(interface{ Unwrap() []error })
		if !ok || len(several.Unwrap()) == 0 {
			break
		}
		cause = several.Unwrap()[0]
	}
	return strings.Join(strings.Fields(cause.Error()), " ")
}
