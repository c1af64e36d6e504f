// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"errors"
	"time"

	"doorstep/geofence"
)

// Booking is an appointment or a pickup that the retailer has told of: an opaque reference, a time and a desk, and nobody's name.
// It is matched only when an app presents the reference; until then it is about no one.
type Booking struct {
	Ref   string    // the retailer's, at most 64 bytes; kept as a mark only
	Kind  string    // appointment or pickup
	At    time.Time // when it is due
	Until time.Time // after which it is late; zero: BookingSlack after At
	Desk  string    // id of a zone; may be empty
	Proxy bool      // somebody else than who booked is to come
}

// BookingSlack is how far from its time somebody may come and still be on time.
const BookingSlack = 15 * time.Minute

// BookingCase is how a reference that was presented fits what the retailer has told.
type BookingCase string

// The cases. None of them says who it is: staff check the order's code.
const (
	OnTime    BookingCase = "on_time"
	Early     BookingCase = "early"
	Late      BookingCase = "late"
	Elsewhere BookingCase = "wrong_store" // it is at another store
	Again     BookingCase = "again"       // somebody has presented it before
	Unknown   BookingCase = "unknown"
)

// Booked is what an arrival's reference was found to be, as of when it was presented.
type Booked struct {
	Case  BookingCase `json:"case"`
	At    time.Time   `json:"at,omitzero"`
	Desk  string      `json:"desk,omitempty"`
	Proxy bool        `json:"proxy,omitempty"`
	Store string      `json:"store,omitempty"` // for Elsewhere
}

// Match says how a booking of a store fits somebody who presents it now at a store. Taken: somebody else has.
func (b Booking) Match(of, at string, taken bool, now time.Time) Booked {
	m := Booked{At: b.At, Desk: b.Desk, Proxy: b.Proxy, Case: OnTime}
	until := b.Until
	if until.IsZero() {
		until = b.At.Add(BookingSlack)
	}
	switch {
	case of != at:
		m.Case, m.Store, m.Desk = Elsewhere, of, ""
	case taken:
		m.Case = Again
	case now.Before(b.At.Add(-BookingSlack)):
		m.Case = Early
	case now.After(until):
		m.Case = Late
	}
	return m
}

// CallPatience is how long a call waits for the shopper to come before it escalates.
const CallPatience = 5 * time.Minute

// ErrNoDesk answers a call to what is no place to come to.
var ErrNoDesk = errors.New("no such desk")

// Call tells a shopper that a desk is ready for them: whoever raised the alert, while their visit goes on and they can be seen to come.
// An empty desk is the booking's. The key makes it one call however often it is asked for. Errors: ErrNoAlert, ErrAlertFinal, ErrAlertAction
// without a position, ErrNoDesk, ErrNoVisit; anything else is the store's.
func (n *Node) Call(ctx context.Context, store, id, desk, key string) (Alert, error) {
	about, err := n.openAlert(ctx, store, id)
	if err != nil {
		return Alert{}, err
	}
	if desk == "" && about.Booked != nil {
		desk = about.Booked.Desk
	}
	if !n.IsDesk(store, desk) {
		return Alert{}, ErrNoDesk
	}
	return n.Raise(ctx, Alert{ID: followsFrom(id, string(Called), key), Store: store, Visit: about.Visit, Kind: Called, Purpose: about.Purpose,
		Desk: desk, Patience: CallPatience})
}

// openAlert finds an alert of a store that is about somebody who can be seen.
func (n *Node) openAlert(ctx context.Context, store, id string) (Alert, error) {
	list, _, err := n.Alerts.Alerts(ctx, store)
	if err != nil {
		return Alert{}, err
	}
	for _, a := range list {
		switch {
		case a.ID != id:
		case a.Final():
			return a, ErrAlertFinal
		case a.Off:
			return a, ErrAlertAction
		default:
			return a, nil
		}
	}
	return Alert{}, ErrNoAlert
}

// IsDesk reports whether a store has a zone of this id that people can be asked to come to.
func (n *Node) IsDesk(store, desk string) bool {
	z := n.zone(store, desk)
	return z != nil && !z.Sensitive
}

// zone finds a zone of a store's map; nil if there is none.
func (n *Node) zone(store, id string) *geofence.Zone {
	x, ok := n.Atlas.Index(store)
	if !ok {
		return nil
	}
	for _, l := range x.Site().Levels {
		for i := range l.Zones {
			if l.Zones[i].ID == id {
				return &l.Zones[i]
			}
		}
	}
	return nil
}
