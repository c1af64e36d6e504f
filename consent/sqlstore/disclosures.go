// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
)

// CarryDisclosure enters what is to be handed over into the shopper's journal, and into the operator's own list.
func (db *DB) CarryDisclosure(ctx context.Context, id, by string, now time.Time) (d consent.Disclosure, err error) {
	err = db.write(ctx, func(t *tx) error {
		m, again, err := t.carry(consent.DisclosureMotion, "", id, by, now)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(m.Body, &d); err != nil {
			return fmt.Errorf("sqlstore: a disclosure: %w", err)
		}
		d.By, d.Approved, d.At = m.By, by, fromMicros(micros(now))
		if again {
			return nil
		}
		entry, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("sqlstore: %w", err)
		}
		v := consent.View{ID: entry.String(), Store: d.Store, Company: d.Recipient, Purpose: d.Purpose, Fields: d.Fields, OpenedAt: d.At, ClosedAt: d.At}
		if err := t.enterRead(d.Subject, consent.Read{View: v, Kind: consent.DisclosureRead, Reason: d.Reason, People: 2}); err != nil {
			return err
		}
		return t.keepDisclosure(d, consent.AuthorityAnswered)
	})
	return d, err
}

// RefuseDisclosure keeps that a request was refused.
func (db *DB) RefuseDisclosure(ctx context.Context, d consent.Disclosure) error {
	return db.write(ctx, func(t *tx) error {
		if err := t.lock(); err != nil {
			return err
		}
		if again, err := t.refusedBefore(d); again || err != nil {
			return err
		}
		return t.keepDisclosure(d, consent.AuthorityAsked, consent.AuthorityRefused)
	})
}

// refusedBefore reports whether this very refusal is kept. ErrIDTaken if its id is another's, or that of a request that waits.
func (t *tx) refusedBefore(d consent.Disclosure) (bool, error) {
	var is consent.Disclosure
	var refused int64
	err := t.row(`SELECT store, recipient, reason, mover, refused FROM disclosure WHERE id = $1`, d.ID).into(&is.Store, &is.Recipient, &is.Reason, &is.By, &refused)
	if noRow(err) {
		return false, t.isFree("motion", d.ID)
	}
	if err == nil && (refused == 0 || is.Store != d.Store || is.Recipient != d.Recipient || is.Reason != d.Reason || is.By != d.By) {
		err = fmt.Errorf("%w: %s", consent.ErrIDTaken, d.ID)
	}
	return err == nil, err
}

// keepDisclosure is what stays of a request, not of whom; and what it counts as, once.
func (t *tx) keepDisclosure(d consent.Disclosure, counts ...string) error {
	if d.Fields == nil {
		d.Fields = []string{}
	}
	fields, err := json.Marshal(d.Fields)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	n, err := t.exec(`INSERT INTO disclosure (id, store, recipient, reason, fields, refused, mover, seconder, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`,
		d.ID, d.Store, d.Recipient, d.Reason, string(fields), bit(d.Refused), d.By, d.Approved, micros(d.At))
	if n == 0 {
		return err
	}
	for _, what := range counts {
		if err == nil {
			err = t.tallyRequest(what, d.At)
		}
	}
	return err
}
