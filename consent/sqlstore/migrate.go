// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// ErrNewer is why a program is refused that is older than the tables: it would not keep what it does not
// know of.
var ErrNewer = errors.New("the ledger was brought up to date by a newer doorstep: run that one, or restore the backup that was made before")

// migrate brings the tables up to date.
func (db *DB) migrate(ctx context.Context) (err error) {
	pool, err := db.open(migrating)
	if err != nil {
		return unavailable(err)
	}
	defer func() { err = errors.Join(err, pool.Close()) }()
	if err := pool.PingContext(ctx); err != nil {
		return fmt.Errorf("%s: %w", db.name, unavailable(err))
	}
	p, err := db.provider(pool)
	if err != nil {
		return err
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("sqlstore: bringing the tables up to date: %w", unavailable(err))
	}
	is, knows, err := p.GetVersions(ctx)
	if err != nil {
		return fmt.Errorf("sqlstore: the version of the tables: %w", unavailable(err))
	}
	if is > knows {
		return fmt.Errorf("sqlstore: version %d of the tables, of which this program knows %d: %w", is, knows, ErrNewer)
	}
	return nil
}

func (db *DB) provider(pool *sql.DB) (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	options := append([]goose.ProviderOption{goose.WithGoMigrations(db.peopleMigration(), db.proofMigration(), db.sealMigration())}, db.locking...)
	p, err := goose.NewProvider(db.schema, pool, dir, options...)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	return p, nil
}
