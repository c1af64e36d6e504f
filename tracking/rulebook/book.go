// SPDX-License-Identifier: Apache-2.0

// Package rulebook is a retailer's own rules about alerts, as data: what raises one, who is told, and after how long it
// escalates. It is pure: it has no clock and knows no session. A book is read and checked once; a node asks it about each visit,
// and `doorstep rules try` about simulated ones, with the same answers.
//
//	{
//	  "time_zone": "Europe/Berlin",
//	  "rules": [
//	    {"id": "fitting", "name": "Long at the fitting rooms", "zone": "fitting-rooms", "dwell": "6m", "purpose": "assist",
//	     "hours": "Mo-Sa 10:00-18:00", "priority": "low", "tell": {"teams": ["Fitting"]}, "escalate_after": "2m"}
//	  ],
//	  "waiting": {"after_checkin": "10m", "zones": {"service-desk": "5m"}, "tell": {"roles": ["lead"]}},
//	  "routes": [{"kind": "help", "zone": "shoes", "tell": {"teams": ["Shoes"]}, "escalate_after": "60s"}]
//	}
package rulebook

import (
	"slices"
	"time"

	"doorstep/geofence"
)

// The kinds that a book raises or routes, as tracking calls them.
const (
	Help    = "help"
	Arrived = "arrived"
	Waiting = "waiting"
	Called  = "called"
	Own     = "rule" // a rule of the retailer's
)

// Priority is how soon somebody should look.
type Priority string

// The priorities. The empty one is Normal.
const (
	Low    Priority = "low"
	Normal Priority = "normal"
	High   Priority = "high"
)

// Tell names whose consoles make a sound. Whoever is in one of the teams, has one of the roles or speaks one of the languages that
// are named; everybody, if none is. All see the alert in the list, and once it has escalated all are told.
type Tell struct {
	Teams     []string `json:"teams,omitempty"` // zones and skills are teams to the issuer of staff tokens
	Roles     []string `json:"roles,omitempty"`
	Languages []string `json:"languages,omitempty"`
}

// Rule raises an alert about a visit that stays in a zone.
type Rule struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"` // what staff read
	Zone     string   `json:"zone"`
	Dwell    Duration `json:"dwell"`
	Purpose  string   `json:"purpose"` // only who has granted it, and opened a session for it
	Hours    string   `json:"hours,omitempty"`
	Priority Priority `json:"priority,omitempty"`
	Tell     Tell     `json:"tell,omitzero"`
	Escalate Duration `json:"escalate_after,omitzero"`

	hours geofence.Hours
}

// Wait is the built-in rule about waiting too long.
type Wait struct {
	AfterCheckin Duration            `json:"after_checkin,omitzero"` // since an arrival that nobody has settled; zero for never
	Zones        map[string]Duration `json:"zones,omitempty"`        // in a zone, by its id
	Priority     Priority            `json:"priority,omitempty"`
	Tell         Tell                `json:"tell,omitzero"`
	Escalate     Duration            `json:"escalate_after,omitzero"`
}

// Route says who is told of alerts that shoppers and staff raise. The first that fits counts.
type Route struct {
	Kind     string   `json:"kind"`
	Topic    string   `json:"topic,omitempty"` // any, if empty
	Zone     string   `json:"zone,omitempty"`  // any, if empty; one that is not known fits no zone
	Priority Priority `json:"priority,omitempty"`
	Tell     Tell     `json:"tell,omitzero"`
	Escalate Duration `json:"escalate_after,omitzero"`
}

// Book is one store's rules. The zero Book raises nothing and tells everybody. It never changes once it is read.
type Book struct {
	TimeZone string  `json:"time_zone,omitempty"` // IANA; of the hours
	Rules    []Rule  `json:"rules,omitempty"`
	Waiting  Wait    `json:"waiting,omitzero"`
	Routes   []Route `json:"routes,omitempty"`
}

// Visit is what a book needs to know of a visit. Since is when it came to be certainly in Zone, both in Unix milliseconds of server time.
type Visit struct {
	Purposes []string
	Zone     string // empty: in none, hidden, or not certain
	Since    int64
	Now      int64
}

// Raise is an alert that is to be raised.
type Raise struct {
	Kind     string        // Own or Waiting
	Rule     string        // its id; empty for Waiting
	Purpose  string        // which the alert rests on
	Patience time.Duration // zero: as usual
}

// Watches reports whether a book looks at zones at all, so that whoever has none need not ask.
func (b *Book) Watches() bool { return b != nil && (len(b.Rules) > 0 || len(b.Waiting.Zones) > 0) }

// Due lists what a visit raises now. It goes on doing so while that holds: an alert's id follows from visit and rule, so that it is
// raised once.
func (b *Book) Due(v Visit) (due []Raise) {
	if v.Zone == "" || len(v.Purposes) == 0 {
		return nil
	}
	stayed := time.Duration(v.Now-v.Since) * time.Millisecond
	for i := range b.Rules {
		r := &b.Rules[i]
		if r.Zone == v.Zone && stayed >= r.Dwell.Duration && slices.Contains(v.Purposes, r.Purpose) && r.hours.Open(time.UnixMilli(v.Now)) {
			due = append(due, Raise{Own, r.ID, r.Purpose, r.Escalate.Duration})
		}
	}
	if after, there := b.Waiting.Zones[v.Zone]; there && stayed >= after.Duration {
		due = append(due, Raise{Waiting, "", v.Purposes[0], b.Waiting.Escalate.Duration})
	}
	return due
}

// Routing is how an alert is brought to people.
type Routing struct {
	Name     string // of the rule that raised it; empty for any other
	Priority Priority
	Tell     Tell
	Patience time.Duration // zero: as usual
}

// Route is how an alert of a kind is brought to people. Topic is a rule's id for Own; zone may be unknown.
func (b *Book) Route(kind, topic, zone string) Routing {
	if b == nil {
		return Routing{Priority: Normal}
	}
	switch kind {
	case Own:
		for i := range b.Rules {
			if r := &b.Rules[i]; r.ID == topic {
				return Routing{r.Name, orNormal(r.Priority), r.Tell, r.Escalate.Duration}
			}
		}
	case Waiting:
		return Routing{"", orNormal(b.Waiting.Priority), b.Waiting.Tell, b.Waiting.Escalate.Duration}
	}
	for _, r := range b.Routes {
		if r.Kind == kind && (r.Topic == "" || r.Topic == topic) && (r.Zone == "" || r.Zone == zone) {
			return Routing{"", orNormal(r.Priority), r.Tell, r.Escalate.Duration}
		}
	}
	return Routing{Priority: Normal}
}

func orNormal(p Priority) Priority {
	if p == "" {
		return Normal
	}
	return p
}

// Person is whoever might be told.
type Person struct {
	Teams      []string
	Role, Lang string
}

// To reports whether a person is told.
func (t Tell) To(p Person) bool {
	if len(t.Teams)+len(t.Roles)+len(t.Languages) == 0 || slices.Contains(t.Roles, p.Role) || slices.Contains(t.Languages, p.Lang) {
		return true
	}
	return slices.ContainsFunc(p.Teams, func(team string) bool { return slices.Contains(t.Teams, team) })
}
