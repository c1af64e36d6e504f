// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"time"
)

// read is the session's one reader, from the welcome to the close.
func (s *Session) read() {
	code := s.readAll()
	s.cancel()
	_ = s.conn.Close()
	s.stop(ErrClosed, false)
	s.c.drop(s)
	s.helpers.Wait()

	s.mu.Lock()
	reason, local := s.last.Reason, s.closing
	if s.last.State != "ended" {
		reason = ""
	}
	s.mu.Unlock()
	retry, restart := Outcome(code)
	s.push(Closed{Code: code, Retry: retry, Restart: restart, Reason: reason, Local: local})
	close(s.events)
}

// readAll reads until there is nothing more, and returns the close code.
func (s *Session) readAll() int {
	for {
		s.extend()
		_, raw, err := s.conn.ReadMessage()
		if err != nil {
			return closeCode(err)
		}
		s.heard(raw)
	}
}

// extend gives the server time for its next word, unless this side is waiting for the end. Silence
// is measured in text: pings do not show that the server still thinks of this session.
func (s *Session) extend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		_ = s.conn.SetReadDeadline(time.Now().Add(s.c.silence))
	}
}

// push delivers an event; when nobody reads, the oldest makes room.
func (s *Session) push(e Event) {
	for {
		select {
		case s.events <- e:
			return
		default:
		}
		select {
		case <-s.events:
		default:
		}
	}
}

// heard takes one frame in. What it does not know it ignores.
func (s *Session) heard(raw []byte) {
	var head struct{ Type string }
	if json.Unmarshal(raw, &head) != nil {
		return
	}
	switch head.Type {
	case "state":
		deliver(s, raw, s.onState)
	case "ack":
		deliver(s, raw, s.onAck)
	case "error":
		deliver(s, raw, s.onError)
	case "throttle":
		deliver(s, raw, s.onThrottle)
	case "time":
		deliver(s, raw, s.onTime)
	case "withdrawn":
		deliver(s, raw, s.onWithdrawn)
	case "auth_due":
		deliver(s, raw, func(AuthDue) { s.help(s.renew) })
	case "seen":
		deliver(s, raw, func(Seen) {})
	case "unseen":
		deliver(s, raw, func(Unseen) {})
	case "help_update":
		deliver(s, raw, func(HelpUpdate) {})
	case "call":
		deliver(s, raw, func(Call) {})
	case "map":
		s.onMap(raw)
	}
}

// deliver reads a frame as E, lets the session act on it, and passes it on.
func deliver[E Event](s *Session, raw []byte, act func(E)) {
	var e E
	if json.Unmarshal(raw, &e) != nil {
		return
	}
	act(e)
	s.push(e)
}

func (s *Session) onState(e State) {
	s.mu.Lock()
	s.last = e
	s.mu.Unlock()
	if e.State == "ended" {
		s.stop(ErrClosed, false)
	}
}

func (s *Session) onAck(e Ack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Refused["stale"]+e.Refused["future"] == 0 {
		s.clockBad = 0
	}
}

// onError mends the clock once; a second refusal for its time stops location.
func (s *Session) onError(e FrameError) {
	if e.Code != "stale" && e.Code != "future" {
		return
	}
	s.mu.Lock()
	s.clockBad++
	again := s.clockBad > 1
	s.mu.Unlock()
	if again {
		s.stop(ErrClock, false)
		return
	}
	_ = s.askTime()
}

func (s *Session) onThrottle(e Throttle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.minMS = e.MinMS
	s.slowTill = s.c.cfg.Now().Add(time.Duration(e.ForMS) * time.Millisecond)
}

func (s *Session) onTime(e TimeReply) {
	if e.T0 != 0 { // a beat answers nothing
		s.c.clock.observe(time.UnixMilli(e.T0), s.c.cfg.Now(), e.T)
	}
}

func (s *Session) onWithdrawn(e Withdrawn) {
	s.c.confirm(Confirmation{ID: e.ID, Receipt: e.Receipt, Removed: e.Removed, By: "socket"})
}

// help runs f beside the reader; the session's end waits for it.
func (s *Session) help(f func()) {
	s.helpers.Add(1)
	go func() {
		defer s.helpers.Done()
		f()
	}()
}

// renew asks for a ticket and sends it, so that the session outlives the shopper's token.
func (s *Session) renew() {
	t, err := s.c.Ticket(s.done, s.store, s.purposes)
	if err == nil {
		_ = s.send(authFrame{Type: "auth", Ticket: t.Ticket})
	}
}

// onMap stops sending until the new map is here. Later numbers are judged by it.
func (s *Session) onMap(raw []byte) {
	var e MapChange
	if json.Unmarshal(raw, &e) != nil {
		return
	}
	s.mu.Lock()
	s.held, s.slot, s.coming = true, nil, e.Fence
	s.mu.Unlock()
	s.help(func() { s.adopt(e) })
}

// adopt fetches the announced fence, says so and hands it on. If it cannot be had, no fix is sent any more and the server
// ends the session at its own time.
func (s *Session) adopt(e MapChange) {
	f, err := s.c.Fence(s.done, s.store, e.Fence)
	if err != nil || f.Version != e.Fence {
		return
	}
	s.wmu.Lock()
	defer s.wmu.Unlock()
	s.mu.Lock()
	seq, late := s.seq+1, s.coming != e.Fence // another one was announced meanwhile
	s.mu.Unlock()
	if late || s.write(mapFrame{Type: "map_ok", Fence: e.Fence, Seq: seq}) != nil {
		return
	}
	s.mu.Lock()
	s.held, s.fence = s.coming != e.Fence, e.Fence
	s.mu.Unlock()
	e.Map = f
	s.push(e)
}
