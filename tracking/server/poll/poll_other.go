// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package poll

import "syscall"

// Poller waits for no connection here.
type Poller struct{}

// Add returns ErrUnsupported.
func (*Poller) Add(syscall.RawConn, Reader) (remove func(), err error) { return nil, ErrUnsupported }
