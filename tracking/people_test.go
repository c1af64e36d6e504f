// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking"
)

// record is everything that anybody was told, in order.
type record struct {
	clock *clock
	mu    sync.Mutex
	list  []event
}

type event struct {
	who, what string
	frame     map[string]any // what a screen was sent; nil otherwise
	at        time.Duration
}

func (r *record) add(who, what string) { r.put(event{who: who, what: what}) }

func (r *record) put(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e.at = r.clock.Boot()
	r.list = append(r.list, e)
}

func (r *record) all() []event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list)
}

// find is the place of the first such event from a place on; -1 if there is none.
func (r *record) find(from int, who, what string) int {
	list := r.all()
	for i := from; i < len(list); i++ {
		if list[i].who == who && strings.HasPrefix(list[i].what, what) {
			return i
		}
	}
	return -1
}

// shopper is somebody with an app, in one store.
type shopper struct {
	h       *house
	subject consent.Ref
	scope   consent.Scope
}

// shopper brings somebody who has granted the purposes for a term.
func (h *house) shopper(name string, purposes ...string) *shopper {
	h.Helper()
	s := &shopper{h: h, subject: h.keys.Subject(name), scope: consent.Scope{Installation: h.keys.Installation(name), Store: shop}}
	h.said.Watch(string(s.subject), string(s.scope.Installation))
	for _, p := range purposes {
		s.grant(p, consent.ForATerm)
	}
	return s
}

func (s *shopper) grant(purpose string, c consent.Choice) consent.Decision {
	s.h.Helper()
	ctx := s.h.Context()
	q := must(s.h.ledger.Prompt(ctx, consent.PromptRequest{Subject: s.subject, Installation: s.scope.Installation, App: "app",
		Store: s.scope.Store, Purpose: purpose, Lang: "en", AgeBand: "18+", Opened: true}))(s.h)
	return must(s.h.ledger.Decide(ctx, consent.DecisionRequest{ServedID: q.ServedID, Hash: q.Notice.Hash, Choice: c, Control: "button",
		Digest: q.Digest, Subject: s.subject, Installation: s.scope.Installation, Store: s.scope.Store, Purpose: purpose}))(s.h)
}

// stop asks for an end as the shopper would.
func (s *shopper) stop(kind consent.EndKind) consent.EndRequest {
	r := consent.EndRequest{ID: uuid.NewString(), Kind: kind, Subject: s.subject, Reason: consent.Withdrawn}
	if kind != consent.EndAll {
		r.Scope = s.scope
	}
	if kind == consent.EndGrant {
		r.Purpose = "assist"
	}
	return r
}

func (s *shopper) opening() tracking.Opening {
	return tracking.Opening{Scope: s.scope, Subject: s.subject, Purposes: []string{"assist"}}
}

// visitor is a shopper's open session and what was told to the phone.
type visitor struct {
	*tracking.Session
	h     *house
	n     *node
	phone *phone
	seq   int64
	ahead time.Duration // of the phone's clock
	hid   string
}

// open opens a session at a node.
func (s *shopper) open(n *node) *visitor {
	s.h.Helper()
	p := &phone{log: s.h.log}
	session := must(n.Open(s.h.Context(), s.opening(), p))(s.h)
	s.h.said.Watch(session.Visit())
	return &visitor{Session: session, h: s.h, n: n, phone: p, hid: session.Visit()}
}

// enter opens a session and walks in, until a position has been written.
func (s *shopper) enter(n *node) *visitor {
	s.h.Helper()
	v := s.open(n)
	v.at(desk())
	s.h.pass(time.Second)
	if r := v.at(desk()); !r.Accepted {
		s.h.Fatalf("not inside after two fixes: %+v", r)
	}
	s.h.pass(2 * tracking.FlushEvery)
	return v
}

// at reports a good fix.
func (v *visitor) at(p geofence.LatLng) tracking.FixResult {
	v.seq++
	return v.Fix(geofence.Fix{Seq: v.seq, T: v.h.clock.Now().Add(v.ahead).UnixMilli(), At: p, AccuracyM: 5, HasLevel: true, Precise: true})
}

func frame() geofence.Frame { return indexes()[0].Site().Frame() }

// desk is a place inside, at the service desk; away one outside, metres beyond the wall.
func desk() geofence.LatLng { return frame().LatLng(0, 0) }

func away(metres float64) geofence.LatLng { return frame().LatLng(45+metres, 0) }

// payload is what the live state holds of the visit.
func (v *visitor) payload() []byte {
	v.h.Helper()
	found := must(v.h.live.Read(v.h.Context(), v.Scope().Store, []string{v.hid}))(v.h)
	return found[v.hid]
}

// tombstone reports whether the live state would refuse a write of the visit.
func (v *visitor) tombstone() bool {
	v.h.Helper()
	err := v.h.live.Register(v.h.Context(), tracking.Slot{Store: v.Scope().Store, Visit: v.hid}, "test", 0, time.Second)
	return errors.Is(err, tracking.ErrFenced)
}

// phone records what the app is told.
type phone struct {
	log *record

	mu     sync.Mutex
	states []string
	closed *tracking.StateChange
	seen   int // looks that it was told of
}

func (p *phone) State(c tracking.StateChange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.states = append(p.states, c.State)
	p.log.add("phone", "state "+c.State)
}

func (p *phone) Seen(by tracking.Looker, _ time.Time) {
	emergency := ""
	if by.Emergency {
		emergency = " in an emergency"
	}
	p.log.add("phone", "seen "+by.Role+" "+by.Team+emergency)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen++
}

// looks is how many it was told of.
func (p *phone) looks() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

func (p *phone) Unseen()                           { p.log.add("phone", "unseen") }
func (p *phone) Call(id, desk string, _ time.Time) { p.log.add("phone", "call "+id+" "+desk) }

func (p *phone) HelpUpdate(id, state string) { p.log.add("phone", "help "+id+" "+state) }

func (p *phone) Map(x *geofence.Index, _ time.Time) {
	p.log.add("phone", "map "+x.Site().Version)
}

func (p *phone) Close(c tracking.StateChange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed == nil {
		p.closed = &c
	}
	p.log.add("phone", "close "+string(c.Reason))
}

// end is the reason of the close; empty while open.
func (p *phone) end() consent.Reason {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed == nil {
		return ""
	}
	return p.closed.Reason
}

// help lets the visitor call for help.
func (v *visitor) help() string {
	v.h.Helper()
	id := uuid.NewString()
	v.h.ok(v.Ask(v.h.Context(), tracking.Alert{ID: id, Kind: tracking.Help, Topic: "size"}))
	return id
}

// alert is an alert as the ledger has it.
func (h *house) alert(id string) tracking.Alert {
	h.Helper()
	list, _, err := h.db.Alerts(h.Context(), shop)
	h.ok(err)
	for _, a := range list {
		if a.ID == id {
			return a
		}
	}
	h.Fatalf("alert not listed among %d", len(list))
	return tracking.Alert{}
}
