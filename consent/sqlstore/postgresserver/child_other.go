// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package postgresserver

import "syscall"

// dieWithParent needs Linux; elsewhere Close is what ends the child.
func dieWithParent(*syscall.SysProcAttr) {}
