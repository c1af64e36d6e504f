// SPDX-License-Identifier: Apache-2.0

package postgresserver

import "syscall"

// platform are settings that only this system knows: after a crash, one call syncs what otherwise takes seconds.
var platform = []string{"recovery_init_sync_method=syncfs"}

// dieWithParent has the kernel end the child when its parent is gone, even if that was killed: at once, but
// with the chance to end its own children and to give back its shared memory.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }
