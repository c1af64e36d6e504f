// SPDX-License-Identifier: Apache-2.0

package server

import (
	"errors"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"doorstep/tracking/wire"
)

// perSecond counts what comes in the current second. It belongs to a connection's reader.
type perSecond struct {
	second int64
	n      int
}

func (c *perSecond) count(now time.Time) int {
	if s := now.Unix(); s != c.second {
		c.second, c.n = s, 0
	}
	c.n++
	return c.n
}

// pace judges the frames of one connection by how many have come in the current second, and its fixes by how many have in
// the current spell.
type pace struct {
	frames perSecond
	spell  int64
	fixes  int
}

// What a spell of fixes is. Half as many again as min_ms allows may come: what a network held up comes all at once.
const (
	spellSeconds = 15
	fixesMost    = spellSeconds * 1000 / minMS * 3 / 2
)

type verdict uint8

const (
	decent verdict = iota
	faster
	tooMany
)

func (p *pace) count(now time.Time) verdict {
	switch n := p.frames.count(now); {
	case n > framesTolerate:
		return tooMany
	case n > framesMost:
		return faster
	}
	return decent
}

// hurried counts a fix among the frames that were counted, and reports whether it is the first too many of its spell.
func (p *pace) hurried() bool {
	if s := p.frames.second / spellSeconds; s != p.spell {
		p.spell, p.fixes = s, 0
	}
	p.fixes++
	return p.fixes == fixesMost+1
}

// errTooFast is what a connection's reading ends with when the peer sends more control frames than
// are decent. They never reach the reader: only their handlers see them.
var errTooFast = errors.New("more pings or pongs than are decent")

// messageWait bounds how long one message may take from its first frame: neither a trickle nor an
// endless run of empty continuation frames, which no read limit counts, holds a reader for longer.
const messageWait = 5 * time.Second

// limitControls answers a connection's pings, and takes pingsMost of them and as many pongs a second.
func limitControls(conn *websocket.Conn) {
	var pings, pongs perSecond
	conn.SetPingHandler(func(data string) error {
		if pings.count(time.Now()) > pingsMost {
			return errTooFast
		}
		_ = conn.WriteControl(websocket.PongMessage, []byte(data), time.Now().Add(writeWait))
		return nil
	})
	conn.SetPongHandler(func(string) error {
		if pongs.count(time.Now()) > pingsMost {
			return errTooFast
		}
		return nil
	})
}

// framesIn are what frames are read into: nobody who only waits for one holds any.
var framesIn = framePool{sync.Pool{New: func() any { return new(frameIn) }}}

// frameIn is a frame as it came and as it was read: one byte longer than a frame may be.
type frameIn struct {
	raw [wire.MaxIn + 1]byte
	in  wire.In
}

type framePool struct{ pool sync.Pool }

func (f *framePool) get() *frameIn { return f.pool.Get().(*frameIn) }

// put takes one back, or nil.
func (f *framePool) put(b *frameIn) {
	if b != nil {
		f.pool.Put(b)
	}
}
