// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"doorstep/consent/sqlstore"
)

// ledgerAt is where the ledger is: in the database that --database names, else in a file of the data folder.
type ledgerAt struct{ data, database string }

func (l ledgerAt) address() string {
	if l.database != "" {
		return l.database
	}
	return filepath.Join(l.data, "ledger.db")
}

// check looks at the address without opening anything. Its errors repeat nothing of it: it may hold a password.
func (l ledgerAt) check() error {
	if l.data == "" {
		return wrong("--data: empty: name the folder of the ledger and its keys")
	}
	if err := sqlstore.CheckAddress(l.address()); err != nil {
		return wrong("--database: %s", strings.TrimPrefix(err.Error(), "sqlstore: "))
	}
	return nil
}

// isNew reports whether there is certainly nothing in it yet.
func (l ledgerAt) isNew() bool {
	if l.database != "" {
		return false
	}
	_, err := os.Stat(l.address())
	return errors.Is(err, fs.ErrNotExist)
}

// keyringPath is where the keys lie without which nobody in the ledger can be read.
func keyringPath(data string) string { return filepath.Join(data, "keyring.json") }

// open opens the ledger; an error names the setting that says where it is.
func (l ledgerAt) open(ctx context.Context, opts ...sqlstore.Option) (*sqlstore.DB, error) {
	opts = append(opts, sqlstore.WithKeyring(keyringPath(l.data))) // nodes that share a database share the folder
	db, err := sqlstore.Open(ctx, l.address(), opts...)
	if err == nil {
		return db, nil
	}
	if l.database != "" {
		return nil, fmt.Errorf("--database: %w", err)
	}
	return nil, fmt.Errorf("--data %s: %w", l.data, err)
}
