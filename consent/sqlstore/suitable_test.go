// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"strings"
	"testing"
	"time"
)

func TestUnsuitableServers(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	good := standing{fsync: "on", commit: "on", encoding: "UTF8", backend: "7", clock: now}
	for name, c := range map[string]struct {
		change func(*standing)
		says   string
	}{
		"as it should be":           {func(*standing) {}, ""},
		"waits for its replicas":    {func(s *standing) { s.commit = "remote_apply" }, ""},
		"a little late":             {func(s *standing) { s.clock = now.Add(-clockSkew) }, ""},
		"a replica":                 {func(s *standing) { s.replica = true }, "name the primary"},
		"a pooler in between":       {func(s *standing) { s.backend = "8" }, "connect to the server itself"},
		"syncs nothing":             {func(s *standing) { s.fsync = "off" }, "set fsync=on"},
		"syncs later":               {func(s *standing) { s.commit = "off" }, "synchronous_commit is off"},
		"syncs on the replica only": {func(s *standing) { s.commit = "remote_write" }, "synchronous_commit is remote_write"},
		"without Chinese":           {func(s *standing) { s.encoding = "LATIN1" }, "ENCODING 'UTF8'"},
		"far ahead":                 {func(s *standing) { s.clock = now.Add(clockSkew + time.Second + 1) }, "12:00:31 and this machine's 12:00:01"},
		"far behind":                {func(s *standing) { s.clock = now.Add(-clockSkew - 1) }, "the same time server"},
	} {
		s := good
		c.change(&s)
		err := s.judge("7", now, now.Add(time.Second))
		if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// No address is repeated in a message, and none is tried with and without encryption as somebody in between likes.
func TestAddresses(t *testing.T) {
	for address, says := range map[string]string{
		"postgres://me:hunter2@db/ledger?sslmode=verify-full":                     "",
		"postgres://me:hunter2@db/ledger?sslmode=require":                         "",
		"postgres://me:hunter2@10.0.0.1/ledger?sslmode=disable":                   "",
		"postgres://me:hunter2@localhost/ledger":                                  "",
		"postgres://me:hunter2@[::1]:5433/ledger":                                 "",
		"postgresql:///ledger?host=/run/postgresql&user=me&password=hunter2":      "",
		"postgres://me:hunter2@db/ledger":                                         "encrypted or not",
		"postgres://me:hunter2@db/ledger?sslmode=allow":                           "encrypted or not",
		"postgres://me:hunter2@localhost,db/ledger?sslmode=prefer":                "to db would be",
		"postgres://me:hunter2/@db/ledger":                                        "not an address of PostgreSQL",
		"postgres://me:hunter2@db:port/ledger":                                    "not an address of PostgreSQL",
		"postgres://me:hunter2@db/ledger?sslmode=hunter2":                         "not an address of PostgreSQL",
		"postgres://me:hunter2@db/ledger?sslmode=verify-full&sslrootcert=hunter2": "not an address of PostgreSQL",
	} {
		err := CheckAddress(address)
		if (err == nil) != (says == "") || err != nil && (!strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: %v, want %q", address, err, says)
		}
	}
}
