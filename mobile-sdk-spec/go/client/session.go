// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Errors of a session's methods.
var (
	ErrClosed  = errors.New("client: the session is closed; see its Closed event for when to connect again")
	ErrStopped = errors.New("client: location is off: a withdrawal is under way")
	ErrClock   = errors.New("client: the clock cannot be mended; connect again")
	ErrHeld    = errors.New("client: the map is changing; the fix was dropped: judge the next one by the new map")
)

const (
	silence  = 25 * time.Second // without a word from the server, the connection is dead
	slotLife = 15 * time.Second // a fix that waited longer is stale
	writeMax = 5 * time.Second
	resync   = 5 * time.Minute
)

// Session is one socket in one store, from welcome to close. Its methods may be called from any
// goroutine. One goroutine of its own reads; whoever calls, writes.
type Session struct {
	c        *Client
	store    string
	url      string
	purposes []string
	conn     *websocket.Conn
	welcome  Welcome
	events   chan Event // written by the reader and its helpers
	done     context.Context
	cancel   context.CancelFunc

	wmu sync.Mutex // one frame at a time on conn

	mu       sync.Mutex // owns what follows
	seq      int64
	busy     bool   // a fix is being written
	slot     *Fix   // the newest one that came meanwhile
	stopped  error  // why no fix is sent any more
	fence    string // version of the map that fixes are judged by
	coming   string // version of the one that is being fetched
	held     bool   // no fix is sent until the new map is here
	closing  bool   // this side ended it
	last     State
	minMS    int64
	slowTill time.Time
	clockBad int       // refusals as stale or future in a row
	synced   time.Time // when the clock was last asked for
	helpers  sync.WaitGroup
}

// Welcome is what the server said at the opening.
func (s *Session) Welcome() Welcome { return s.welcome }

// Events delivers what the server says, ending with one Closed, after which it is closed. A reader
// that does not keep up loses the oldest, never Closed.
func (s *Session) Events() <-chan Event { return s.events }

// State is the last state that the server told of; before the first, its State is empty.
func (s *Session) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// MinInterval is the least time between two fixes at the moment. The caller keeps to it.
func (s *Session) MinInterval() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.slowTill.After(s.c.cfg.Now()) {
		return time.Duration(max(s.minMS, s.welcome.MinMS)) * time.Millisecond
	}
	return time.Duration(s.welcome.MinMS) * time.Millisecond
}

// Fix sends a fix at once. While another one is being written, only the newest waits, in memory,
// for 15 s at most; nothing else is ever kept.
func (s *Session) Fix(f Fix) error {
	if f.T == 0 {
		f.T = s.c.cfg.Now().UnixMilli()
	}
	s.mu.Lock()
	if err := s.refuses(f); err != nil {
		s.mu.Unlock()
		return err
	}
	if s.busy {
		s.slot = &f
		s.mu.Unlock()
		return nil
	}
	s.busy = true
	s.mu.Unlock()
	s.askTimeWhenDue()
	return s.drain(&f)
}

// refuses says why a fix may not be sent; nil if it may. It needs mu.
func (s *Session) refuses(f Fix) error {
	switch {
	case s.stopped != nil:
		return s.stopped
	case s.held || f.Fence != "" && f.Fence != s.fence:
		return ErrHeld
	}
	return nil
}

// Fence is the version of the map that fixes are judged by: the one that the app held when it connected, until the server
// names a new one and that is here.
func (s *Session) Fence() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fence
}

// drain writes f and then whatever took the slot meanwhile.
func (s *Session) drain(f *Fix) error {
	var err error
	for f != nil {
		if err = s.writeFix(*f); err != nil {
			break
		}
		s.mu.Lock()
		f, s.slot = s.slot, nil
		if f != nil && (s.refuses(*f) != nil || s.c.cfg.Now().Sub(time.UnixMilli(f.T)) > slotLife) {
			f = nil
		}
		s.busy = f != nil
		s.mu.Unlock()
	}
	if err != nil {
		s.mu.Lock()
		s.busy, s.slot = false, nil
		s.mu.Unlock()
	}
	return err
}

// Outside says that the phone's own fence decided: edge, out, far, unknown. It carries no
// coordinates, and drops a fix that is still waiting.
func (s *Session) Outside(where string) error {
	s.clearSlot()
	return s.numbered(always, func(seq int64) any {
		return outsideFrame{Type: "outside", Seq: seq, T: s.c.Now().UnixMilli(), Where: where}
	})
}

// Help calls for help and returns the call's id.
func (s *Session) Help(topic string, showMe bool) (id string, err error) {
	id = newID(s.c.Now())
	return id, s.send(helpFrame{Type: "help", ID: id, Topic: topic, ShowMe: showMe})
}

// Checkin says what the shopper came for (pickup, appointment) and returns the check-in's id.
func (s *Session) Checkin(kind, ref string) (id string, err error) {
	id = newID(s.c.Now())
	return id, s.send(checkinFrame{Type: "checkin", ID: id, Kind: kind, Ref: ref})
}

// Pause says that the app goes quiet: user, background, permission. Location is off first; a
// later Fix ends the pause.
func (s *Session) Pause(reason string) error {
	s.clearSlot()
	return s.send(pauseFrame{Type: "pause", Reason: reason})
}

func (s *Session) clearSlot() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slot = nil
}

// Bye says goodbye. The server answers with its last state and closes; Closed tells when.
func (s *Session) Bye() error {
	s.stop(ErrClosed, true)
	if err := s.send(plainFrame{Type: "bye"}); err != nil {
		return err
	}
	return s.lastWord()
}

// lastWord gives the server time for its end.
func (s *Session) lastWord() error {
	if err := s.conn.SetReadDeadline(time.Now().Add(writeMax)); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil // the server has closed already: nothing is left to wait for
}

// Drop lets the connection go in good order, to come back by Resume: what was said before it arrives.
func (s *Session) Drop() error {
	s.stop(ErrClosed, true)
	bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if err := s.conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(writeMax)); err != nil {
		return ErrClosed
	}
	return s.lastWord()
}

// Kill drops the connection without a goodbye, as a tunnel or a flat battery does.
func (s *Session) Kill() {
	s.stop(ErrClosed, true)
	s.cancel()
	_ = s.conn.NetConn().Close()
}

// stop turns location off: nothing is sent as a fix after it.
func (s *Session) stop(why error, closing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slot = nil
	if s.stopped == nil {
		s.stopped = why
	}
	s.closing = s.closing || closing
}
