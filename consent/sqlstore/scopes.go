// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"doorstep/consent"
)

// Admit reads a scope in one snapshot, since it is one statement. A grant counts when it is live,
// unexpired, and stands at the scope's epoch. With a grant in force the scope's visit can be found by its id
// for a day at least.
func (db *DB) Admit(ctx context.Context, s consent.Scope, now time.Time) (consent.Admission, error) {
	for {
		a, row, err := db.admit(ctx, s, now)
		if err != nil {
			return consent.Admission{}, err
		}
		if row.installation == "" { // a stranger, if the keyring is the newest
			again, err := freshen(db.ring, db.asker(ctx))
			if err != nil {
				return consent.Admission{}, err
			}
			if again {
				continue
			}
		}
		if len(a.Grants) > 0 {
			err = db.refreshVisit(ctx, row, a)
		}
		return a, err
	}
}

func (db *DB) admit(ctx context.Context, s consent.Scope, now time.Time) (a consent.Admission, row scopeRow, err error) {
	l := db.ring.Lookups(string(anInstallation), s.Installation)
	var subject, phone personRow
	var names []string
	err = db.all(ctx, func(r *sql.Rows) error {
		var who, at joined
		var installation, owner, mark, name, seal, id, purpose, notice, choice, state sql.NullString
		var epoch, expires sql.NullInt64
		var attended bool
		if err := r.Scan(&a.Change, &installation, &owner, &epoch, &mark, &name, &seal, &who[0], &who[1], &who[2], &who[3],
			&at[0], &at[1], &at[2], &at[3], &id, &purpose, &notice, &choice, &state, &expires, &attended); err != nil {
			return err
		}
		a.Epoch = epoch.Int64
		row = scopeRow{installation.String, s.Store, owner.String, epoch.Int64, mark.String, name.String, seal.String}
		subject, phone = who.row(), at.row()
		if id.Valid {
			names = append(names, id.String)
			a.Grants = append(a.Grants, consent.Grant{
				Purpose: purpose.String, State: consent.State(state.String), Notice: notice.String, VisitOnly: choice.String == string(consent.ThisVisit), ExpiresAt: fromMicros(expires.Int64), Attended: attended,
			})
		}
		return nil
	}, `SELECT c.change, s.installation, s.subject, s.epoch, s.visit, s.name, s.seal, p.kind, p.handle, p.bucket, p.sealed,
			i.kind, i.handle, i.bucket, i.sealed, r.name, r.purpose, r.notice, r.choice, r.state, r.expires_at,
			(SELECT COUNT(*) > 0 FROM duty d WHERE d.store = $3 AND d.until > $4 AND d.purpose IN ('', r.purpose))
		FROM counter c
		LEFT JOIN person i ON i.lookup IN ($1, $2)
		LEFT JOIN scope s ON s.installation = i.handle AND s.store = $3
		LEFT JOIN person p ON p.handle = s.subject
		LEFT JOIN record r ON r.installation = s.installation AND r.store = s.store
			AND r.live = 1 AND r.epoch = s.epoch AND r.expires_at > $4
		WHERE c.id = 1 ORDER BY r.purpose`, l[0], l[1], s.Store, micros(now))
	if err == nil && phone.handle != "" {
		_, err = openAsked(db.ring, db.asker(ctx), phone, anInstallation, s.Installation)
	}
	if err != nil || row.installation == "" {
		return a, row, err
	}
	if err := row.check(db.ring); err != nil {
		return a, row, err
	}
	p, err := openPerson(db.ring, db.asker(ctx), subject)
	if err != nil {
		return a, row, err
	}
	a.Subject = p.ref
	a.Visit, err = p.text("visit", row.name)
	for i := range names {
		if err == nil {
			a.Grants[i].ID, err = p.text("name", names[i])
		}
	}
	return a, row, err
}

// refreshVisit marks a scope's visit under the key of the day, if it is not: at most once a day.
func (db *DB) refreshVisit(ctx context.Context, s scopeRow, a consent.Admission) error {
	if key, ok := db.ring.Day(db.now()); ok && key.Mark("visit", a.Visit) == s.visit {
		return nil
	}
	return db.write(ctx, func(t *tx) error {
		mark, err := t.mark("visit", a.Visit)
		if err == nil {
			before := s.seal // of the row that was admitted by: if it is another by now, its visit is another's
			s.visit = mark
			_, err = t.exec(`UPDATE scope SET visit = $4, seal = $5 WHERE installation = $1 AND store = $2 AND seal = $3`,
				s.installation, s.store, before, mark, s.sealed(t.db.ring))
		}
		return err
	})
}

