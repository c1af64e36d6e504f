// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import "golang.org/x/sys/unix"

// noCoreDumps keeps positions off the disk when the process is aborted. Where the limit cannot be
// set it stays as the operator had it.
func noCoreDumps() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
}
