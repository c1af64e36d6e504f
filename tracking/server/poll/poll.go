// SPDX-License-Identifier: Apache-2.0

// Package poll waits for bytes on many connections at once.
//
// A goroutine that waits for one connection costs a stack, which the collector walks through besides. For every few bytes
// that come in it is woken, and finds out by one more system call that no more are there; and the runtime keeps the
// connection on a list of its own, and a timer for every deadline. A server of thousands of phones, each of which says
// something once a second, spends more on that than on what they say.
//
// Here a connection is taken out of the runtime's hands while it is watched: it is a descriptor and nothing else, and few
// goroutines wait for all of them by the kernel's own list of who has something to read. They exist while there is
// somebody to wait for. A connection that must be waited for in the usual way, because it does not take what is written to it
// or because whoever reads wants to block, is given back to the runtime for that.
package poll

import "errors"

// ErrUnsupported answers where a connection cannot be waited for in this way: give it a goroutine.
var ErrUnsupported = errors.New("poll: this connection, or this operating system, can only be waited for one by one")

// A Reader has something to read. Ready is called by one goroutine, which all others wait for: it returns soon and never
// blocks. buf is its to use meanwhile. It reads by [Conn.ReadNow] until that returns less than there was room for, or, if drain
// is set, until nothing is left: it is not called again for what it leaves.
type Reader interface{ Ready(buf []byte, drain bool) }

// Room is how many bytes a Reader has room for.
const Room = 8 << 10
