// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"

	"doorstep/consent"
)

// Export is everything that is kept of a subject, in one transaction with the entry in their journal.
func (db *DB) Export(ctx context.Context, subject consent.Ref, entry consent.Read) (out consent.Held, err error) {
	err = db.write(ctx, func(t *tx) error {
		p, err := t.find(aSubject, subject)
		if noRow(err) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := t.keepRead(p, "", entry); err != nil {
			return err
		}
		for _, part := range []func(person, *consent.Held) error{t.heldDecisions, t.heldEnds, t.heldScopes, t.heldTokens, t.heldPending, t.heldVisits,
			t.heldAlerts, t.heldRequests} {
			if err := part(p, &out); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		out.Journal, err = db.Journal(ctx, subject, consent.Cursor{}, math.MaxInt32)
	}
	return out, err
}

func (t *tx) heldVisits(p person, out *consent.Held) error {
	return t.all(func(r *sql.Rows) error {
		var v consent.HeldVisit
		var purposes string
		var opened, ended int64
		if err := r.Scan(&v.Store, &purposes, &opened, &ended); err != nil {
			return err
		}
		v.From, v.To = fromMicros(opened), fromMicros(ended)
		err := json.Unmarshal([]byte(purposes), &v.Purposes)
		out.Visits = append(out.Visits, v)
		return err
	}, `SELECT store, purposes, opened_at, ended_at FROM stay WHERE subject = $1 ORDER BY opened_at, visit`, p.handle)
}

func (t *tx) heldDecisions(p person, out *consent.Held) error {
	return t.all(func(r *sql.Rows) error {
		var d consent.HeldDecision
		var expires, ended int64
		var sealed string
		if err := r.Scan(&d.Choice, &d.State, &expires, &ended, &sealed); err != nil {
			return err
		}
		kept, err := openEvent(p, "record", sealed)
		if err != nil || kept.Record == nil {
			return err
		}
		d.Record, d.Index, d.Receipt = *kept.Record, kept.Index, kept.Receipt
		d.ExpiresAt, d.EndedAt = fromMicros(expires), fromMicros(ended)
		out.Decisions = append(out.Decisions, d)
		return nil
	}, `SELECT choice, state, expires_at, ended_at, body FROM record WHERE subject = $1 ORDER BY decided_at, id`, p.handle)
}

func (t *tx) heldEnds(p person, out *consent.Held) error {
	return t.all(func(r *sql.Rows) error {
		var sealed string
		if err := r.Scan(&sealed); err != nil {
			return err
		}
		kept, err := openEvent(p, "ending", sealed)
		if err != nil || kept.Ending == nil {
			return err
		}
		out.Ends = append(out.Ends, consent.HeldEnd{ID: kept.Ending.ID, At: kept.Ending.At, Index: kept.Index, Receipt: kept.Receipt})
		return nil
	}, `SELECT body FROM ending WHERE subject = $1 AND kind <> 'session' ORDER BY ended_at, id`, p.handle)
}

func (t *tx) heldScopes(p person, out *consent.Held) error {
	scopes, err := t.scopesWhere(`subject = $1`, p.handle)
	for _, s := range scopes {
		out.Scopes = append(out.Scopes, consent.HeldScope{Scope: s.Scope, Visit: s.visit})
	}
	return err
}

func (t *tx) heldTokens(p person, out *consent.Held) error {
	return t.all(func(r *sql.Rows) error {
		var h consent.HeldToken
		var at int64
		err := r.Scan(&h.Store, &at)
		h.GivenAt = fromMicros(at)
		out.StopTokens = append(out.StopTokens, h)
		return err
	}, `SELECT store, given_at FROM stop_token WHERE subject = $1 ORDER BY given_at, hash`, p.handle)
}

// heldPending are the notices that wait for a decision. Their ids are not known here: only whoever was served one
// has it.
func (t *tx) heldPending(p person, out *consent.Held) error {
	return t.all(func(r *sql.Rows) error {
		var s consent.Served
		var at, expires int64
		err := r.Scan(&s.Scope.Store, &s.App, &s.Purpose, &s.Notice, &s.NoticeID, &s.Version, &s.Lang, &s.Jurisdiction, &at, &expires)
		s.At, s.ExpiresAt = fromMicros(at), fromMicros(expires)
		out.Pending = append(out.Pending, s)
		return err
	}, `SELECT store, app, purpose, notice, notice_id, version, lang, jurisdiction, served_at, expires_at FROM served
		WHERE subject = $1 AND expires_at > $2 ORDER BY served_at, id`, p.handle, micros(t.now))
}

func (t *tx) heldAlerts(p person, out *consent.Held) error {
	return t.all(func(r *sql.Rows) error {
		var sealed string
		if err := r.Scan(&sealed); err != nil {
			return err
		}
		text, err := openDay(t.db.ring, "alert", sealed)
		if err != nil {
			return err
		}
		var a consent.HeldAlert
		if err := json.Unmarshal(text, &a); err != nil {
			return fmt.Errorf("sqlstore: alert: %w", err)
		}
		out.Alerts = append(out.Alerts, a)
		return nil
	}, `SELECT body FROM alert WHERE subject = $1 ORDER BY changed_at, id`, p.handle)
}

// heldRequests are what two people are at. A glass says no more than why; what is to be disclosed says more.
func (t *tx) heldRequests(p person, out *consent.Held) error {
	return t.all(func(r *sql.Rows) error {
		var h consent.HeldRequest
		var sealed string
		var at, until, carried int64
		if err := r.Scan(&h.Kind, &h.Store, &sealed, &at, &until, &carried); err != nil {
			return err
		}
		text, err := openDay(t.db.ring, "motion", sealed)
		if err != nil {
			return err
		}
		var d consent.Disclosure
		if err := json.Unmarshal(text, &d); err != nil {
			return fmt.Errorf("sqlstore: a motion: %w", err)
		}
		h.Recipient, h.Reason, h.Fields = d.Recipient, d.Reason, d.Fields
		h.At, h.Until, h.CarriedAt = fromMicros(at), fromMicros(until), fromMicros(carried)
		out.Requests = append(out.Requests, h)
		return nil
	}, `SELECT kind, store, body, moved_at, until, carried_at FROM motion WHERE subject = $1 ORDER BY moved_at, id`, p.handle)
}