// scope is a row of the table of truth.
type scope struct {
	consent.Scope
	subject consent.Ref
	epoch   int64
	visit   string

	installation, who person // of Scope.Installation and of subject
}

// stay is the scope's visit as alerts, looks and stays refer to it: handle, epoch and store, which say nothing outside.
func (s scope) stay() string { return stayOf(s.installation.handle, s.epoch, s.Store) }

// unplaced is how it was called at first, and still is in older rows: two stores of one phone could share it.
func (s scope) unplaced() string { return unplacedStay(s.installation.handle, s.epoch) }

func stayOf(installation string, epoch int64, store string) string {
	return unplacedStay(installation, epoch) + "." + store
}

func unplacedStay(installation string, epoch int64) string {
	return installation + "." + strconv.FormatInt(epoch, 10)
}

// scopesWhere reads scopes by a condition on $1 to $3.
func (t *tx) scopesWhere(condition string, args ...any) ([]scope, error) {
	var rows []scopeRow
	err := t.all(func(r *sql.Rows) error {
		var s scopeRow
		err := r.Scan(s.fields()...)
		rows = append(rows, s)
		return err
	}, `SELECT `+scopeColumns+` FROM scope WHERE `+condition+` ORDER BY installation, store`, args...)
	var out []scope
	for _, r := range rows {
		s := scope{epoch: r.epoch}
		s.Store = r.store
		if err == nil {
			err = r.check(t.db.ring)
		}
		if err == nil {
			s.installation, err = t.person(r.installation)
		}
		if err == nil {
			s.who, err = t.person(r.subject)
		}
		if err == nil {
			s.visit, err = s.who.text("visit", r.name)
		}
		s.Installation, s.subject = s.installation.ref, s.who.ref
		out = append(out, s)
	}
	return out, err
}

func (t *tx) scopeOf(s consent.Scope) ([]scope, error) {
	p, err := t.find(anInstallation, s.Installation)
	if noRow(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return t.scopesWhere(`installation = $1 AND store = $2`, p.handle, s.Store)
}

// scopeOfVisit finds the scope whose current visit this is; none if it is over.
func (t *tx) scopeOfVisit(visit string) ([]scope, error) {
	m := t.marks("visit", visit)
	return t.scopesWhere(`visit IN ($1, $2, $3)`, m[0], m[1], m[2])
}

// saveScope writes a scope's row.
func (t *tx) saveScope(subject, installation person, store string, epoch int64, visit string) error {
	mark, err := t.mark("visit", visit)
	if err != nil {
		return err
	}
	r := scopeRow{installation.handle, store, subject.handle, epoch, mark, subject.seal("visit", []byte(visit)), ""}
	_, err = t.exec(`INSERT INTO scope (`+scopeColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (installation, store) DO UPDATE SET subject = $3, epoch = $4, visit = $5, name = $6, seal = $7`,
		r.installation, r.store, r.subject, r.epoch, r.visit, r.name, r.sealed(t.db.ring))
	return err
}

// grant is a row of a grant that has not ended, expired or not.
type grant struct {
	consent.Grant
	row    string // its key
	notice string
}

func (t *tx) grantsOf(s scope) ([]grant, error) {
	var out []grant
	err := t.all(func(r *sql.Rows) error {
		var g grant
		var choice string
		var expires int64
		err := r.Scan(&g.row, &g.ID, &g.Purpose, &choice, &expires, &g.notice)
		g.VisitOnly, g.ExpiresAt = choice == string(consent.ThisVisit), fromMicros(expires)
		out = append(out, g)
		return err
	}, `SELECT id, name, purpose, choice, expires_at, notice FROM record WHERE installation = $1 AND store = $2
		AND live = 1 ORDER BY purpose, decided_at, id`, s.installation.handle, s.Store)
	for i := range out {
		if err == nil {
			out[i].ID, err = s.who.text("name", out[i].ID)
		}
	}
	return out, err
}
