// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"encoding/json"
	"math"
	"sync"
	"time"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking/rulebook"
)

// desk is a store's consoles on this node, and the alerts they show. There is one while a console
// is open.
type desk struct {
	node  *Node
	store string
	index *geofence.Index
	frame geofence.Frame
	zones map[string]*geofence.Zone
	stop  context.CancelFunc

	mu       sync.Mutex // owns the rest
	consoles map[*Console]struct{}
	alerts   map[string]*shownAlert
	offset   int64         // the highest change number taken in
	hides    int           // how often a visit was hidden
	read     time.Duration // when the live state was last read, boot time
	seen     chan told
}

// shownAlert is an alert with what is joined live.
type shownAlert struct {
	Alert
	offset   int64
	presence string
	zone     *ZoneFrame
	near     string // how somebody who was called stands to the desk
	hidden   int    // the number of its last hiding, counted by desk.hides
	hiddenT  int64  // and the last fix that had been accepted then: Unix milliseconds, by the phone's clock
}

func newDesk(n *Node, store string, x *geofence.Index) *desk {
	d := &desk{node: n, store: store, index: x, frame: x.Site().Frame(),
		zones: make(map[string]*geofence.Zone), consoles: make(map[*Console]struct{}), alerts: make(map[string]*shownAlert),
		seen: make(chan told, seenMost)}
	site := x.Site()
	for i := range site.Levels {
		for j := range site.Levels[i].Zones {
			z := &site.Levels[i].Zones[j]
			d.zones[z.ID] = z
		}
	}
	return d
}

// may is the last look before a frame is written: nothing about a visit leaves without a lease, or
// once the visit is known to have ended; only that it is gone.
func (d *desk) may(o outgoing) bool {
	if o.visit == "" || o.final || o.outlives {
		return true
	}
	if !d.node.Serving() {
		return false
	}
	return !d.node.ended.has(o.visit)
}

// takeAlert takes in an alert at some version; older ones than the one held are ignored, so it may
// be told the same thing by the node itself and by the feed. One that is over stays so: the node that
// carries an end out may know of it before the feed has told it what came before.
func (d *desk) takeAlert(a Alert, offset int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.offset = max(d.offset, offset)
	held := d.alerts[a.ID]
	if held != nil && (held.Version >= a.Version || held.Final()) {
		held.offset = max(held.offset, offset)
		if a.Final() && held.Version < a.Version {
			held.Alert = a
		}
		return
	}
	if held == nil {
		held = &shownAlert{presence: presenceHidden}
		d.alerts[a.ID] = held
	}
	before := held.Alert
	held.Alert, held.offset = a, max(held.offset, offset)
	if a.Off {
		held.presence, held.zone = presenceOff, nil
	}
	if a.State == Gone && before.ID == "" {
		return // no screen has had it
	}
	for c := range d.consoles {
		c.put(d.outgoing(c, held))
		if before.Holder != a.Holder || a.Final() {
			c.endLook(a.ID)
		}
	}
}

func (d *desk) outgoing(c *Console, a *shownAlert) outgoing {
	return outgoing{visit: a.Visit, frame: alertFrame{"alert", a.offset, d.render(c, a)}, outlives: a.Off || a.Final()}
}

// Frame is the alert as the person of the given shift may see it, without what is joined live.
func (a Alert) Frame(shift string) AlertFrame {
	f := AlertFrame{ID: a.ID, Kind: a.Kind, Topic: a.asked(), Ref: a.Ref, State: a.State, Version: a.Version,
		HolderTag: a.HolderTag, Mine: a.Holder != "" && a.Holder == shift,
		RaisedT: unixMS(a.RaisedAt), ChangedT: unixMS(a.ChangedAt), DueT: unixMS(a.DueAt),
		Presence: presenceHidden, Reason: a.Reason, ShowMe: a.ShowMe, Desk: a.Desk}
	if b := a.Booked; b != nil {
		f.Booking = &BookingFrame{Case: b.Case, T: unixMS(b.At), Desk: b.Desk, Proxy: b.Proxy, Store: b.Store}
		if b.At.IsZero() {
			f.Booking.T = 0
		}
	}
	switch {
	case a.Final():
		f.Presence = presenceGone
	case a.Off:
		f.Presence = presenceOff
	}
	return f
}

// asked is what the shopper asked for. A rule's id is not that, and may name a zone.
func (a Alert) asked() string {
	if a.Kind == Rule {
		return ""
	}
	return a.Topic
}

// render is the alert as this console may see it.
func (d *desk) render(c *Console, a *shownAlert) AlertFrame {
	f, r := a.Frame(c.person.Shift), d.routing(a)
	f.Quiet, f.Priority = !c.isFor(a.Alert, r), urgency(r)
	if a.presence == presenceVisible && !a.Final() && !a.Off {
		f.Presence, f.Zone, f.Word, f.Rule, f.AtDesk = presenceVisible, a.zone, Word(a.Visit), r.Name, a.near
	}
	return f
}

// live is what is joined of a visible alert, as this console may see it. Called with mu held.
func (d *desk) live(c *Console, a *shownAlert) outgoing {
	r := d.routing(a)
	return outgoing{visit: a.Visit, frame: liveFrame{Type: "live", Alert: a.ID, Zone: a.zone, Word: Word(a.Visit), Rule: r.Name, AtDesk: a.near,
		Priority: urgency(r), Quiet: !c.isFor(a.Alert, r)}}
}

// urgency is a priority as a frame has it: normal is left out.
func urgency(r rulebook.Routing) string {
	if r.Priority == rulebook.Normal {
		return ""
	}
	return string(r.Priority)
}

