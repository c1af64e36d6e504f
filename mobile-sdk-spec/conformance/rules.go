// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Carried is no rule of SPEC.md: it is broken when the hands did not do their part, or a story could not be told.
const Carried = "H-1"

// always are the rules that hold in every story, with what is due.
var always = map[string]string{
	Carried: "the hands carry out each order and the story can be told",
	"A-1":   "no token is used after its exp",
	"A-2":   "no token, ticket, id or coordinate in an address",
	"A-4":   "a proof that fits its request, with a jti of its own",
	"A-6":   "a version of a fence is fetched once",
	"A-8":   "a request for a prompt as http-prompt-request.json has it",
	"A-10":  "a decision as http-decision-request.json has it, on the prompt that was served",
	"A-11":  "the digest of the strings that were served",
	"A-13":  "a request for a ticket as http-ticket-request.json has it; each ticket used once",
	"A-14":  "the subprotocols doorstep.v1 and doorstep.ticket.… or doorstep.resume.…",
	"A-15":  "hello first, within 5 s; nothing else before the welcome",
	"F-1":   "frames as their schemas have them, and of a fix only what welcome.fields lists",
	"F-6":   "the accuracy that the system stated",
	"F-8":   "mocked as the system said",
	"M-1":   "no fix between map and map_ok, which comes after the fetch and names the next number",
	"P-1":   "no coordinate from outside",
	"R-1":   "fixes no closer than min_ms and the throttle",
	"R-3":   "numbers that rise, from 1 or from where they stopped",
	"T-2":   "the time of capture, in server time",
	"W-3":   "a withdrawal as http-withdrawal-request.json has it",
}

// Marks of the plays. The fence is a square of about 100 m; the second one is its western half.
const (
	store, purpose = "conformance", "assist"
	annex, pocket  = "annex", "pocket" // a store that overlaps the first, and the purpose of going on in a pocket
	firstFence     = "v1"
	secondFence    = "v2"
	south, west    = 54.0, 3.0
	north, east    = 54.0009, 3.0015
	middle         = (west + east) / 2
	annexSouth     = 54.0007
	annexNorth     = 54.0011
	usualAccuracy  = 6
	metreNorth     = 1 / 111_320.0
)

// places are where the hands may be told to be, in metres north of the northern edge, but for those inside.
var places = map[string][2]float64{
	"inside":    {54.00045, 3.0003},
	"elsewhere": {54.0003, 3.0005},  // inside both fences, some 20 m off
	"east":      {54.00045, 3.0012}, // inside the first fence only
	"both":      {54.00080, 3.0012}, // inside the first fence, and the annex
	"annex":     {54.00100, 3.0012}, // inside the annex only, north of the first
	"edge":      {north + 4*metreNorth, 3.0003},
	"out":       {north + 40*metreNorth, 3.0003},
	"far":       {north + 400*metreNorth, 3.0003},
}

// at fills in the point of a place.
func at(c Command) Command {
	if p, ok := places[c.At]; ok {
		c.Lat, c.Lng = p[0], p[1]
	}
	if c.AccuracyM == 0 {
		c.AccuracyM = usualAccuracy
	}
	return c
}

func isInside(fence string, lat, lng float64) bool {
	end := east
	switch fence {
	case secondFence:
		end = middle
	case annex:
		return lat >= annexSouth && lat <= annexNorth && lng >= middle && lng <= east
	}
	return lat >= south && lat <= north && lng >= west && lng <= end
}

// The stamp of a fix may be as old as a fix in the slot, and ahead by what clocks are read with.
const (
	oldest = 16 * time.Second
	ahead  = 1500 * time.Millisecond
)

// pace counts fixes since a figure was set. Fixes that the network held up come together, so it is their number that is
// judged and never the time between two.
type pace struct {
	gap         time.Duration
	since, till time.Time
	fixes       int
}

// slack is for the fix that was under way when the figure was set, and the one that is due at once.
const slack = 2

// sent counts a fix, and says what is wrong with it.
func (c *pace) sent(now time.Time) string {
	if now.Before(c.since) || now.After(c.till) {
		return ""
	}
	c.fixes++
	passed := now.Sub(c.since)
	return unless(float64(c.fixes) <= 1.1*float64(passed)/float64(c.gap)+slack,
		fmt.Sprintf("%d fixes in %v, where one every %v was due", c.fixes, passed.Round(time.Millisecond), c.gap))
}

// fixed judges a fix. It is called by the socket's one reader.
func (p *play) fixed(k *socket, f map[string]any) {
	number := func(name string) float64 { n, _ := f[name].(float64); return n }
	now := p.suite.now()
	p.mu.Lock()
	placed, fence, fetched := p.placed, p.fence, p.fetched
	hurried := k.pace.sent(now) + p.slow.sent(now)
	p.mu.Unlock()
	off := now.Sub(time.UnixMilli(int64(number("t"))))
	for rule, seen := range map[string]string{
		"P-1": unless(isInside(fence, number("lat"), number("lng")), "a fix with a place outside"),
		"R-1": hurried,
		"T-2": unless(off < oldest && off > -ahead, fmt.Sprintf("a fix %v old", off.Round(time.Millisecond))),
		"F-6": unless(f["accuracy_m"] == nil || slices.ContainsFunc(placed, func(c Command) bool { return math.Abs(number("accuracy_m")-c.AccuracyM) < 0.01 }), "an accuracy that no reading had"),
		"F-8": unless(f["mocked"] == nil || slices.ContainsFunc(placed, func(c Command) bool { return f["mocked"] == c.Mocked }), "mocked, where no reading was, or the reverse"),
		"M-1": unless(fetched.IsZero() || off > now.Sub(fetched), "a fix captured after the fetch, and sent before map_ok"),
	} {
		if seen == "" {
			p.kept(rule)
		} else {
			p.broken(rule, seen)
		}
	}
	for name := range f {
		if !k.permits(name) {
			p.broken("F-1", "a fix with "+name+", which welcome.fields does not list")
		}
	}
}

func unless(ok bool, seen string) string {
	if ok {
		return ""
	}
	return seen
}

// numbered judges the number of a fix or an outside.
func (p *play) numbered(f map[string]any) {
	n, _ := f["seq"].(float64)
	p.mu.Lock()
	last := p.seq
	p.seq = max(p.seq, int64(n))
	p.mu.Unlock()
	if int64(n) <= last {
		p.broken("R-3", fmt.Sprintf("number %d after %d", int64(n), last))
		return
	}
	p.kept("R-3")
}

// second is the version of the store's second map, which names the story.
func (p *play) second() string { return secondFence + "-" + p.sc.Name }

// mapped judges map_ok: after the fetch, with the next number. On a connection that came back, numbers that were sent on the one before may have
// been lost with it: the next is then above those that arrived.
func (p *play) mapped(f map[string]any) {
	p.mu.Lock()
	n, _ := f["seq"].(float64)
	next := p.seq + 1
	fetched, used := !p.fetched.IsZero() && f["fence"] == p.second(), int64(n) < p.seq
	p.fence, p.fetched = secondFence, time.Time{}
	right := int64(n) == next || p.resumed && int64(n) > next
	p.mu.Unlock()
	if used { // it does not know how far it has come
		p.broken("R-3", fmt.Sprintf("map_ok from number %d after %d", int64(n), next-1))
		return
	}
	if seen := unless(fetched && right, fmt.Sprintf("map_ok from number %d, where %d is next; fetched: %v", int64(n), next, fetched)); seen != "" {
		p.broken("M-1", seen)
	}
}
