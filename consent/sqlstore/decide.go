// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"doorstep/consent"
)

// Serve keeps a served notice.
func (db *DB) Serve(ctx context.Context, s consent.Served) error {
	return db.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO served (id, subject, installation, store, app, purpose, notice, notice_id, version, lang,
				jurisdiction, digest, served_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			s.ID, string(s.Subject), string(s.Scope.Installation), s.Scope.Store, s.App, s.Purpose, s.Notice, s.NoticeID, s.Version,
			s.Lang, s.Jurisdiction, s.Digest, micros(s.At), micros(s.ExpiresAt))
		return err
	})
}

// Served reads a served notice back. Those that were used up or voided are gone.
func (db *DB) Served(ctx context.Context, id string, now time.Time) (consent.Served, error) {
	s := consent.Served{ID: id}
	var at, expires int64
	err := db.row(ctx, `SELECT subject, installation, store, app, purpose, notice, notice_id, version, lang, jurisdiction, digest,
			served_at, expires_at FROM served WHERE id = $1 AND expires_at > $2`, id, micros(now)).into(
		&s.Subject, &s.Scope.Installation, &s.Scope.Store, &s.App, &s.Purpose, &s.Notice, &s.NoticeID, &s.Version,
		&s.Lang, &s.Jurisdiction, &s.Digest, &at, &expires)
	if noRow(err) {
		return consent.Served{}, consent.ErrServed
	}
	s.At, s.ExpiresAt = fromMicros(at), fromMicros(expires)
	return s, err
}

// Standing tells what was answered about a purpose after it was last granted.
func (db *DB) Standing(ctx context.Context, subject consent.Ref, s consent.Scope, purpose string, now time.Time) (consent.Standing, error) {
	var out consent.Standing
	last := map[string]int64{}
	err := db.all(ctx, func(r *sql.Rows) error {
		var choice string
		var at int64
		err := r.Scan(&choice, &at)
		last[choice] = at
		return err
	}, `SELECT choice, MAX(decided_at) FROM record WHERE subject = $1 AND purpose = $2 GROUP BY choice`, string(subject), purpose)
	if err != nil {
		return out, err
	}
	granted := max(last[string(consent.ThisVisit)], last[string(consent.ForATerm)])
	if at := last[string(consent.No)]; at > granted {
		out.RefusedAt = fromMicros(at)
	}
	if at := last[string(consent.NotNow)]; at > granted {
		out.DeferredAt = fromMicros(at)
	}
	a, err := db.Admit(ctx, s, now)
	for _, g := range a.Grants {
		if g.Purpose == purpose && a.Subject == subject {
			out.InForce, out.Notice = true, g.Notice
		}
	}
	return out, err
}

// Decide records a decision in one transaction; see consent.Store.
func (db *DB) Decide(ctx context.Context, c consent.DecideCommand) (consent.Decided, error) {
	var out consent.Decided
	err := db.write(ctx, func(t *tx) error {
		out = consent.Decided{}
		if err := t.useUp(c); err != nil {
			return err
		}
		if err := t.keepStopToken(c); err != nil {
			return err
		}
		if err := t.endBefore(c, &out); err != nil {
			return err
		}
		if c.Grant != nil {
			if err := t.grantIn(c, &out); err != nil {
				return err
			}
		}
		return t.record(c, &out)
	})
	if err != nil {
		return consent.Decided{}, err
	}
	return out, nil
}

// useUp takes the served id, for which there is one winner: an end that came first has taken it away.
func (t *tx) useUp(c consent.DecideCommand) error {
	if err := t.lock(); err != nil {
		return err
	}
	if err := t.noticesAre(c.Notices); err != nil {
		return err
	}
	n, err := t.exec(`DELETE FROM served WHERE id = $1 AND expires_at > $2`, c.Served.ID, micros(c.Now))
	if err == nil && n == 0 {
		err = consent.ErrServed
	}
	return err
}

