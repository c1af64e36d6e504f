// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"fmt"
	"time"
)

// Suspension keeps an app out that asked for what is undeclared too often (brief, 18).
type Suspension struct {
	App      string    // azp of its tokens
	Since    time.Time //
	Until    time.Time // zero once it was lifted
	LiftedBy string    // pseudonym of who let it in again; empty if time did or will
}

// Suspend keeps an app out for a time, at every node. One that is out already stays out as long as it was to.
func (l *Ledger) Suspend(ctx context.Context, app string, span time.Duration) error {
	if app == "" || span <= 0 {
		return fmt.Errorf("%w: a suspension needs an app and a time", ErrRequest)
	}
	now := l.now()
	return l.store.Suspend(ctx, Suspension{App: app, Since: now, Until: now.Add(span)}, now)
}

// Lift lets an app in again. ErrNotSuspended if it is not out.
func (l *Ledger) Lift(ctx context.Context, app, by string) error {
	return l.store.Lift(ctx, app, by, l.now())
}

// Suspensions lists the apps that are or were kept out, by name.
func (l *Ledger) Suspensions(ctx context.Context) ([]Suspension, error) {
	return l.store.Suspensions(ctx)
}
