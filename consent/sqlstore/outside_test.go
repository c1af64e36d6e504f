// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking"
)

// Whoever outside was told of somebody hears after their erasure that it is gone, by a message that is nobody's; of what was not told, nothing is left.
func TestAnErasureIsToldToWhoeverWasTold(t *testing.T) {
	e := newEstate(t)
	defer e.close()
	ctx := t.Context()
	a, err := e.ledger.Admit(ctx, consent.Scope{Installation: e.ana.installation, Store: "shop"})
	e.ok(err)
	told, untold := uuid.NewString(), uuid.NewString()
	for _, id := range []string{told, untold} {
		_, _, err = e.db.RaiseAlert(ctx, tracking.Alert{ID: id, Store: "shop", Visit: a.Visit, Kind: tracking.Help, Topic: id[:4], Purpose: "assist"})
		e.ok(err)
	}
	_, err = e.db.HoldLease(ctx, "n1", time.Minute)
	e.ok(err)
	_, err = e.db.FanOut(ctx, "n1", func(string, string, tracking.OutsideEvent) bool { return true }, []string{"crm"})
	e.ok(err)
	waiting, err := e.db.Deliveries(ctx, tracking.DeliveryWaits, 10)
	e.ok(err)
	for _, d := range waiting {
		if d.Alert == told {
			_, _, err = e.db.BeginDelivery(ctx, "n1", d.ID, time.Now().Add(time.Minute)) // and whether it arrived, nobody knows
			e.ok(err)
		}
	}
	e.begin()
	e.erase()
	left, err := e.db.Deliveries(ctx, tracking.DeliveryWaits, 10)
	if err != nil || len(left) != 1 || left[0].Event != tracking.GoneEvent || left[0].Alert != told || left[0].Visit != "" {
		t.Fatalf("left: %+v, %v", left, err)
	}
	var owned int
	e.ok(e.db.reader.QueryRow(`SELECT COUNT(*) FROM webhook WHERE subject <> ''`).Scan(&owned))
	if owned != 0 {
		t.Errorf("%d are somebody's", owned)
	}
	if _, send, err := e.db.BeginDelivery(ctx, "n1", left[0].ID, time.Now().Add(time.Minute)); err != nil || !send {
		t.Errorf("it is not sent: %v, %v", send, err)
	}
}
