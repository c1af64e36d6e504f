// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package poll

import "net"

// Poller waits for no connection here.
type Poller struct{}

func (*Poller) add(int, Reader) (remove func(), err error) { return nil, ErrUnsupported }

func take(net.Conn) (int, error) { return none, ErrUnsupported }

func giveBack(int) (net.Conn, error) { return nil, ErrUnsupported }

func closeBare(int) {}

func readNow(int, []byte) (int, error) { return 0, ErrUnsupported }

func writeNow(int, []byte) (int, error) { return 0, ErrUnsupported }

func underWay(int) int { return little + 1 }
