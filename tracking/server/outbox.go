// SPDX-License-Identifier: Apache-2.0

package server

import (
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"doorstep/tracking/server/poll"
	"doorstep/tracking/wire"
)

// outbox is what one phone is still to be told, in order. Whoever adds to it never waits for the socket:
// most who do hold the session's lock, and a phone that does not read must hold up neither its own end nor
// anybody else.
//
//	put, put, end(code) ──▶ frames ──▶ one writer at a time ──▶ socket: frame, frame, close
//
// There is no goroutine for writing. Who has added something sees to it: the connection's reader in its own
// time (flush), everybody else at once as far as the socket takes it without waiting, and by a goroutine that lasts
// until nothing waits for the rest (start). Nothing is written before the welcome, which goes first.
type outbox struct {
	conn     *websocket.Conn
	line     *poll.Conn      // what conn writes to
	readDone <-chan struct{} // closed when the connection's reader is done

	mu      sync.Mutex // owns the rest; never held while the socket is written to
	frames  [][]byte
	writing bool
	held    bool      // until the welcome
	over    bool      // nothing is added any more
	code    int       // what the connection is closed with, after the last frame
	closeBy time.Time // and when that is at the latest
}

// Bounds of an outbox.
const (
	waitMost  = 64  // frames; a phone so far behind is cut
	frameRoom = 256 // bytes; most frames fit
)

// put adds a frame, which make appends to a buffer.
func (o *outbox) put(make func([]byte) []byte) {
	frame := make(newFrame())
	o.mu.Lock()
	full := len(o.frames) >= waitMost
	if !o.over && !full {
		o.frames = append(o.frames, frame)
	}
	o.mu.Unlock()
	if full {
		go o.drop() // closing may take a moment
	}
}

func newFrame() []byte { return make([]byte, 0, frameRoom) }

// welcome puts these before whatever waits, and lets the writing begin.
func (o *outbox) welcome(first ...func([]byte) []byte) {
	frames := make([][]byte, 0, len(first))
	for _, make := range first {
		frames = append(frames, make(newFrame()))
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return
	}
	o.held = false
	o.frames = append(frames, o.frames...)
}

// end closes with a code once all that waits has been written; nothing is added after it.
func (o *outbox) end(code int) {
	o.mu.Lock()
	if !o.over {
		o.over, o.held = true, false
		o.code, o.closeBy = code, time.Now().Add(writeWait)
	}
	o.mu.Unlock()
	o.start()
}

// gone is the reader's word that nobody is there any more.
func (o *outbox) gone() {
	o.mu.Lock()
	closing := o.over
	o.over = true
	if !closing {
		o.frames = nil
	}
	o.mu.Unlock()
	if !closing {
		_ = o.conn.Close()
	}
}

// flush writes what waits, unless somebody is at it.
func (o *outbox) flush() {
	if o.take() {
		o.write()
	}
}

// start is flush without waiting for it.
func (o *outbox) start() {
	if !o.take() {
		return
	}
	for o.line.Clear() {
		if !o.writeNext(true) {
			return
		}
	}
	go o.write()
}

// take makes the caller the one who writes, if there is something to write and nobody does.
func (o *outbox) take() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writing || o.held || len(o.frames) == 0 && o.code == 0 {
		return false
	}
	o.writing = true
	return true
}

// write writes frame by frame until nothing waits; a write that fails or takes too long costs the connection.
func (o *outbox) write() {
	for o.writeNext(false) {
	}
}

// writeNext writes one frame, and reports whether there may be more. If it must not wait, what would have to costs the
// connection as well.
func (o *outbox) writeNext(atOnce bool) bool {
	frame, deadline, ok := o.next()
	if !ok {
		return false
	}
	if atOnce {
		deadline = time.Now()
	}
	_ = o.conn.SetWriteDeadline(deadline)
	if err := o.conn.WriteMessage(websocket.TextMessage, frame); err != nil {
		go o.drop() // closing may take a moment
		return false
	}
	return true
}

// next is the frame to write and how long that may take. After the last one it gives the writing back, or,
// if the connection ends with it, keeps it for good.
func (o *outbox) next() (frame []byte, deadline time.Time, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.frames) == 0 {
		o.frames = nil
		if o.code == 0 {
			o.writing = false
		} else {
			go o.hangUp(o.code)
		}
		return nil, deadline, false
	}
	frame = o.frames[0]
	o.frames[0] = nil
	o.frames = o.frames[1:]
	deadline = time.Now().Add(writeWait)
	if !o.closeBy.IsZero() && o.closeBy.Before(deadline) {
		deadline = o.closeBy
	}
	return frame, deadline, true
}

// drop gives the connection up: its reader sees it and detaches.
func (o *outbox) drop() {
	o.mu.Lock()
	o.over, o.frames = true, nil
	o.mu.Unlock()
	_ = o.conn.Close()
}

// hangUp writes the close frame, then gives the peer a moment for its own, so that what was written last
// arrives instead of being lost to a reset.
func (o *outbox) hangUp(code int) {
	message := websocket.FormatCloseMessage(code, wire.LookupClose(code).Name)
	_ = o.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(writeWait))
	grace := time.NewTimer(closeGrace)
	defer grace.Stop()
	select {
	case <-o.readDone:
	case <-grace.C:
	}
	_ = o.conn.Close()
}
