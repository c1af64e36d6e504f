// SPDX-License-Identifier: Apache-2.0

package postgresserver

import "syscall"

// dieWithParent has the kernel end the child when its parent is gone, even if that was killed: at once, but
// with the chance to end its own children and to give back its shared memory.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGQUIT }
