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

	"github.com/google/uuid"

	"doorstep/consent"
)

// rejoinWithin is how long a visit-only grant outlives its session: "still inside?" (protocol brief).
const rejoinWithin = 10 * time.Minute

// End commits an end: one transaction, one sync to the disk.
func (db *DB) End(ctx context.Context, c consent.EndCommand) (consent.Ending, error) {
	var e consent.Ending
	err := db.writeNow(ctx, func(t *tx) (err error) {
		e, err = t.end(c)
		return err
	})
	if err != nil {
		return consent.Ending{}, err
	}
	return e, nil
}

// end is the one way in which anything ends.
func (t *tx) end(c consent.EndCommand) (consent.Ending, error) {
	if err := t.lock(); err != nil {
		return consent.Ending{}, err
	}
	if before, ok, err := t.endedBefore(c); ok || err != nil {
		return before, err
	}
	scopes, err := t.scopesToEnd(c)
	if err != nil {
		return consent.Ending{}, err
	}
	e := consent.Ending{ID: c.ID, At: fromMicros(micros(c.Now))}
	if c.Kind == consent.EndSession && len(scopes) == 0 {
		e.Repeated = true // something else ended that visit before
		return e, nil
	}
	if err := t.void(c); err != nil {
		return consent.Ending{}, err
	}
	var took []consent.EndedRecord
	for _, s := range scopes {
		ended, err := t.endScope(c, s, &e)
		if err != nil {
			return consent.Ending{}, err
		}
		took = append(took, ended...)
	}
	if e.Nodes, err = t.listed(); err != nil {
		return consent.Ending{}, err
	}
	if bySystem := c.Kind == consent.EndSession || c.Reason == consent.Expired || c.Reason == consent.Superseded; bySystem && len(e.Ends) == 0 {
		return e, nil // nothing to do and nobody who asked: no event
	}
	return e, t.keepEnding(c, scopes, took, &e)
}

// endedBefore answers a repetition with what was answered first.
func (t *tx) endedBefore(c consent.EndCommand) (e consent.Ending, ok bool, err error) {
	var asked, body string
	err = t.row(`SELECT asked, body FROM ending WHERE id = $1`, c.ID).into(&asked, &body)
	if noRow(err) {
		return e, false, nil
	}
	if err != nil {
		return e, false, err
	}
	if asked != askedFor(c.EndRequest) {
		return e, false, fmt.Errorf("%w: %s", consent.ErrIDTaken, c.ID)
	}
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		return e, false, fmt.Errorf("sqlstore: ending %s: %w", c.ID, err)
	}
	e.Repeated = true
	return e, true, nil
}

// askedFor is what makes two requests the same one: neither the claimed time nor the reason, which a
// retry through another channel may state differently. A visit names its scope, which one of two who end
// it may not know.
func askedFor(r consent.EndRequest) string {
	switch r.Kind {
	case consent.EndAll:
		return fmt.Sprintf("all|%s", r.Subject)
	case consent.EndSession:
		return fmt.Sprintf("session|%s", r.Visit)
	}
	return fmt.Sprintf("%s|%s|%s|%s|%s", r.Kind, r.Scope.Installation, r.Scope.Store, r.Visit, r.Purpose)
}

// scopesToEnd finds the rows that an end is about. A scope that has passed to another shopper is none of the subject's.
func (t *tx) scopesToEnd(c consent.EndCommand) (scopes []scope, err error) {
	switch {
	case c.Kind == consent.EndAll:
		return t.scopesWhere(`subject = $1`, string(c.Subject))
	case c.Kind == consent.EndSession && c.Scope == consent.Scope{}:
		scopes, err = t.scopesWhere(`visit = $1`, c.Visit)
	default:
		scopes, err = t.scopeOf(c.Scope)
	}
	return slices.DeleteFunc(scopes, func(s scope) bool {
		return c.Subject != "" && s.subject != c.Subject || c.Kind == consent.EndSession && s.visit != c.Visit
	}), err
}

