// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"fmt"

	"doorstep/consent"
	"doorstep/tracking"
)

// bookingMark is a booking's reference as it is written: only who presents it finds the booking.
func (t *tx) bookingMark(ref string) string { return t.db.ring.Mark("booking", ref) }

// KeepBookings enters what the retailer has booked at a store, or changes it; what is so already is left alone, as is that somebody has
// arrived. It answers how many it changed.
func (db *DB) KeepBookings(ctx context.Context, store string, list []tracking.Booking, by string) (changed int64, err error) {
	err = db.auditStore(ctx, consent.EntryBooking, store, by, func(t *tx) (string, error) {
		for _, b := range list {
			n, err := t.exec(`INSERT INTO booking (ref, store, kind, due_at, until, desk, proxy, arrived, entered_at) VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8)
				ON CONFLICT (ref) DO UPDATE SET store = $2, kind = $3, due_at = $4, until = $5, desk = $6, proxy = $7, entered_at = $8
				WHERE booking.store <> $2 OR booking.kind <> $3 OR booking.due_at <> $4 OR booking.until <> $5 OR booking.desk <> $6 OR booking.proxy <> $7`,
				t.bookingMark(b.Ref), store, b.Kind, micros(b.At), micros(b.Until), b.Desk, bit(b.Proxy), micros(t.now))
			if err != nil {
				return "", err
			}
			changed += n
		}
		return whatChanged("kept", changed), nil
	})
	return changed, err
}

// CancelBookings takes bookings of a store back, and answers how many there were.
func (db *DB) CancelBookings(ctx context.Context, store string, refs []string, by string) (cancelled int64, err error) {
	err = db.auditStore(ctx, consent.EntryBooking, store, by, func(t *tx) (string, error) {
		for _, ref := range refs {
			n, err := t.exec(`DELETE FROM booking WHERE ref = $1 AND store = $2`, t.bookingMark(ref), store)
			if err != nil {
				return "", err
			}
			cancelled += n
		}
		return whatChanged("cancelled", cancelled), nil
	})
	return cancelled, err
}

func whatChanged(how string, n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("bookings %s: %d", how, n)
}

// matchBooking finds what an arrival's reference is, and notes that it has been presented. That is a mark which is good for a day, and
// of the alert.
func (t *tx) matchBooking(a tracking.Alert) (tracking.Alert, error) {
	if a.Kind != tracking.Arrived || a.Ref == "" {
		return a, nil
	}
	var b tracking.Booking
	var store, arrived string
	var at, until int64
	err := t.row(`SELECT store, kind, due_at, until, desk, proxy, arrived FROM booking WHERE ref = $1`, t.bookingMark(a.Ref)).into(
		&store, &b.Kind, &at, &until, &b.Desk, &b.Proxy, &arrived)
	if noRow(err) {
		a.Booked = &tracking.Booked{Case: tracking.Unknown}
		return a, nil
	}
	if err != nil {
		return a, err
	}
	b.At, b.Until = fromMicros(at), fromMicros(until)
	m := b.Match(store, a.Store, arrived != "", t.now)
	a.Booked = &m
	if m.Case == tracking.Elsewhere || arrived != "" {
		return a, nil
	}
	mark, err := t.mark("alert", a.ID)
	if err == nil {
		_, err = t.exec(`UPDATE booking SET arrived = $2 WHERE ref = $1`, t.bookingMark(a.Ref), mark)
	}
	return a, err
}
