// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"doorstep/consent"
)

// Admit reads a scope in one snapshot, since it is one statement. A grant counts when it is live,
// unexpired, and stands at the scope's epoch.
func (db *DB) Admit(ctx context.Context, s consent.Scope, now time.Time) (consent.Admission, error) {
	var a consent.Admission
	err := db.all(ctx, func(r *sql.Rows) error {
		var subject, visit, id, purpose, notice, choice sql.NullString
		var epoch, expires sql.NullInt64
		if err := r.Scan(&a.Change, &a.OnDuty, &subject, &epoch, &visit, &id, &purpose, &notice, &choice, &expires); err != nil {
			return err
		}
		a.Subject, a.Epoch, a.Visit = consent.Ref(subject.String), epoch.Int64, visit.String
		if id.Valid {
			a.Grants = append(a.Grants, consent.Grant{
				ID: id.String, Purpose: purpose.String, Notice: notice.String, VisitOnly: choice.String == string(consent.ThisVisit), ExpiresAt: fromMicros(expires.Int64),
			})
		}
		return nil
	}, `SELECT c.change, (SELECT COUNT(*) > 0 FROM duty d WHERE d.store = $2 AND d.until > $3),
			s.subject, s.epoch, s.visit, r.id, r.purpose, r.notice, r.choice, r.expires_at
		FROM counter c
		LEFT JOIN scope s ON s.installation = $1 AND s.store = $2
		LEFT JOIN record r ON r.installation = s.installation AND r.store = s.store
			AND r.live = 1 AND r.epoch = s.epoch AND r.expires_at > $3
		WHERE c.id = 1 ORDER BY r.purpose`, string(s.Installation), s.Store, micros(now))
	if err != nil {
		return consent.Admission{}, err
	}
	return a, nil
}

// Rejoin gives visit-only grants that are in force back the life they were given.
func (db *DB) Rejoin(ctx context.Context, s consent.Scope, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE record SET expires_at = given_until WHERE installation = $1 AND store = $2
			AND choice = 'visit' AND live = 1 AND expires_at > $3`, string(s.Installation), s.Store, micros(now))
		return err
	})
}

// scope is a row of the table of truth.
type scope struct {
	consent.Scope
	subject consent.Ref
	epoch   int64
	visit   string
}

// scopesWhere reads scopes by a condition on $1 and $2.
func (t *tx) scopesWhere(condition string, args ...any) ([]scope, error) {
	var out []scope
	err := t.all(func(r *sql.Rows) error {
		var s scope
		err := r.Scan(&s.Installation, &s.Store, &s.subject, &s.epoch, &s.visit)
		out = append(out, s)
		return err
	}, `SELECT installation, store, subject, epoch, visit FROM scope WHERE `+condition+` ORDER BY installation, store`, args...)
	return out, err
}

func (t *tx) scopeOf(s consent.Scope) ([]scope, error) {
	return t.scopesWhere(`installation = $1 AND store = $2`, string(s.Installation), s.Store)
}

// grant is a row of a grant that has not ended, expired or not.
type grant struct {
	consent.Grant
	notice string
}

func (t *tx) grantsOf(s consent.Scope) ([]grant, error) {
	var out []grant
	err := t.all(func(r *sql.Rows) error {
		var g grant
		var choice string
		var expires int64
		err := r.Scan(&g.ID, &g.Purpose, &choice, &expires, &g.notice)
		g.VisitOnly, g.ExpiresAt = choice == string(consent.ThisVisit), fromMicros(expires)
		out = append(out, g)
		return err
	}, `SELECT id, purpose, choice, expires_at, notice FROM record WHERE installation = $1 AND store = $2
		AND live = 1 ORDER BY purpose, id`, string(s.Installation), s.Store)
	return out, err
}
