// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"slices"
	"time"

	"doorstep/consent"
)

// Serve keeps a served notice.
func (db *DB) Serve(ctx context.Context, s consent.Served) error {
	return db.write(ctx, func(t *tx) error {
		subject, installation, err := t.keepBoth(s.Subject, s.Scope.Installation)
		if err != nil {
			return err
		}
		id, err := t.mark("served", s.ID)
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO served (id, subject, installation, store, app, purpose, notice, notice_id, version, lang,
				jurisdiction, digest, served_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
			id, subject.handle, installation.handle, s.Scope.Store, s.App, s.Purpose, s.Notice, s.NoticeID, s.Version,
			s.Lang, s.Jurisdiction, s.Digest, micros(s.At), micros(s.ExpiresAt))
		return err
	})
}

// keepBoth finds or makes a shopper and a phone.
func (t *tx) keepBoth(s, i consent.Ref) (subject, installation person, err error) {
	if subject, err = t.keep(aSubject, s); err == nil {
		installation, err = t.keep(anInstallation, i)
	}
	return subject, installation, err
}

// Served reads a served notice back. Those that were used up or voided are gone.
func (db *DB) Served(ctx context.Context, id string, now time.Time) (consent.Served, error) {
	s := consent.Served{ID: id}
	var at, expires int64
	var subject, installation string
	m := db.marks("served", id)
	err := db.row(ctx, `SELECT subject, installation, store, app, purpose, notice, notice_id, version, lang, jurisdiction, digest,
			served_at, expires_at FROM served WHERE id IN ($1, $2, $3) AND expires_at > $4`, m[0], m[1], m[2], micros(now)).into(
		&subject, &installation, &s.Scope.Store, &s.App, &s.Purpose, &s.Notice, &s.NoticeID, &s.Version,
		&s.Lang, &s.Jurisdiction, &s.Digest, &at, &expires)
	if err == nil {
		s.Subject, s.Scope.Installation, err = db.refs(ctx, subject, installation)
	}
	if noRow(err) {
		return consent.Served{}, consent.ErrServed
	}
	if err != nil {
		return consent.Served{}, err
	}
	s.At, s.ExpiresAt = fromMicros(at), fromMicros(expires)
	return s, nil
}

// refs are whose handles they are: a shopper's and a phone's.
func (db *DB) refs(ctx context.Context, subject, installation string) (s, i consent.Ref, err error) {
	p, err := db.person(ctx, subject)
	if err != nil {
		return "", "", err
	}
	q, err := db.person(ctx, installation)
	return p.ref, q.ref, err
}

