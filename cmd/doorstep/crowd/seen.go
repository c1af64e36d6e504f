// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// staleBeat is the oldest beat on which a page shows a position.
const staleBeat = 800 * time.Millisecond

// Seen is what a console was told of one alert, and when; zero times if it was not.
type Seen struct {
	Raised time.Time
	Hidden time.Time // since when it has been hidden
	Off    time.Time // the request stays, its location is off
	Gone   time.Time
	State  string // as it was told last
	Reason string // of gone
	Proof  string // of gone, signed
}

// watched is one alert.
type watched struct {
	Seen
	changed chan struct{} // closed and replaced at every change
}

type watchedAlert struct {
	ID       string `json:"id"`
	State    string `json:"state"`
	Version  int    `json:"version"`
	Mine     bool   `json:"mine"`
	Presence string `json:"presence"`
}

// consoleFrame is any frame to a console. Alert is an object in some, an id in the others.
type consoleFrame struct {
	Type     string          `json:"type"`
	N        int64           `json:"n"`
	Presence string          `json:"presence"`
	Reason   string          `json:"reason"`
	X        float64         `json:"x"`
	Y        float64         `json:"y"`
	Proof    string          `json:"proof"`
	Alert    json.RawMessage `json:"alert"`
	Alerts   []watchedAlert  `json:"alerts"`
}

func (w *Watcher) take(b []byte, at time.Time) {
	var f consoleFrame
	if err := json.Unmarshal(b, &f); err != nil {
		return
	}
	switch f.Type {
	case "snapshot":
		w.sawOnly(f.Alerts, at)
	case "alert":
		var a watchedAlert
		if json.Unmarshal(f.Alert, &a) == nil {
			w.saw(a, at)
		}
	case "presence", "gone", "position":
		var id string
		if json.Unmarshal(f.Alert, &id) != nil {
			return
		}
		w.noted(id, f, at)
	}
}

// sawOnly takes in all that there is: what is not in it any more is gone from the screen.
func (w *Watcher) sawOnly(list []watchedAlert, at time.Time) {
	there := make(map[string]bool)
	for _, a := range list {
		there[a.ID] = true
		w.saw(a, at)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, held := range w.alerts {
		if !held.Raised.IsZero() && held.Gone.IsZero() && !there[id] {
			held.Gone = at
			held.signal()
		}
	}
	if !w.told {
		w.told = true
		close(w.there)
	}
}

func (w *Watcher) saw(a watchedAlert, at time.Time) {
	w.mu.Lock()
	held := w.entry(a.ID)
	if held.Raised.IsZero() {
		held.Raised = at
	}
	held.State = a.State
	if a.Presence == "off" && held.Off.IsZero() {
		held.Off = at
	}
	held.presence(a.Presence, at)
	held.signal()
	w.mu.Unlock()
}

func (w *Watcher) noted(id string, f consoleFrame, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	held := w.entry(id)
	switch {
	case f.Type == "gone" && held.Gone.IsZero():
		held.Gone, held.Reason, held.Proof = at, f.Reason, f.Proof
	case f.Type == "presence":
		held.presence(f.Presence, at)
	case f.Type == "position":
		if sent, known := w.beats[f.N]; !known || at.Sub(sent) > staleBeat {
			w.stale++ // as a page does: what carries an old beat is not shown
			break
		}
		w.dots++
		w.shown[[2]float64{f.X, f.Y}] = struct{}{}
		if !held.Gone.IsZero() || !held.Hidden.IsZero() {
			w.unsafe++
		}
	}
	held.signal()
}

// entry is what is held of an alert. Called with mu held.
func (w *Watcher) entry(id string) *watched {
	held := w.alerts[id]
	if held == nil {
		held = &watched{changed: make(chan struct{})}
		w.alerts[id] = held
	}
	return held
}

// presence notes since when it has been hidden. Other words than these two say nothing of that.
func (h *watched) presence(p string, at time.Time) {
	switch {
	case p == "visible":
		h.Hidden = time.Time{}
	case p == "hidden" && h.Hidden.IsZero():
		h.Hidden = at
	}
}

func (h *watched) signal() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// Seen is what was seen of an alert so far.
func (w *Watcher) Seen(id string) Seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.entry(id).Seen
}

// Until waits for the moment that pick finds in what was seen of an alert.
func (w *Watcher) Until(ctx context.Context, id string, pick func(Seen) time.Time) (time.Time, error) {
	for {
		w.mu.Lock()
		held := w.entry(id)
		at, changed := pick(held.Seen), held.changed
		w.mu.Unlock()
		if !at.IsZero() {
			return at, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return time.Time{}, ctx.Err()
		case <-w.done:
			return time.Time{}, fmt.Errorf("the console's socket is gone: %w", w.Err())
		}
	}
}

// Totals are what a console was told altogether.
type Totals struct {
	Alerts int          // raised
	Dots   int          // positions shown
	Unsafe int          // of them: of somebody who was hidden or gone already
	Cuts   int          // how often the socket was lost, and opened again
	Shown  [][2]float64 // where: x, y in metres of the store's frame, each place once
}

// Totals counts what the console was told so far.
func (w *Watcher) Totals() Totals {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := Totals{Dots: w.dots, Unsafe: w.unsafe, Cuts: w.cuts, Shown: slices.Collect(maps.Keys(w.shown))}
	for _, a := range w.alerts {
		if !a.Raised.IsZero() {
			t.Alerts++
		}
	}
	return t
}
