// SPDX-License-Identifier: Apache-2.0

package server

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"

	"doorstep/tracking/server/poll"
	"doorstep/tracking/wire"
)

// A phone that only sends plain frames has no goroutine: a poller waits for it together with all others, and judges its
// fixes in passing.
//
//	           something came in                     a frame that takes its time
//	watched ───────────────────▶ poller: plain frames ──────────────────────────▶ a goroutine, until it is done ──▶ watched
//	                               │ anything else                                   closed │
//	                               ▼                                                        ▼
//	                             attend, for good                                          gone

// turn is whose it is to read from a phone that is watched: nobody's or one goroutine's. Who comes meanwhile leaves
// word, and the one who is at it looks once more.
type turn struct{ state atomic.Int32 }

const (
	nobodys int32 = iota
	taken
	wanted // taken, and word was left
)

// take makes it the caller's, or leaves word.
func (t *turn) take() bool {
	for {
		switch s := t.state.Load(); {
		case s == nobodys && t.state.CompareAndSwap(nobodys, taken):
			return true
		case s != nobodys && (s == wanted || t.state.CompareAndSwap(taken, wanted)):
			return false
		}
	}
}

// giveBack ends the caller's turn, unless word was left: then it goes on.
func (t *turn) giveBack() bool {
	if t.state.CompareAndSwap(taken, nobodys) {
		return true
	}
	t.state.Store(taken)
	return false
}

// takesTime are the frames for which somebody may have to be waited for: the ledger, the live state, another's lock.
var takesTime = [...]bool{wire.Help: true, wire.Checkin: true, wire.Auth: true, wire.Withdraw: true, wire.Bye: true}

func lingers(t wire.Type) bool { return int(t) < len(takesTime) && takesTime[t] }

// watch lets a poller wait for the phone, and reports whether it can.
func (p *phone) watch() bool {
	if p.unusual {
		return false
	}
	more := len(p.rest) > 0 // from here on, it is whose turn it is
	err := p.line.Watch(p.srv.poller(), p, p.look)
	switch {
	case errors.Is(err, net.ErrClosed):
		p.over()
	case err != nil: // by a goroutine it can be waited for in any case
		if !errors.Is(err, poll.ErrUnsupported) {
			p.srv.unwatched.Add(1)
		}
		return false
	case more:
		p.look()
	}
	return true
}

// look has the phone read from, as if something had come in. It does not wait for it.
func (p *phone) look() {
	if p.turn.take() {
		go p.goOn()
	}
}

// goOn takes in what is there, with room of its own.
func (p *phone) goOn() {
	room := rooms.Get().(*[poll.Room]byte)
	defer rooms.Put(room)
	p.takeIn(room[:], true)
}

var rooms = sync.Pool{New: func() any { return new([poll.Room]byte) }}

// Ready implements poll.Reader.
func (p *phone) Ready(buf []byte, drain bool) {
	if p.turn.take() {
		p.takeIn(buf, drain)
	}
}

// What becomes of a phone after what came in.
type afterBytes uint8

const (
	watchOn   afterBytes = iota
	elsewhere            // another goroutine has the turn now
	nobody               // it is closed
)

// takeIn reads and acts until nothing is left. Called by whose turn it is, which ends with it.
func (p *phone) takeIn(buf []byte, drain bool) {
	for {
		switch p.readMore(buf, drain) {
		case elsewhere:
			return
		case nobody:
			p.over()
			return
		}
		if p.turn.giveBack() {
			return
		}
		drain = true
	}
}

// readMore reads what is there.
func (p *phone) readMore(buf []byte, drain bool) afterBytes {
	for {
		kept := copy(buf, p.rest)
		room := buf[kept:]
		n, err := p.line.ReadNow(room)
		if err != nil {
			return nobody
		}
		if kept+n > 0 {
			if then := p.frames(buf[:kept+n]); then != watchOn {
				return then
			}
		}
		if n == 0 || n < len(room) && !drain {
			return watchOn
		}
	}
}

// frames acts on what came in, frame by frame, and keeps what is not whole yet.
func (p *phone) frames(b []byte) afterBytes {
	for first := true; ; first = false {
		text, rest, is := plainFrame(b)
		switch {
		case is == partial:
			p.keep(b, first && p.rest != nil)
			return watchOn
		case is == unusual:
			p.rest = nil
			p.began.Store(0) // of a frame that is whole by now; the next has its own time
			p.line.PutBack(b)
			p.line.Unwatch()
			go p.attend()
			return elsewhere
		}
		b = rest
		if !p.deaf && p.plain(text, rest) {
			return elsewhere
		}
	}
}

// keep keeps the beginning of a frame, if there is one. It has its time to become whole.
func (p *phone) keep(b []byte, sameAsBefore bool) {
	switch {
	case len(b) > 0 && !sameAsBefore:
		p.began.Store(p.srv.now())
	case len(b) == 0 && p.began.Load() > 0:
		p.began.Store(0)
	}
	p.rest = append([]byte(nil), b...)
}

// plain acts on one plain frame. One that takes its time is acted upon by a goroutine, which has the turn then and goes on
// with the rest.
func (p *phone) plain(text, rest []byte) (handedOver bool) {
	f := framesIn.get()
	err := f.in.Decode(text)
	if err == nil && lingers(f.in.Type) {
		p.began.Store(0)
		p.rest = append([]byte(nil), rest...)
		go p.slowly(f)
		return true
	}
	p.deaf = p.handle(f, err) != readOn
	framesIn.put(f)
	p.out.start()
	return false
}

// slowly acts on one frame and takes in what came meanwhile.
func (p *phone) slowly(f *frameIn) {
	p.deaf = p.handle(f, nil) != readOn
	framesIn.put(f)
	p.out.flush()
	p.goOn()
}
