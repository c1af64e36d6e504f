// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Command is what the hands do next. Members that a command does not need are left out.
type Command struct {
	At        string  `json:"at,omitempty"`         // of place, read: a name in places; the hands get the point
	Lat       float64 `json:"lat,omitempty"`        // of place, read
	Lng       float64 `json:"lng,omitempty"`        //
	AccuracyM float64 `json:"accuracy_m,omitempty"` // 6 if the scenario says nothing
	Mocked    bool    `json:"mocked,omitempty"`     //
	Choice    string  `json:"choice,omitempty"`     // of consent: visit, term, no, not_now, or dismiss
	Unasked   bool    `json:"unasked,omitempty"`    // of consent: the app would ask by itself; the shopper has not opened the notice
	Scope     string  `json:"scope,omitempty"`      // of withdraw
	ClockMS   int64   `json:"clock_ms,omitempty"`   // of install, clock: the phone's wall clock is ahead by this
	Store     string  `json:"store,omitempty"`      // of install, pick; of consent, if not the one of install
	Purpose   string  `json:"purpose,omitempty"`    // of install; of consent, if not the one of install
}

// order is a command as it is handed over.
type order struct {
	N  int    `json:"n"`
	Do string `json:"do"`
	Command
}

// report is what the hands say: which order they have done, and what the SDK shows now.
type report struct {
	Done    int    `json:"done"`
	State   string `json:"state"`
	Located bool   `json:"located"`
	Error   string `json:"error"` // the SDK could not do it
}

// hands are one app that carries out one scenario after the other.
type hands struct {
	play   *play
	n      int
	orders chan order  // to be handed over
	undone *order      // handed over, not yet reported
	said   chan report // what came back; holds one
}

// patience is how long the hands wait for an order before they ask again.
const patience = 20 * time.Second

// handed answers POST /conformance/NAME and /conformance/NAME/token.
func (s *Suite) handed(w http.ResponseWriter, r *http.Request, rest string) {
	name, what, _ := strings.Cut(rest, "/")
	if what == "token" {
		s.mint(w, name)
		return
	}
	var said report
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4<<10)).Decode(&said); err != nil {
		writeJSON(w, http.StatusBadRequest, problem(s.ms(), http.StatusBadRequest, "request", 0))
		return
	}
	h := s.handsOf(name)
	if h != nil && h.undone != nil && said.Done == h.undone.N {
		h.undone = nil
		h.said <- said
	}
	writeJSON(w, http.StatusOK, s.next(r.Context(), name))
}

// next is the next order for hands: of the scenario that they are at, or else the first of another one.
func (s *Suite) next(ctx context.Context, name string) order {
	asked := time.NewTimer(patience)
	defer asked.Stop()
	for h := s.handsOf(name); h != nil; h = s.handsOf(name) {
		if h.undone != nil {
			return *h.undone
		}
		select {
		case o, more := <-h.orders:
			if more {
				h.undone = &o
				return o
			}
			s.free(name)
		case <-asked.C:
			return order{Do: "wait"}
		case <-ctx.Done():
			return order{Do: "wait"}
		}
	}
	return order{Do: "end"}
}

// give hands an order over and waits until it is done. Hands that do not answer are given up.
func (h *hands) give(do string, c Command) (report, error) {
	h.n++
	late := time.NewTimer(2 * patience)
	defer late.Stop()
	select {
	case h.orders <- order{h.n, do, c}:
	case <-late.C:
		return report{}, fmt.Errorf("the hands did not ask for the order %q", do)
	}
	select {
	case said := <-h.said:
		return said, nil
	case <-late.C:
		return report{}, fmt.Errorf("the hands did not say that %q is done", do)
	}
}

// handsOf are the hands of a name, with a scenario; nil if none is left.
func (s *Suite) handsOf(name string) *hands {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.hands[name]; h != nil {
		return h
	}
	if len(s.waiting) == 0 {
		return nil
	}
	h := &hands{play: s.waiting[0], orders: make(chan order), said: make(chan report, 1)}
	s.waiting, s.hands[name] = s.waiting[1:], h
	go func() {
		h.play.run(h)
		close(h.orders)
		s.over(h.play)
	}()
	return h
}

func (s *Suite) free(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.hands, name)
}

// tokenLife is short, and brief where a token that is kept too long is to be seen.
const (
	tokenLife = 20 * time.Second
	briefLife = 3 * time.Second
)

// mint gives the hands a shopper's token, as the app's backend would. It names the scenario.
func (s *Suite) mint(w http.ResponseWriter, name string) {
	h := s.handsOf(name)
	switch {
	case h == nil:
		http.NotFound(w, nil)
		return
	case h.play.is("signed-out"):
		writeJSON(w, http.StatusServiceUnavailable, problem(s.ms(), http.StatusServiceUnavailable, "signed_out", 0))
		return
	}
	life := tokenLife
	if h.play.is("brief") {
		life = briefLife
	}
	part := func(v any) string {
		raw, _ := json.Marshal(v) // maps of strings and numbers
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	now := s.now()
	claims := map[string]any{"iss": "https://conformance.invalid", "aud": "doorstep:shopper", "sub": h.play.sc.Name, "azp": "app-under-test",
		"age": "adult", "iat": now.Unix(), "exp": now.Add(life).Unix(), "jti": fmt.Sprint(now.UnixNano())}
	writeJSON(w, http.StatusOK, map[string]string{"token": part(map[string]string{"alg": "ES256", "typ": "JWT"}) + "." + part(claims) + ".c2lnbmF0dXJl"})
}