func (t *tx) keepStopToken(c consent.DecideCommand) error {
	_, err := t.exec(`INSERT INTO stop_token (hash, subject, installation, store, given_at) VALUES ($1, $2, $3, $4, $5)`,
		hex.EncodeToString(c.StopHash[:]), string(c.Served.Subject), string(c.Served.Scope.Installation), c.Served.Scope.Store, micros(c.Now))
	return err
}

// endBefore ends what the decision contradicts, by the same code as every end: a grant that is now
// refused, and the scope of another shopper who used this installation before.
func (t *tx) endBefore(c consent.DecideCommand, out *consent.Decided) error {
	scopes, err := t.scopeOf(c.Served.Scope)
	if err != nil || len(scopes) == 0 {
		return err
	}
	grants, err := t.grantsOf(c.Served.Scope)
	if err != nil {
		return err
	}
	r := consent.EndRequest{ID: c.Event.Record.Header.RecordID, Scope: c.Served.Scope, Subject: scopes[0].subject}
	switch another := scopes[0].subject != c.Served.Subject; {
	case another && c.Grant != nil:
		r.Kind, r.Reason = consent.EndStore, consent.Superseded
	case !another && c.Choice == consent.No && slices.ContainsFunc(grants, func(g grant) bool { return g.Purpose == c.Served.Purpose }):
		r.Kind, r.Reason, r.Purpose = consent.EndGrant, consent.Withdrawn, c.Served.Purpose
	default:
		return nil
	}
	e, err := t.end(consent.EndCommand{EndRequest: r, Now: c.Now, Seal: c.Seal})
	if err == nil && len(e.Ends) > 0 {
		out.Ended = &e
	}
	return err
}

// grantIn puts the grant into its scope, at the scope's epoch, in place of one for the same purpose.
func (t *tx) grantIn(c consent.DecideCommand, out *consent.Decided) error {
	s := c.Served.Scope
	out.Grant = c.Grant
	err := t.row(`INSERT INTO scope (installation, store, subject, epoch, visit) VALUES ($1, $2, $3, 1, $4)
		ON CONFLICT (installation, store) DO UPDATE SET subject = $3 RETURNING epoch, visit`,
		string(s.Installation), s.Store, string(c.Served.Subject), c.Seal.Visit(s, 1)).into(&out.Epoch, &out.Visit)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE record SET state = $5, live = 0, ended_at = $4, ended_by = $6 WHERE installation = $1 AND store = $2 AND purpose = $3
		AND live = 1`, string(s.Installation), s.Store, c.Served.Purpose, micros(c.Now),
		string(consent.StateAfter(consent.Superseded)), c.Grant.ID)
	return err
}

// record logs the event, seals its receipt and keeps both.
func (t *tx) record(c consent.DecideCommand, out *consent.Decided) (err error) {
	at, err := t.appendLeaf(c.Event)
	if err != nil {
		return err
	}
	if out.Receipt, err = c.Seal.Receipt(c.Event, at); err != nil {
		return err
	}
	body, err := json.Marshal(c.Event.Record)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	until, s := int64(0), c.Served
	if c.Grant != nil {
		until = micros(c.Grant.ExpiresAt)
	}
	_, err = t.exec(`INSERT INTO record (id, subject, installation, store, purpose, notice, choice, state, live, epoch, decided_at,
			given_until, expires_at, ended_at, ended_by, body, log_index, log_key, receipt)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12, 0, '', $13, $14, $15, $16)`,
		c.Event.Record.Header.RecordID, string(s.Subject), string(s.Scope.Installation), s.Scope.Store, s.Purpose, s.Notice,
		string(c.Choice), c.Event.Record.Event.State, bit(c.Grant != nil), out.Epoch, micros(c.Now), until,
		string(body), at.Index, hex.EncodeToString(c.Event.Key[:]), out.Receipt)
	return err
}
