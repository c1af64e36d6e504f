// SPDX-License-Identifier: Apache-2.0

//go:build unix

package server

import "golang.org/x/sys/unix"

// descriptorsMost is how many descriptors the process may have.
func descriptorsMost() (most uint64, known bool) {
	var limit unix.Rlimit
	err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
	return uint64(limit.Cur), err == nil
}
