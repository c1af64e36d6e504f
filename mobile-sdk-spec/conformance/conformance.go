// SPDX-License-Identifier: Apache-2.0

// Package conformance plays the server's part to an SDK under test, and says of each rule of SPEC.md whether the
// SDK kept to it: what was due, and what was seen. It imports nothing of the server.
//
// The SDK sits in a small app, its hands, that its developer writes: the hands ask [Suite] at /conformance/NAME what to do
// next (be at a place, say yes, go to the background, withdraw, start again), do it, and say which state the SDK shows.
// Everything else the SDK does by itself, at the same address, as it would at a real server. The stories are data,
// scenarios.json; what holds in all of them is in rules.go. SPEC.md, section 10, tells how to write hands.
package conformance

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

//go:embed scenarios.json
var data []byte

// Suite is one run: a handler for everything that an SDK and its hands ask. Make it with [New].
type Suite struct {
	now  func() time.Time
	done chan struct{}
	told func(Told)

	mu      sync.Mutex // owns the rest
	waiting []*play    // not begun
	plays   map[string]*play
	hands   map[string]*hands
	left    int
}

// New prepares the scenarios of these names, or all of them. The error says which name there is none of.
func New(names ...string) (*Suite, error) {
	all, err := scenarios()
	if err != nil {
		return nil, err
	}
	s := &Suite{now: time.Now, done: make(chan struct{}), told: func(Told) {}, plays: map[string]*play{}, hands: map[string]*hands{}}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(sc Scenario) bool { return sc.Name == name }) {
			return nil, fmt.Errorf("conformance: there is no scenario %q; see them with --list", name)
		}
	}
	for _, sc := range all {
		if len(names) == 0 || slices.Contains(names, sc.Name) {
			p := newPlay(s, sc)
			s.waiting, s.plays[sc.Name] = append(s.waiting, p), p
		}
	}
	s.left = len(s.waiting)
	return s, nil
}

// Scenarios lists all stories, as they are told.
func Scenarios() ([]Scenario, error) { return scenarios() }

// Done is closed when every scenario has been played.
func (s *Suite) Done() <-chan struct{} { return s.done }

// Told says how far a run has come.
type Told struct {
	Scenario string // that has just ended
	N, Of    int    // how many have
	Broken   string // the rule that ended it, if one did
}

// OnTold has f hear of each story's end, one after the other and before Done is closed. Call it before the suite serves.
func (s *Suite) OnTold(f func(Told)) { s.told = f }

func (s *Suite) over(p *play) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left--
	s.told(Told{p.sc.Name, len(s.plays) - s.left, len(s.plays), p.brokenRule()})
	if s.left == 0 {
		close(s.done)
	}
}

// ServeHTTP answers the hands and the SDK. Pages of any origin may ask, so that an SDK can be tried in a browser.
func (s *Suite) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
	w.Header().Set("Cache-Control", "no-store")
	switch rest, ours := strings.CutPrefix(r.URL.Path, "/conformance/"); {
	case r.Method == http.MethodOptions:
		w.WriteHeader(http.StatusNoContent)
	case ours && r.Method == http.MethodPost:
		s.handed(w, r, rest)
	case r.URL.Path == "/v1/session":
		s.socket(w, r)
	default:
		s.answer(w, r)
	}
}

func (s *Suite) play(name string) *play {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.plays[name]
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	kind := "application/json"
	if status >= 400 {
		kind = "application/problem+json"
	}
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever asked is gone
}

func (s *Suite) ms() int64 { return s.now().UnixMilli() }
