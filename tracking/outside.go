// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"errors"
	"time"
)

// What the world outside is told of alerts, by webhook. It has no place, no name and no word in it: ids, kind, epoch and times.

// OutsideEvent is what happened, as receivers know it.
type OutsideEvent string

// The events that are not a state of an alert's. The others are "alert." and the state.
const (
	CallEvent OutsideEvent = "call"       // a desk is ready: the retailer's app can push it to a pocket
	OffEvent  OutsideEvent = "alert.off"  // the request has outlived its position
	GoneEvent OutsideEvent = "alert.gone" // final, for whoever was told of the alert before
)

// Outside is the event of an alert as it is now; empty for one that nobody outside needs.
func (a Alert) Outside() OutsideEvent {
	switch {
	case a.Kind == Emergency:
		return ""
	case a.Kind == Called && a.Version == 1:
		return CallEvent
	case a.Off && a.State == Raised:
		return OffEvent
	}
	return OutsideEvent("alert." + string(a.State))
}

// Delivery is one event for one receiver.
type Delivery struct {
	ID       string // of the event at this receiver; the same in every attempt
	Endpoint string
	Event    OutsideEvent
	Store    string
	Alert    string
	Visit    string // pseudonym; the app knows its own. Empty once it is erased
	Kind     AlertKind
	Purpose  string
	Epoch    int64
	Version  int
	At       time.Time // when it happened
	Attempts int       // this one included
	State    DeliveryState
	Due      time.Time
	Fault    string // why the last attempt failed, in words of ours
}

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states. Dropped is what would have told of somebody who has left meanwhile.
const (
	DeliveryWaits   DeliveryState = "waiting"
	DeliverySent    DeliveryState = "sent"
	DeliveryDead    DeliveryState = "dead"
	DeliveryDropped DeliveryState = "dropped"
)

// Backlog is what the outside has not been told, or not yet.
type Backlog struct {
	Waiting, Dead int
	Oldest        time.Time // when that happened which waits longest, given out to receivers or not; zero if nothing waits
}

// Errors of deliveries.
var (
	ErrNoDelivery = errors.New("no such delivery, or it is forgotten")
	ErrNotSender  = errors.New("another node sends what the outside is told")
)

// Outside is the durable side of it. One node sends at a time, by a lease in the database: every method that changes anything takes the
// holder's name, and answers ErrNotSender if the lease is another's.
type Outside interface {
	// HoldLease takes the lease or renews it, for so long from now, and reports whether it is the holder's.
	HoldLease(ctx context.Context, holder string, life time.Duration) (bool, error)
	// FanOut makes deliveries of what has happened since the last time, for each receiver that listens to it.
	FanOut(ctx context.Context, holder string, listens func(endpoint, store string, e OutsideEvent) bool, endpoints []string) (more bool, err error)
	// DueDeliveries lists what waits to be sent, the oldest first.
	DueDeliveries(ctx context.Context, limit int) ([]string, error)
	// BeginDelivery decides whether a delivery may still be sent, and counts the attempt before there is one. What tells of somebody who
	// has left is dropped, as is the end of what the receiver was never told: then send is false.
	BeginDelivery(ctx context.Context, holder, id string, retry time.Time) (d Delivery, send bool, err error)
	// FinishDelivery keeps what became of an attempt.
	FinishDelivery(ctx context.Context, holder, id string, state DeliveryState, due time.Time, fault string) error
	// Deliveries lists those of a state, the newest first.
	Deliveries(ctx context.Context, state DeliveryState, limit int) ([]Delivery, error)
	// Backlog says what waits and what was given up.
	Backlog(ctx context.Context) (Backlog, error)
	// Replay has a delivery sent again, if nothing has ended meanwhile. ErrNoDelivery.
	Replay(ctx context.Context, id string) error
}
