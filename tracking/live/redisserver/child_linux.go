// SPDX-License-Identifier: Apache-2.0

package redisserver

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent has the kernel kill the child when its parent is gone, even if it was killed.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// noCoreDump keeps positions out of a core file. Best effort: an operator can do the same with
// ulimit, and a demonstration has nobody's positions in it.
func noCoreDump(pid int) {
	_ = unix.Prlimit(pid, unix.RLIMIT_CORE, &unix.Rlimit{}, nil)
}
