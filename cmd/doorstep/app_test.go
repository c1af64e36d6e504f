// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/crowd"
	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
)

const askPurpose = "assist"

// app is one shopper's phone, for as long as a test wants it.
type app struct {
	*client.Client
	sub string
	key *client.Key
}

func (r *running) app(t *testing.T) *app {
	t.Helper()
	key, err := client.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	a := &app{sub: "canary-" + uuid.NewString(), key: key}
	keys := r.ledger.Keys()
	r.said.Watch(a.sub, key.Thumbprint(), string(keys.Subject(a.sub)), string(keys.Installation(key.Thumbprint())))
	a.Client, err = client.New(client.Config{BaseURL: r.address(), Installation: key, HTTP: &http.Client{Transport: schooled{t}}, Token: func(context.Context) (string, error) {
		return r.devKey.MintShopper(a.sub, "doorstep-test", "adult", 15*time.Minute)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// decide asks for help and presses a button.
func (a *app) decide(t *testing.T, store, choice string) {
	t.Helper()
	a.decideFor(t, store, askPurpose, choice)
}

func (a *app) decideFor(t *testing.T, store, purpose, choice string) {
	t.Helper()
	p, err := a.Prompt(t.Context(), client.PromptRequest{Store: store, Purpose: purpose, Lang: "en"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Decide(t.Context(), store, p, client.Answer{Choice: choice, Control: "button"}); err != nil {
		t.Fatal(err)
	}
}

// visit is a phone whose shopper agreed to this visit, connected and active at a point of the
// demonstration's store.
func (r *running) visit(t *testing.T, at geofence.LatLng) (*app, *client.Session) {
	t.Helper()
	a := r.app(t)
	a.decide(t, r.indexes[0].Site().ID, "visit")
	s, err := a.Connect(t.Context(), r.indexes[0].Site().ID, []string{askPurpose})
	if err != nil {
		t.Fatal(err)
	}
	enter(t, s, at)
	return a, s
}

// callForHelp returns the alert once it is on the console.
func callForHelp(t *testing.T, s *client.Session, w *crowd.Watcher, showMe bool) (alert string) {
	t.Helper()
	alert, err := s.Help("fitting", showMe)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Until(t.Context(), alert, func(a crowd.Seen) time.Time { return a.Raised }); err != nil {
		t.Fatal(err)
	}
	return alert
}

// look has the console look at an alert until the phone says so.
func look(t *testing.T, s *client.Session, w *crowd.Watcher, alert string) {
	t.Helper()
	if err := w.Look(alert); err != nil {
		t.Fatal(err)
	}
	await(t, s, func(client.Seen) bool { return true })
}

// await reads events until one fits.
func await[E client.Event](t *testing.T, s *client.Session, fits func(E) bool) E {
	t.Helper()
	limit := time.After(45 * time.Second)
	for {
		select {
		case e, open := <-s.Events():
			if !open {
				t.Fatalf("the connection ended before the event that was waited for")
			}
			if e, ok := e.(E); ok && fits(e) {
				return e
			}
		case <-limit:
			t.Fatalf("waited in vain for %T", *new(E))
		}
	}
}

// enter sends fixes from a point until the session is active.
func enter(t *testing.T, s *client.Session, at geofence.LatLng) {
	t.Helper()
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for {
		if err := s.Fix(client.Fix{T: time.Now().UnixMilli(), Lat: at.Lat, Lng: at.Lng, AccuracyM: 6, Source: "sim"}); err != nil {
			t.Fatal(err)
		}
		for waiting := true; waiting; {
			select {
			case e := <-s.Events():
				if st, ok := e.(client.State); ok && st.State == "active" {
					return
				}
			case <-tick.C:
				waiting = false
			case <-limit:
				t.Fatal("two good fixes inside did not make the session active")
			}
		}
	}
}

// insideOf is a point well inside a store.
func insideOf(t *testing.T, x *geofence.Index) geofence.LatLng {
	t.Helper()
	level := x.Site().Levels[0]
	for _, z := range level.Zones {
		if z.Sensitive {
			continue
		}
		var p geofence.LatLng
		ring := z.Shape[0][0]
		for _, q := range ring[:len(ring)-1] {
			p.Lat += q.Lat / float64(len(ring)-1)
			p.Lng += q.Lng / float64(len(ring)-1)
		}
		at := x.Locate(p, level.Ordinal, true)
		if at.Inside && x.Distance(p, level.Ordinal, true) < -6 && at.N > 0 && !at.Zones[0].Sensitive {
			return p
		}
	}
	t.Fatal("no zone of the store is well inside")
	return geofence.LatLng{}
}

// outward is the place a step of 2 m on from p that is the farthest out of the store, on any level.
func outward(x *geofence.Index, p geofence.LatLng) (next geofence.LatLng) {
	f := x.Site().Frame()
	px, py := f.XY(p)
	best := math.Inf(-1)
	for heading := range 16 {
		sin, cos := math.Sincos(0.1 + float64(heading)*math.Pi/8) // along no meridian: both coordinates change
		q := f.LatLng(px+2*cos, py+2*sin)
		if d := x.Distance(q, 0, false); d > best {
			best, next = d, q
		}
	}
	return next
}

// leave walks out of the store by the nearest way with a perfect phone, until the session has ended.
func leave(t *testing.T, s *client.Session, x *geofence.Index) (inside, outside []geofence.LatLng) {
	t.Helper()
	p := insideOf(t, x)
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		if p = outward(x, p); x.Distance(p, 0, false) <= 0 {
			inside = append(inside, p)
		} else {
			outside = append(outside, p)
		}
		err := s.Fix(client.Fix{T: time.Now().UnixMilli(), Lat: p.Lat, Lng: p.Lng, AccuracyM: 6, Source: "sim"})
		if err != nil && !errors.Is(err, client.ErrClosed) {
			t.Fatal(err)
		}
		for waiting := true; waiting; {
			select {
			case e, open := <-s.Events():
				if st, ok := e.(client.State); !open || ok && st.State == "ended" {
					return inside, outside
				}
			case <-tick.C:
				waiting = false
			}
		}
	}
}