// Standing tells what was answered about a purpose after it was last granted.
func (db *DB) Standing(ctx context.Context, subject consent.Ref, s consent.Scope, purpose string, now time.Time) (consent.Standing, error) {
	var out consent.Standing
	p, err := db.find(ctx, aSubject, subject)
	if noRow(err) {
		return out, nil // nothing is known of a stranger, and nothing is in force
	}
	if err != nil {
		return out, err
	}
	last := map[string]int64{}
	err = db.all(ctx, func(r *sql.Rows) error {
		var choice string
		var at int64
		err := r.Scan(&choice, &at)
		last[choice] = at
		return err
	}, `SELECT choice, MAX(decided_at) FROM record WHERE subject = $1 AND purpose = $2 GROUP BY choice`, p.handle, purpose)
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
			if err := t.grantIn(&c, &out); err != nil {
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
	m := t.marks("served", c.Served.ID)
	n, err := t.exec(`DELETE FROM served WHERE id IN ($1, $2, $3) AND expires_at > $4`, m[0], m[1], m[2], micros(c.Now))
	if err == nil && n == 0 {
		err = consent.ErrServed
	}
	return err
}

// endBefore ends what the decision contradicts, by the same code as every end: a grant that is now
// refused, and the scope of another shopper who used this installation before.
func (t *tx) endBefore(c consent.DecideCommand, out *consent.Decided) error {
	scopes, err := t.scopeOf(c.Served.Scope)
	if err != nil || len(scopes) == 0 {
		return err
	}
	grants, err := t.grantsOf(scopes[0])
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

// grantIn puts the grant into its scope, at the scope's epoch, in place of one for the same purpose. Only here
// is it known whether there was one in force: then the decision renews it.
func (t *tx) grantIn(c *consent.DecideCommand, out *consent.Decided) error {
	out.Grant = c.Grant
	subject, installation, err := t.keepBoth(c.Served.Subject, c.Served.Scope.Installation)
	if err != nil {
		return err
	}
	if out.Epoch, out.Visit, err = t.enterScope(*c, subject, installation); err != nil {
		return err
	}
	renews, err := t.replace(*c, installation)
	c.Grant.State = consent.Given
	if renews {
		c.Grant.State = consent.Renewed
	}
	c.Event.Record.Event.State = string(c.Grant.State)
	return err
}

// enterScope finds or makes the scope's row, for this shopper.
func (t *tx) enterScope(c consent.DecideCommand, subject, installation person) (epoch int64, visit string, err error) {
	s := c.Served.Scope
	err = t.row(`SELECT epoch FROM scope WHERE installation = $1 AND store = $2`, installation.handle, s.Store).into(&epoch)
	if isNew := noRow(err); isNew || err == nil {
		if isNew {
			if epoch, err = t.firstEpoch(); err != nil {
				return 0, "", err
			}
		}
		visit = c.Seal.Visit(s, epoch)
		err = t.saveScope(subject, installation, s.Store, epoch, visit)
	}
	return epoch, visit, err
}

// firstEpoch is that of a scope which is not there: 1, and more than any before after an erasure, a restored backup or once
// somebody was forgotten, so that no visit of who comes back has the pseudonym of one that is over. It leaves room for a million ends.
func (t *tx) firstEpoch() (int64, error) {
	n, err := rotations(t.row)
	if err != nil {
		return 0, err
	}
	g, err := generation(t.row)
	if err != nil {
		return 0, err
	}
	forgotten, err := forgottenEpoch(t.row)
	if forgotten > (n+g-1)<<20 {
		return forgotten + 1, err
	}
	return (n+g-1)<<20 + 1, err
}

// replace ends the grants that the new one takes the place of, and reports whether one of them was in force.
// One that had run out, and was not ended yet, has expired.
func (t *tx) replace(c consent.DecideCommand, installation person) (renews bool, err error) {
	type old struct {
		id, subject string
		expires     int64
	}
	var olds []old
	err = t.all(func(r *sql.Rows) error {
		var o old
		err := r.Scan(&o.id, &o.subject, &o.expires)
		olds = append(olds, o)
		return err
	}, `SELECT id, subject, expires_at FROM record WHERE installation = $1 AND store = $2 AND purpose = $3 AND live = 1`,
		installation.handle, c.Served.Scope.Store, c.Served.Purpose)
	for _, o := range olds {
		state := consent.StateAfter(consent.Expired)
		if o.expires > micros(c.Now) {
			state, renews = consent.StateAfter(consent.Superseded), true
		}
		if err == nil {
			err = t.endRecord(o.id, o.subject, state, c.Event.Record.Event.Time, c.Grant.ID)
		}
	}
	return renews, err
}

// record logs the event, seals its receipt and keeps both.
func (t *tx) record(c consent.DecideCommand, out *consent.Decided) (err error) {
	at, err := t.appendLeaf(c.Event)
	if err != nil {
		return err
	}
	out.State = consent.State(c.Event.Record.Event.State)
	if out.Receipt, err = c.Seal.Receipt(c.Event, at); err != nil {
		return err
	}
	subject, installation, err := t.keepBoth(c.Served.Subject, c.Served.Scope.Installation)
	if err != nil {
		return err
	}
	body, err := sealEvent(subject, "record", keptEvent{Record: &c.Event.Record, Choice: c.Choice, Index: at.Index, Key: hex.EncodeToString(c.Event.Key[:]), Receipt: out.Receipt})
	if err != nil {
		return err
	}
	until, s, id := int64(0), c.Served, c.Event.Record.Header.RecordID
	if c.Grant != nil {
		until = micros(c.Grant.ExpiresAt)
	}
	_, err = t.exec(`INSERT INTO record (id, name, subject, installation, store, purpose, notice, choice, state, live, epoch, decided_at,
			given_until, expires_at, ended_at, ended_by, body)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13, 0, '', $14)`,
		subject.mark("event", id), subject.seal("name", []byte(id)), subject.handle, installation.handle, s.Scope.Store, s.Purpose, s.Notice,
		string(c.Choice), c.Event.Record.Event.State, bit(c.Grant != nil), out.Epoch, micros(c.Event.Record.Event.Time), until, body)
	return err
}
