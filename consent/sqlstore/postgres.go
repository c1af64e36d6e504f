// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// postgres is a database on a server, which several processes may use at the same time.
func postgres(dsn string) (dialect, error) {
	base, err := postgresConfig(dsn)
	if err != nil {
		return dialect{}, err
	}
	// Asks every second: a process that starts while another one migrates waits for it, ten minutes at most.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 600))
	if err != nil {
		return dialect{}, fmt.Errorf("sqlstore: %w", err)
	}
	return dialect{
		name: "PostgreSQL at " + postgresPlace(base), schema: goose.DialectPostgres, close: func() error { return nil },
		locking:  []goose.ProviderOption{goose.WithSessionLocker(locker)},
		open:     func(u use) (*sql.DB, error) { return stdlib.OpenDB(*postgresFor(base, u)), nil },
		counter:  `SELECT change, tree_size FROM counter WHERE id = 1 FOR UPDATE`,
		writers:  8,
		readers:  12,
		patience: 15 * time.Second,
	}, nil
}

// postgresConfig reads the data source name. No error of it repeats a part of it: what cannot be read may be
// a password.
func postgresConfig(dsn string) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("sqlstore: not an address of PostgreSQL: write postgres://user:password@host:port/database, " +
			"with %XX for whatever is neither letter nor digit in the password, or leave the password to PGPASSWORD or a passfile")
	}
	if host, ok := maybePlain(c); ok {
		return nil, fmt.Errorf("sqlstore: the connection to %s would be encrypted or not, as whoever stands in between likes: "+
			"add sslmode=verify-full to the address, or sslmode=disable where nobody can stand in between", host)
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 5 * time.Second
	}
	c.ValidateConnect = suitable
	return c, nil
}

// maybePlain finds a host on the network that is tried with encryption and without.
func maybePlain(c *pgx.ConnConfig) (string, bool) {
	encrypted := map[string]bool{}
	ways := append([]*pgconn.FallbackConfig{{Host: c.Host, TLSConfig: c.TLSConfig}}, c.Fallbacks...)
	for _, w := range ways {
		encrypted[w.Host] = encrypted[w.Host] || w.TLSConfig != nil
	}
	for _, w := range ways {
		if w.TLSConfig == nil && encrypted[w.Host] && !onThisMachine(w.Host) {
			return w.Host, true
		}
	}
	return "", false
}

func onThisMachine(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || err == nil && a.IsLoopback()
}

// postgresPlace names the database for people, without user and password.
func postgresPlace(c *pgx.ConnConfig) string {
	if onThisMachine(c.Host) && strings.HasPrefix(c.Host, "/") {
		return c.Host + ", database " + c.Database
	}
	return net.JoinHostPort(c.Host, fmt.Sprint(c.Port)) + ", database " + c.Database
}

// postgresFor says what a connection is for. What the address itself sets of the time limits stays; what an
// acknowledged write rests on does not, nor what the server sets for this role or database.
func postgresFor(base *pgx.ConnConfig, u use) *pgx.ConnConfig {
	c := base.Copy()
	said := c.RuntimeParams
	c.RuntimeParams = map[string]string{"application_name": "doorstep", "lock_timeout": "5s"}
	if u != migrating {
		c.RuntimeParams["statement_timeout"] = "10s"
		c.RuntimeParams["idle_in_transaction_session_timeout"] = "3s" // a process that hangs must not hold the counter row
	}
	maps.Copy(c.RuntimeParams, said)
	if c.RuntimeParams["synchronous_commit"] != "remote_apply" { // which is more than on
		c.RuntimeParams["synchronous_commit"] = "on"
	}
	c.RuntimeParams["default_transaction_isolation"] = "read committed"
	c.RuntimeParams["default_transaction_read_only"] = "off"
	if u == reading {
		c.RuntimeParams["default_transaction_read_only"] = "on"
	}
	return c
}
