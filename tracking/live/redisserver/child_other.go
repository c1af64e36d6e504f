// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package redisserver

import "os/exec"

// dieWithParent needs Linux; elsewhere Close is what ends the child.
func dieWithParent(*exec.Cmd) {}

// noCoreDump needs Linux.
func noCoreDump(int) {}