// setPresence hides a visit's alerts at once, or shows them again. What was captured until t, by the phone's clock, is hidden.
func (d *desk) setPresence(visit string, shown bool, t int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !shown {
		d.hides++
	}
	for _, a := range d.alerts {
		if a.Visit != visit || a.Final() || a.Off {
			continue
		}
		if !shown {
			a.hidden, a.hiddenT = d.hides, t
		}
		d.setAlertPresence(a, shown)
	}
}

func (d *desk) setAlertPresence(a *shownAlert, shown bool) {
	want := presenceHidden
	if shown {
		want = presenceVisible
	}
	if a.presence == want {
		return
	}
	a.presence = want
	if !shown {
		a.zone, a.near = nil, ""
	}
	t := unixMS(d.node.Clock.Now())
	for c := range d.consoles {
		if !shown {
			c.dropPosition(a.ID)
		}
		c.put(outgoing{visit: a.Visit, frame: presenceFrame{"presence", a.ID, want, t}})
		if shown {
			c.put(d.live(c, a))
		}
	}
}

func (c *Console) dropPosition(alert string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.positions, alert)
}

// gone tells every console that was told anything of the visit that it is over, after emptying
// their queues of it, and returns how many those were once they have been sent it, or are cut, and
// nothing else can reach them.
func (d *desk) gone(e consent.End, at time.Time) (told int) {
	d.mu.Lock()
	consoles := make([]*Console, 0, len(d.consoles))
	for c := range d.consoles {
		consoles = append(consoles, c)
	}
	proofs, visits := d.endAlerts(e, at)
	for _, c := range consoles {
		if c.dropVisits(visits) {
			told++
			for _, p := range proofs {
				c.put(outgoing{visit: e.Visit, frame: p, final: true})
			}
		}
	}
	d.mu.Unlock()
	var all sync.WaitGroup // one that is slow must not add to another's patience
	for _, c := range consoles {
		c.endVisitLooks(e.Visit)
		all.Go(c.barrier)
	}
	all.Wait()
	return told
}

// endAlerts marks the alerts that went with the visit. Among them may be requests that had outlived an
// earlier visit, so it says whose frames are void now. Called with mu held.
func (d *desk) endAlerts(e consent.End, at time.Time) (frames []goneFrame, visits []string) {
	visits = []string{e.Visit}
	for _, a := range d.alerts {
		if a.Visit == e.Visit {
			a.zone, a.presence = nil, presenceOff // a request may outlive the position; its own entry says so
		}
	}
	for _, id := range e.Alerts {
		a := d.alerts[id]
		if a == nil { // not heard of yet: what the feed still has of it comes too late
			a = &shownAlert{Alert: Alert{ID: id, Store: d.store, Visit: e.Visit}}
			d.alerts[id] = a
		}
		visits = append(visits, a.Visit)
		if !a.Final() {
			a.end(e.Reason, at)
		}
		// Also of one that was read as over before this end came: what its queues had of that is dropped with the rest.
		frames = append(frames, goneFrame{"gone", a.ID, e.Change, string(e.Reason), unixMS(at), d.node.Prove(a.ID, e, at)})
	}
	return frames, visits
}

// end is what an alert becomes when what it was about has ended.
func (a *shownAlert) end(why consent.Reason, at time.Time) {
	a.State, a.Reason, a.ChangedAt = Gone, string(why), at
	a.zone, a.presence = nil, presenceGone
	a.Version++
	a.Holder, a.HolderTag, a.Ref, a.Topic, a.Booked, a.Desk = "", "", "", "", nil, ""
}

func contains(list []string, s string) bool {
	for _, v := range list {
		if v == s {
			return true
		}
	}
	return false
}

// shown takes in what was published with a write: the newest positions of visits that are looked at.
func (d *desk) shown(m Message) {
	list, err := DecodeShown(m.Payload)
	if err != nil {
		return
	}
	for _, s := range list {
		if p, ok := decodePosition(s.Payload); ok {
			d.place(s.Visit, p)
		}
	}
}

// place shows a position to whoever is looking at the visit.
func (d *desk) place(visit string, p Position) {
	x, y := d.frame.XY(geofence.LatLng{Lat: p.Lat, Lng: p.Lng})
	f := positionFrame{Type: "position", X: centimetres(x), Y: centimetres(y), AccuracyM: p.AccuracyM, T: p.T}
	if p.HasLevel {
		f.Level = &p.Level
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.alerts {
		if a.Visit != visit || a.Final() || a.presence != presenceVisible {
			continue
		}
		f.Alert = a.ID
		for c := range d.consoles {
			if c.isLooking(a.ID) {
				c.show(a.ID, outgoing{visit: visit, frame: f})
			}
		}
	}
}

func centimetres(m float64) float64 { return math.Round(m*100) / 100 }

// zone is what staff are told of where an alert's visit is, without a view: the notice of its purpose says so, or they
// are told nothing.
func (d *desk) zone(purpose string, p Position) *ZoneFrame {
	z := d.zones[p.Zone]
	if z == nil || z.Sensitive || !d.node.Ledger.Declares(purpose, consent.ZoneData) {
		return nil
	}
	return &ZoneFrame{ID: z.ID, Name: z.Name, Level: z.Level, Likely: p.Likely}
}

// ParseAlert reads an alert as a feed entry carries it.
func ParseAlert(body []byte) (Alert, bool) {
	var a Alert
	return a, json.Unmarshal(body, &a) == nil
}
