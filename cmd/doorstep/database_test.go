// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
)

// A database that does not answer is named, with what to look at and without its password; nothing is served.
func TestDatabaseOutOfReach(t *testing.T) {
	layOut(t)
	_, errs, status := command(t, "", "serve", "--data", "data", "--map", "shop.geojson", "--dev-key", "dev.key", "--log-level", "error",
		"--listen", "127.0.0.1:0", "--admin-listen=", "--database", "postgres://me:secret@127.0.0.1:1/ledger")
	want := "doorstep: --database: PostgreSQL at 127.0.0.1:1, database ledger: the consent ledger cannot be reached: connection refused: is PostgreSQL running there?\n"
	if errs != want || status != 1 {
		t.Errorf("exit status %d\n says %s\n want %s", status, errs, want)
	}
}
