// SPDX-License-Identifier: Apache-2.0

//go:build unix && !linux

package postgresserver

import "syscall"

// platform are settings that only this system knows.
var platform []string

// dieWithParent needs Linux; elsewhere Close is what ends the child.
func dieWithParent(*syscall.SysProcAttr) {}
