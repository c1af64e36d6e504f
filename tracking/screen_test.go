// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"doorstep/consent"
	"doorstep/tracking"
)

// screen records what a console is sent. One that is held does not read on until it is let go.
type screen struct {
	*tracking.Console
	h     *house
	name  string
	leave func()
	cut   chan struct{}
	once  sync.Once

	mu   sync.Mutex
	held chan struct{}
}

var errCut = errors.New("the connection is gone")

func (h *house) screen(name string) *screen {
	return &screen{h: h, name: name, cut: make(chan struct{})}
}

// join opens a console for somebody at a node.
func (h *house) join(n *node, store, name string, purposes ...string) *screen {
	h.Helper()
	s := h.screen(name)
	person := tracking.Person{Actor: tracking.Actor{Shift: name, Tag: strings.ToTitle(name)}, Role: "advisor", Team: "Shoes", Purposes: purposes}
	var err error
	s.Console, s.leave, err = n.Join(h.Context(), store, person, s)
	h.ok(err)
	s.leave = sync.OnceFunc(s.leave)
	go func() { // the reader of the socket sees that it is gone
		<-s.cut
		s.leave()
	}()
	h.Cleanup(func() { s.Close("bye") })
	return s
}

// Write implements tracking.Screen.
func (s *screen) Write(f any) error {
	s.mu.Lock()
	held := s.held
	s.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-s.cut:
			return errCut
		}
	}
	select {
	case <-s.cut:
		return errCut
	default:
	}
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	s.h.log.put(event{who: s.name, what: m["type"].(string), frame: m})
	return nil
}

// Close implements tracking.Screen.
func (s *screen) Close(why consent.Reason) {
	s.once.Do(func() {
		s.h.log.add(s.name, "cut "+string(why))
		close(s.cut)
	})
}

func (s *screen) open() bool {
	select {
	case <-s.cut:
		return false
	default:
		return true
	}
}

// hold stops reading; the frame that is written next waits until release is called.
func (s *screen) hold() (release func()) {
	held := make(chan struct{})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = held
	return sync.OnceFunc(func() {
		s.mu.Lock()
		s.held = nil
		s.mu.Unlock()
		close(held)
	})
}

// got lists the frames of a type that the screen was sent; of any type if it is empty.
func (s *screen) got(kind string) (frames []map[string]any) {
	for _, e := range s.h.log.all() {
		if e.who == s.name && e.frame != nil && (kind == "" || e.what == kind) {
			frames = append(frames, e.frame)
		}
	}
	return frames
}

// about lists the frames that speak of an alert.
func (s *screen) about(alert string) (frames []map[string]any) {
	for _, f := range s.got("") {
		if mentions(f, alert) {
			frames = append(frames, f)
		}
	}
	return frames
}

// mentions looks for a text anywhere in a frame.
func mentions(v any, text string) bool {
	switch v := v.(type) {
	case string:
		return v == text
	case []any:
		return slices.ContainsFunc(v, func(x any) bool { return mentions(x, text) })
	case map[string]any:
		for x := range maps.Values(v) {
			if mentions(x, text) {
				return true
			}
		}
	}
	return false
}

// claim takes an alert for somebody, at a node.
func (s *screen) claim(n *node, alert string) {
	s.h.Helper()
	must(n.Act(s.h.Context(), shop, alert, tracking.Change{Action: tracking.Claim, By: tracking.Actor{Shift: s.name, Tag: s.name}}))(s.h)
}