// void takes away the notices that were served before the end and not decided on yet: a grant that
// races a withdrawal resolves to withdrawn. A session's end and an expiry withdraw nothing.
func (t *tx) void(c consent.EndCommand) (err error) {
	switch {
	case c.Kind == consent.EndSession || c.Reason == consent.Expired:
	case c.Kind == consent.EndAll:
		_, err = t.exec(`DELETE FROM served WHERE subject = $1`, string(c.Subject))
	default:
		_, err = t.exec(`DELETE FROM served WHERE installation = $1 AND store = $2 AND ($3 = '' OR purpose = $3) AND ($4 = '' OR subject = $4)`,
			string(c.Scope.Installation), c.Scope.Store, c.Purpose, string(c.Subject))
	}
	return err
}

// endScope ends one scope: its epoch, the grants that go and those that stay, its views, its alerts,
// and the entries that tell of it. It does nothing where there is nothing to end. To an expiry that is a
// grant: if it was renewed meanwhile, neither the visit nor its alerts are over.
func (t *tx) endScope(c consent.EndCommand, s scope, e *consent.Ending) ([]consent.EndedRecord, error) {
	grants, err := t.grantsOf(s.Scope)
	if err != nil {
		return nil, err
	}
	alerts, err := t.alertsToEnd(c, s)
	if err != nil {
		return nil, err
	}
	goes := func(g grant) bool { return takes(c, g) }
	if c.Kind != consent.EndSession && !slices.ContainsFunc(grants, goes) && (c.Reason == consent.Expired || len(alerts) == 0) {
		return nil, nil
	}
	end := consent.End{
		Scope: s.Scope, Visit: s.visit, Epoch: s.epoch + 1, NextVisit: c.Seal.Visit(s.Scope, s.epoch+1), Reason: c.Reason,
	}
	if _, err := t.exec(`UPDATE scope SET epoch = $3, visit = $4 WHERE installation = $1 AND store = $2`,
		string(s.Installation), s.Store, end.Epoch, end.NextVisit); err != nil {
		return nil, err
	}
	var took []consent.EndedRecord
	for _, g := range grants {
		if goes(g) {
			took = append(took, consent.EndedRecord{ID: g.ID, Subject: s.subject, Scope: s.Scope, Purpose: g.Purpose, Notice: g.notice})
			err = t.endGrant(c, g)
		} else {
			err = t.restamp(c, g, &end)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := t.closeLooks(s.visit, c.Now); err != nil {
		return nil, err
	}
	return took, t.announce(c, alerts, &end, e)
}

// takes reports whether an end takes a grant. An expiry takes only what has expired: the grant may have
// been renewed since it was found to be due.
func takes(c consent.EndCommand, g grant) bool {
	switch c.Kind {
	case consent.EndSession:
		return false
	case consent.EndGrant:
		return g.Purpose == c.Purpose && (c.Reason != consent.Expired || !g.ExpiresAt.After(c.Now))
	}
	return true
}

func (t *tx) endGrant(c consent.EndCommand, g grant) error {
	_, err := t.exec(`UPDATE record SET state = $2, live = 0, ended_at = $3, ended_by = $4 WHERE id = $1`,
		g.ID, string(consent.StateAfter(c.Reason)), micros(c.Now), c.ID)
	return err
}

// restamp carries a grant over to the new epoch. One for the visit only is left the time to come back.
func (t *tx) restamp(c consent.EndCommand, g grant, end *consent.End) error {
	expires := g.ExpiresAt
	if until := c.Now.Add(rejoinWithin); c.Kind == consent.EndSession && g.VisitOnly && until.Before(expires) {
		expires = until
	}
	if expires.After(c.Now) {
		end.Surviving = append(end.Surviving, g.Purpose)
	}
	_, err := t.exec(`UPDATE record SET epoch = $2, expires_at = $3 WHERE id = $1`, g.ID, end.Epoch, micros(expires))
	return err
}

// announce writes the feed and the outbox: the end first, then what became of its alerts.
func (t *tx) announce(c consent.EndCommand, alerts []alertStep, end *consent.End, e *consent.Ending) error {
	for _, a := range alerts {
		if a.next.Final() {
			end.Alerts = append(end.Alerts, a.next.ID)
		}
	}
	change, err := t.enter(consent.Entry{Kind: consent.EntryEnd, Store: end.Scope.Store}, end)
	if err != nil {
		return err
	}
	if err := t.post(change, consent.EntryEnd, *end, "", c.Now); err != nil {
		return err
	}
	e.Ends, e.Change = append(e.Ends, *end), change
	for _, a := range alerts {
		if change, err = t.saveAlert(a.next); err != nil {
			return err
		}
		if err := t.post(change, consent.EntryAlert, *end, a.next.ID, c.Now); err != nil {
			return err
		}
		e.Change = change
	}
	return nil
}

// post puts a change into the outbox, for those outside who were told of the visit before.
func (t *tx) post(change int64, kind consent.EntryKind, end consent.End, alert string, at time.Time) error {
	_, err := t.exec(`INSERT INTO outbox (change, kind, store, visit, epoch, alert, entered_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		change, string(kind), end.Scope.Store, end.Visit, end.Epoch, alert, micros(at))
	return err
}

// keepEnding logs an end of consent, seals its receipt, and keeps the answer for a repetition.
func (t *tx) keepEnding(c consent.EndCommand, scopes []scope, took []consent.EndedRecord, e *consent.Ending) error {
	place, key := consent.Place{Index: -1}, ""
	if c.Kind != consent.EndSession {
		if c.Subject == "" && len(scopes) > 0 {
			c.Subject = scopes[0].subject
		}
		event := c.Seal.Ended(c, took)
		var err error
		if place, err = t.appendLeaf(event); err != nil {
			return err
		}
		if e.Receipt, err = c.Seal.Receipt(event, place); err != nil {
			return err
		}
		key = hex.EncodeToString(event.Key[:])
	}
	body, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	_, err = t.exec(`INSERT INTO ending (id, kind, asked, ended_at, body, log_index, log_key) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		c.ID, string(c.Kind), askedFor(c.EndRequest), micros(c.Now), string(body), place.Index, key)
	return err
}

// Due lists the grants that expired before now, as the ends they need. The ids follow from the
// records, so that two nodes which find the same grant make one event.
func (db *DB) Due(ctx context.Context, now time.Time, limit int) ([]consent.EndRequest, error) {
	var out []consent.EndRequest
	err := db.all(ctx, func(r *sql.Rows) error {
		q := consent.EndRequest{Kind: consent.EndGrant, Reason: consent.Expired, KeepRequest: true}
		var id string
		var expires int64
		err := r.Scan(&id, &q.Scope.Installation, &q.Scope.Store, &q.Purpose, &expires)
		q.ID = uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "expired|%s|%d", id, expires)).String()
		out = append(out, q)
		return err
	}, `SELECT id, installation, store, purpose, expires_at FROM record
		WHERE live = 1 AND expires_at <= $1 ORDER BY expires_at, id LIMIT $2`, micros(now), limit)
	return out, err
}

// StopRight looks up the hash of a stop token.
func (db *DB) StopRight(ctx context.Context, hash [32]byte) (consent.StopRight, error) {
	var s consent.StopRight
	err := db.row(ctx, `SELECT subject, installation, store FROM stop_token WHERE hash = $1`, hex.EncodeToString(hash[:])).into(
		&s.Subject, &s.Scope.Installation, &s.Scope.Store)
	if noRow(err) {
		return consent.StopRight{}, consent.ErrStopToken
	}
	return s, err
}
