// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking"
)

// BreakGlass carries a request to look at somebody: see tracking.AlertStore. The alert's id follows from the request's, so
// that a repetition finds it.
func (db *DB) BreakGlass(ctx context.Context, store, motion, by string, now time.Time) (a tracking.Alert, err error) {
	err = db.write(ctx, func(t *tx) error {
		a, err = t.breakGlass(store, motion, by, now)
		return err
	})
	if err != nil && !errors.Is(err, tracking.ErrAlertHeld) {
		return tracking.Alert{}, err
	}
	return a, err
}

func (t *tx) breakGlass(store, motion, by string, now time.Time) (tracking.Alert, error) {
	m, again, err := t.carry(consent.GlassMotion, store, motion, by, now)
	if err != nil {
		return tracking.Alert{}, err
	}
	var g tracking.Glass
	if err := json.Unmarshal(m.Body, &g); err != nil {
		return tracking.Alert{}, fmt.Errorf("sqlstore: a glass: %w", err)
	}
	id := uuid.NewSHA1(uuid.NameSpaceOID, []byte("glass "+motion)).String()
	if again {
		return t.alertOf(store, id)
	}
	asked, err := t.alertOf(store, g.Alert)
	if err != nil {
		return tracking.Alert{}, err
	}
	s, err := t.currentFor(store, asked.Visit, asked.Purpose)
	if err != nil {
		return tracking.Alert{}, err
	}
	a, merged, err := t.raise(tracking.Alert{ID: id, Store: store, Visit: asked.Visit, Kind: tracking.Emergency, Purpose: asked.Purpose,
		State: tracking.Claimed, Holder: g.Shift, HolderTag: g.Tag, RaisedAt: now, DueAt: now.Add(tracking.GlassLife)})
	if err != nil {
		return tracking.Alert{}, err
	}
	if merged {
		return a, fmt.Errorf("%w: %s", tracking.ErrAlertHeld, a.HolderTag)
	}
	entry, err := uuid.NewV7()
	if err != nil {
		return tracking.Alert{}, fmt.Errorf("sqlstore: %w", err)
	}
	return a, t.keepRead(s.who, s.stay(), consent.Read{Kind: consent.BreakGlassRead, Reason: g.Reason, People: 2,
		View: consent.View{ID: entry.String(), Store: store, Visit: asked.Visit, Alert: id, Reader: g.Shift, Role: g.Role, Team: g.Team,
			Company: g.Company, Purpose: asked.Purpose, OpenedAt: now, ClosedAt: now}})
}

// alertOf finds an alert of a store by its id, open or not.
func (t *tx) alertOf(store, id string) (tracking.Alert, error) {
	var body string
	m := t.marks("alert", id)
	err := t.row(`SELECT body FROM alert WHERE id IN ($1, $2, $3) AND store = $4`, m[0], m[1], m[2], store).into(&body)
	if noRow(err) {
		return tracking.Alert{}, tracking.ErrNoAlert
	}
	if err != nil {
		return tracking.Alert{}, err
	}
	return t.db.parseAlert(body)
}
