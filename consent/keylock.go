// SPDX-License-Identifier: Apache-2.0

//go:build unix

package consent

import (
	"fmt"
	"os"
	"syscall"
)

// lockPath waits for the lock that goes with a file, and takes it. The system gives it back when the
// process ends, however it ends.
func lockPath(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}
