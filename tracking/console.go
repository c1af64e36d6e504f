// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"slices"
	"sync"
	"time"

	"doorstep/consent"
)

// Screen is the connection to one console. Write blocks for at most about a second and then fails;
// Close makes a Write that is under way fail at once. Both may be called from any goroutine.
type Screen interface {
	Write(frame any) error
	Close(why consent.Reason)
}

// Person is who is signed in at a console, by shift pseudonym.
type Person struct {
	Actor
	Role, Team string
	Company    string   // whose staff, if not the controller's
	Teams      []string // all that they are in, skills included
	Lang       string   // may be empty
	Purposes   []string // that they are there for; none named: every one
}

// duties are the purposes for which sessions may open while the person is signed in.
func (p Person) duties() []string {
	if len(p.Purposes) == 0 {
		return []string{consent.EveryPurpose}
	}
	return p.Purposes
}

// Console is one signed-in screen. Frames leave it through one goroutine, which looks once more at
// each, right before it is written, whether it may still be sent.
type Console struct {
	desk   *desk
	person Person
	screen Screen
	wake   chan struct{}

	// gate is held from that last look until the frame has been written: whoever has passed through
	// it knows that what was sent before is sent and that what comes after has been looked at.
	gate chan struct{}

	mu        sync.Mutex // owns the rest
	queue     []outgoing
	positions map[string]outgoing // newest per alert
	told      map[string]bool     // visits it was sent something about
	looks     map[string]*look    // by alert
	beat      int64
	beatDue   bool
	missed    *missed // what it is told instead of the first snapshot; nil for all
	owed      bool    // a snapshot, before anything else about a visit
	closed    bool
}

// outgoing is a frame and the visit it is about ("" if none).
type outgoing struct {
	visit    string
	frame    any
	final    bool // that the visit is gone: may always be sent
	outlives bool // an alert that is over, or has no position any more: needs no visit under way
}

// queueMost is how far a console may fall behind before it is cut.
const queueMost = 2048

func newConsole(d *desk, p Person, s Screen) *Console {
	return &Console{
		desk: d, person: p, screen: s,
		wake: make(chan struct{}, 1), gate: make(chan struct{}, 1),
		positions: make(map[string]outgoing), told: make(map[string]bool), looks: make(map[string]*look),
		owed: true,
	}
}

// Beat takes the page's beat number; the echo says whether this node may serve.
func (c *Console) Beat(n int64) {
	c.mu.Lock()
	c.beat, c.beatDue = n, true
	c.mu.Unlock()
	c.signal()
}

func (c *Console) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// put queues a frame. A console that is too far behind is cut: it will come back and be told anew.
// What the snapshot that it is owed will say is not queued as well.
func (c *Console) put(o outgoing) {
	c.mu.Lock()
	full := len(c.queue) >= queueMost
	if covered := c.owed && o.visit != "" && !o.final; !full && !covered && !c.closed {
		c.queue = append(c.queue, o)
		if o.visit != "" && !o.final {
			c.told[o.visit] = true
		}
	}
	c.mu.Unlock()
	if full {
		go c.cut("too_slow") // closing may take a moment, and the caller holds up the whole desk
		return
	}
	c.signal()
}

// show replaces the newest position of an alert. Positions coalesce; alerts never do.
func (c *Console) show(alert string, o outgoing) {
	c.mu.Lock()
	if !c.closed {
		c.positions[alert] = o
		c.told[o.visit] = true
	}
	c.mu.Unlock()
	c.signal()
}

// run writes until ctx ends or the screen is gone.
func (c *Console) run(ctx context.Context) {
	for {
		wrote, err := c.writeOne()
		if err != nil {
			c.cut("too_slow")
			return
		}
		if wrote {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-c.wake:
		}
	}
}

func (c *Console) writeOne() (wrote bool, err error) {
	c.gate <- struct{}{}
	defer func() { <-c.gate }()
	if c.isOwed() && c.desk.node.Serving() {
		return true, c.screen.Write(c.desk.snapshot(c))
	}
	o, ok := c.next()
	if !ok {
		return false, nil
	}
	if !c.desk.may(o) {
		c.desk.node.Stats.FramesDropped.Add(1)
		if !c.desk.node.ended.has(o.visit) { // for want of a lease: it will have to be told anew
			c.owe()
		}
		return true, nil
	}
	return true, c.screen.Write(o.frame)
}

func (c *Console) isOwed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.owed && !c.closed
}

// owe promises a snapshot, made at the moment when it is written. It says all that is queued about
// visits, but for what was signed.
func (c *Console) owe() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = true
	c.queue = slices.DeleteFunc(c.queue, func(o outgoing) bool { return o.visit != "" && !o.final })
	clear(c.positions)
}

// takeMissed hands out what the console has missed, once: after that it is owed all or nothing.
func (c *Console) takeMissed() *missed {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.missed
	c.missed = nil
	return m
}

// paid notes that the snapshot is made, and of which visits it tells.
func (c *Console) paid(visits []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owed = false
	for _, v := range visits {
		c.told[v] = true
	}
}

// next takes what is to be written next: what is durable first, then the beat, then positions.
func (c *Console) next() (outgoing, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return outgoing{}, false
	}
	if len(c.queue) > 0 {
		o := c.queue[0]
		c.queue = c.queue[1:]
		return o, true
	}
	if c.beatDue {
		c.beatDue = false
		return outgoing{frame: beatFrame{"beat", c.beat, c.desk.node.Serving()}}, true
	}
	for alert, o := range c.positions {
		delete(c.positions, alert)
		if p, ok := o.frame.(positionFrame); ok {
			p.N = c.beat
			o.frame = p
		}
		if l := c.looks[alert]; l != nil {
			l.count++
			l.shown = true
		}
		return o, true
	}
	return outgoing{}, false
}

// dropVisits empties the queue of visits and reports whether the console was ever told of one.
func (c *Console) dropVisits(visits []string) (told bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = slices.DeleteFunc(c.queue, func(o outgoing) bool { return !o.final && contains(visits, o.visit) })
	for alert, o := range c.positions {
		if contains(visits, o.visit) {
			delete(c.positions, alert)
		}
	}
	for _, v := range visits {
		told = told || c.told[v]
		delete(c.told, v)
	}
	return told
}

// barrier returns once no frame that was looked at before is still being written, and what is final
// has been. A console that does not read is cut, which makes its write fail.
func (c *Console) barrier() {
	patience := time.AfterFunc(time.Second/4, func() { c.cut("too_slow") })
	defer patience.Stop()
	c.gate <- struct{}{}
	defer func() { <-c.gate }()
	for _, o := range c.takeFinal() {
		if err := c.screen.Write(o.frame); err != nil {
			c.cut("too_slow")
			return
		}
	}
}

// takeFinal takes what says that something is gone out of the queue, past what waits there about others.
func (c *Console) takeFinal() (final []outgoing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue = slices.DeleteFunc(c.queue, func(o outgoing) bool {
		if o.final {
			final = append(final, o)
		}
		return o.final
	})
	return final
}

// cut closes the console from this side.
func (c *Console) cut(why consent.Reason) {
	c.mu.Lock()
	was := c.closed
	c.closed = true
	c.queue = nil
	clear(c.positions)
	c.mu.Unlock()
	if !was {
		c.desk.node.Stats.ConsolesCut.Add(1)
		c.screen.Close(why)
	}
	c.signal()
}

// Tell sends the console an error of its own doing.
func (c *Console) Tell(code, alert, detail string) {
	c.put(outgoing{frame: errorFrame{"error", code, alert, detail}})
}
