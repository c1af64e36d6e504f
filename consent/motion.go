// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// MotionKind is something that nobody does alone.
type MotionKind string

// The kinds of motions, and how long each waits for a second person.
const (
	GlassMotion      MotionKind = "break_glass" // look at somebody without what a look takes
	HoldMotion       MotionKind = "hold"        // keep what would be forgotten
	DisclosureMotion MotionKind = "disclosure"  // hand something over to somebody outside

	GlassWait  = 15 * time.Minute
	MotionWait = 24 * time.Hour
)

// Motion is asked for by one person and does nothing until another one carries it, in time.
type Motion struct {
	ID    string // UUID, chosen by whoever asks; the same id again is the same motion
	Kind  MotionKind
	Store string
	Body  []byte // what is asked for, as JSON; forgotten within a day or two
	By    string // pseudonym of who asks
	At    time.Time
	Until time.Time
}

// The refusals of motions.
var (
	ErrNoMotion   = &Problem{"no_motion", 404, "nobody has asked for this here", "ask for it first; somebody else approves it", ErrNotFound}
	ErrSamePerson = forbidden("same_person", "whoever asked for it cannot approve it", "have somebody else approve it")
	ErrNoShopper  = &Problem{"no_shopper", 404, "nobody by this id is known here", "check the id; if it is right, there is nothing to hand over: record the request as refused", ErrNotFound}
	ErrMotionOver = conflict("motion_over", "it is approved already, or was not approved in time", "ask for it anew if it is still needed")
)

// Move keeps a motion until it is carried, or its time is over. A repetition changes nothing; ErrIDTaken if the
// id was used for another.
func (l *Ledger) Move(ctx context.Context, m Motion) error {
	if _, err := uuid.Parse(m.ID); err != nil || len(m.ID) != 36 {
		return fmt.Errorf("%w: id is a UUID of 36 characters", ErrRequest)
	}
	if m.By == "" || m.Kind == "" || len(m.Body) == 0 {
		return fmt.Errorf("%w: a motion needs its kind, who asks and what for", ErrRequest)
	}
	m.At = l.now()
	m.Until = m.At.Add(MotionWait)
	if m.Kind == GlassMotion {
		m.Until = m.At.Add(GlassWait)
	}
	return l.store.Move(ctx, m)
}

// Motions lists what waits for a second person, oldest first; of one store, or of all for an empty one.
func (l *Ledger) Motions(ctx context.Context, kind MotionKind, store string) ([]Motion, error) {
	return l.store.Motions(ctx, kind, store, l.now())
}

// Reasons are read by the shopper, or by whoever audits: they are asked to say something.
const reasonLeast, reasonMost = 10, 280

// CheckReason refuses, with ErrRequest, what cannot be a reason.
func CheckReason(reason string) error {
	if n := len([]rune(reason)); n < reasonLeast || n > reasonMost {
		return fmt.Errorf("%w: reason: say why in %d to %d characters", ErrRequest, reasonLeast, reasonMost)
	}
	return nil
}
