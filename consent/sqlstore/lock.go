// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sqlstore

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// ErrInUse is why a second process is refused: SQLite serves exactly one node.
var ErrInUse = errors.New("the ledger is in use by another process: stop it first, or use a database server for several nodes")

// lockFile takes the lock that goes with a ledger. The system gives it back when the process ends,
// however it ends, so a file left behind locks nobody out.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("sqlstore: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = ErrInUse
		}
		return nil, errors.Join(fmt.Errorf("sqlstore: %s: %w", path, err), f.Close())
	}
	return f, nil
}

// waitLock takes the lock of a file that is open, and waits for whoever has it.
func waitLock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }
