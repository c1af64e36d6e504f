// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"errors"
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
	if c.Reason == consent.Erased { // and done: whoever comes back afterwards is somebody else
		if done, err := erasureOf(t.row, erasureMark(t.db.ring, c.EndRequest)); err == nil && done.done != 0 {
			return consent.Ending{ID: c.ID, At: fromMicros(done.done), Repeated: true}, nil
		} else if err != nil && !errors.Is(err, consent.ErrNoErasure) {
			return consent.Ending{}, err
		}
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
	voided, err := t.void(c)
	if err != nil {
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
	if c.Reason == consent.Withdrawn && voided == 0 && len(e.Ends) == 0 {
		if err := t.checkNothing(c); err != nil {
			return consent.Ending{}, err
		}
	}
	if err := t.keepEnding(c, scopes, took, &e); err != nil || c.Reason != consent.Erased {
		return e, err
	}
	return e, t.beginErasure(c)
}

// scopesToEnd finds the rows that an end is about. A scope that has passed to another shopper is none of the subject's.
func (t *tx) scopesToEnd(c consent.EndCommand) (scopes []scope, err error) {
	switch {
	case c.Kind == consent.EndAll:
		p, err := t.find(aSubject, c.Subject)
		if noRow(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		return t.scopesWhere(`subject = $1`, p.handle)
	case c.Kind == consent.EndSession && c.Scope == consent.Scope{}:
		scopes, err = t.scopeOfVisit(c.Visit)
	default:
		scopes, err = t.scopeOf(c.Scope)
	}
	return slices.DeleteFunc(scopes, func(s scope) bool {
		return c.Subject != "" && s.subject != c.Subject || c.Kind == consent.EndSession && s.visit != c.Visit
	}), err
}

// void takes away the notices that were served before the end and not decided on yet: a grant that
// races a withdrawal resolves to withdrawn. A session's end and an expiry withdraw nothing.
func (t *tx) void(c consent.EndCommand) (n int64, err error) {
	if c.Kind == consent.EndSession || c.Reason == consent.Expired {
		return 0, nil
	}
	var subject, installation person
	if c.Subject != "" {
		if subject, err = t.find(aSubject, c.Subject); noRow(err) {
			return 0, nil // nothing was ever served to a stranger
		}
	}
	if err == nil && c.Kind != consent.EndAll {
		if installation, err = t.find(anInstallation, c.Scope.Installation); noRow(err) {
			return 0, nil
		}
	}
	switch {
	case err != nil:
	case c.Kind == consent.EndAll:
		n, err = t.exec(`DELETE FROM served WHERE subject = $1`, subject.handle)
	default:
		n, err = t.exec(`DELETE FROM served WHERE installation = $1 AND store = $2 AND ($3 = '' OR purpose = $3) AND ($4 = '' OR subject = $4)`,
			installation.handle, c.Scope.Store, c.Purpose, subject.handle)
	}
	return n, err
}

// endScope ends one scope: its epoch, the grants that go and those that stay, its views, its alerts,
// and the entries that tell of it. It does nothing where there is nothing to end. To an expiry that is a
// grant: if it was renewed meanwhile, neither the visit nor its alerts are over.
func (t *tx) endScope(c consent.EndCommand, s scope, e *consent.Ending) ([]consent.EndedRecord, error) {
	grants, err := t.grantsOf(s)
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
	if err := t.saveScope(s.who, s.installation, s.Store, end.Epoch, end.NextVisit); err != nil {
		return nil, err
	}
	var took []consent.EndedRecord
	for _, g := range grants {
		if goes(g) {
			took = append(took, consent.EndedRecord{ID: g.ID, Subject: s.subject, Scope: s.Scope, Purpose: g.Purpose, Notice: g.notice})
			err = t.endRecord(g.row, s.who.handle, consent.StateAfter(c.Reason), c.Now, c.ID)
		} else {
			err = t.restamp(c, g, &end)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := t.closeLooks(s, c.Now); err != nil {
		return nil, err
	}
	if err := t.endStay(s, c.Now); err != nil {
		return nil, err
	}
	return took, t.announce(c, s.who.handle, alerts, &end, e)
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

// endRecord ends a grant's record: by an end, or by the record that takes its place.
func (t *tx) endRecord(row, subject string, state consent.State, at time.Time, by string) error {
	p, err := t.person(subject)
	if err == nil {
		_, err = t.exec(`UPDATE record SET state = $2, live = 0, ended_at = $3, ended_by = $4 WHERE id = $1`,
			row, string(state), micros(at), p.mark("event", by))
	}
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
	_, err := t.exec(`UPDATE record SET epoch = $2, expires_at = $3 WHERE id = $1`, g.row, end.Epoch, micros(expires))
	return err
}

// announce writes the feed and the outbox: the end first, then what became of its alerts.
func (t *tx) announce(c consent.EndCommand, subject string, alerts []alertStep, end *consent.End, e *consent.Ending) error {
	for _, a := range alerts {
		if a.next.Final() {
			end.Alerts = append(end.Alerts, a.next.ID)
		}
	}
	change, err := t.enter(consent.Entry{Kind: consent.EntryEnd, Store: end.Scope.Store}, subject, end)
	if err != nil {
		return err
	}
	if err := t.post(change, subject, *end, c.Now); err != nil {
		return err
	}
	e.Ends, e.Change = append(e.Ends, *end), change
	for _, a := range alerts {
		if change, _, err = t.saveAlert(a.next); err != nil {
			return err
		}
		if err := t.postAlert(change, a.next, subject); err != nil {
			return err
		}
		e.Change = change
	}
	return nil
}

// post puts an end into the outbox, for those outside who were told of the visit before.
func (t *tx) post(change int64, subject string, end consent.End, at time.Time) error {
	sealed, err := t.sealDay("outbox", []byte(end.Visit+"\n"))
	if err == nil {
		_, err = t.exec(`INSERT INTO outbox (change, kind, store, subject, epoch, entered_at, body) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			change, string(consent.EntryEnd), end.Scope.Store, subject, end.Epoch, micros(at), sealed)
	}
	return err
}

// Due lists the grants that expired before now, as the ends they need. The ids follow from the
// records, so that two nodes which find the same grant make one event.
func (db *DB) Due(ctx context.Context, now time.Time, limit int) ([]consent.EndRequest, error) {
	var out []consent.EndRequest
	var phones []string
	err := db.all(ctx, func(r *sql.Rows) error {
		q := consent.EndRequest{Kind: consent.EndGrant, Reason: consent.Expired, KeepRequest: true}
		var id, phone string
		var expires int64
		err := r.Scan(&id, &phone, &q.Scope.Store, &q.Purpose, &expires)
		q.ID = uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "expired|%s|%d", id, expires)).String()
		out, phones = append(out, q), append(phones, phone)
		return err
	}, `SELECT id, installation, store, purpose, expires_at FROM record
		WHERE live = 1 AND expires_at <= $1 ORDER BY expires_at, id LIMIT $2`, micros(now), limit)
	for i := range out {
		if err == nil {
			var p person
			p, err = db.person(ctx, phones[i])
			out[i].Scope.Installation = p.ref
		}
	}
	return out, err
}
