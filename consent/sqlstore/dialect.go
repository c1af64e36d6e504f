// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"database/sql"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
)

// dialect is all that the databases do not share: how one is reached, what a connection has to be told,
// and how the counter row is held. The SQL is the same, but for that one query.
type dialect struct {
	name     string                     // for people
	open     func(use) (*sql.DB, error) // a pool of connections
	close    func() error               // gives back what was taken besides connections
	schema   goose.Dialect              // in whose way the tables are brought up to date
	locking  []goose.ProviderOption     // and how a second process is kept from doing so at the same time
	counter  string                     // reads the counter row, and holds it until the transaction ends
	writers  int                        // transactions at once
	readers  int                        // readers at once
	prepares bool                       // statements are to be prepared here: the driver does not do it by itself
	alone    bool                       // no other process can have it open
	patience time.Duration              // how long a transaction may take; 0 where there is no network to wait for
}

// use is what connections are for.
type use int

const (
	migrating use = iota
	writing
	reading
)

// dialectOf finds what a data source name speaks of.
func dialectOf(dsn string) (dialect, error) {
	if isPostgres(dsn) {
		return postgres(dsn)
	}
	return sqlite(dsn)
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}
