// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"doorstep/consent"
)

// The table is called look, after what nearly all of it is: a row of another kind has no visit and no alert.

// EnterRead journals what is no look.
func (db *DB) EnterRead(ctx context.Context, subject consent.Ref, r consent.Read) error {
	return db.write(ctx, func(t *tx) error { return t.enterRead(subject, r) })
}

func (t *tx) enterRead(subject consent.Ref, r consent.Read) error {
	p, err := t.find(aSubject, subject)
	if noRow(err) {
		return consent.ErrNoShopper
	}
	if err != nil {
		return err
	}
	return t.keepRead(p, "", r)
}

// keepRead writes an entry of somebody's journal. stay is the visit that was looked at, if one was.
func (t *tx) keepRead(p person, stay string, r consent.Read) error {
	if r.Fields == nil {
		r.Fields = []string{}
	}
	fields, err := json.Marshal(r.Fields)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	seen, reason := p.seal("look|"+r.ID, []byte(r.Visit+"\n"+r.Alert)), ""
	if r.Reason != "" {
		reason = p.seal("look reason|"+r.ID, []byte(r.Reason))
	}
	_, err = t.exec(`INSERT INTO look (id, subject, store, visit, alert, reader, role, team, purpose, fields, opened_at, closed_at, settled, positions, kind, company, reason, people)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, 0, $13, $14, $15, $16)`,
		r.ID, p.handle, r.Store, stay, seen, r.Reader, r.Role, r.Team, r.Purpose, string(fields), micros(r.OpenedAt), micros(r.ClosedAt),
		string(r.Kind), r.Company, reason, max(r.People, 1))
	return err
}

// Journal lists the reads of a subject from a place on, newest first.
func (db *DB) Journal(ctx context.Context, subject consent.Ref, from consent.Cursor, limit int) ([]consent.Read, error) {
	p, err := db.find(ctx, aSubject, subject)
	if noRow(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []consent.Read
	err = db.all(ctx, func(row *sql.Rows) error {
		r, err := scanRead(row, p)
		out = append(out, r)
		return err
	}, `SELECT `+readColumns+` FROM look
		WHERE subject = $1 AND ($2 = 0 OR opened_at <= $2) ORDER BY opened_at DESC, id DESC LIMIT $3`,
		p.handle, micros(from.At), limit+from.Skip)
	if err != nil {
		return nil, err
	}
	return out[min(from.Skip, len(out)):], nil
}

// readColumns are what scanRead takes.
const readColumns = `id, store, alert, reader, role, team, purpose, fields, opened_at, closed_at, positions, kind, company, reason, people`

func scanRead(row *sql.Rows, p person) (r consent.Read, err error) {
	var fields, sealed, reason string
	var opened, closed int64
	if err := row.Scan(&r.ID, &r.Store, &sealed, &r.Reader, &r.Role, &r.Team, &r.Purpose, &fields, &opened, &closed, &r.Count,
		&r.Kind, &r.Company, &reason, &r.People); err != nil {
		return r, err
	}
	r.OpenedAt, r.ClosedAt = fromMicros(opened), fromMicros(closed)
	if err := json.Unmarshal([]byte(fields), &r.Fields); err != nil {
		return r, fmt.Errorf("sqlstore: a read's fields: %w", err)
	}
	seen, err := p.text("look|"+r.ID, sealed)
	r.Visit, r.Alert, _ = strings.Cut(seen, "\n")
	if err == nil && reason != "" {
		r.Reason, err = p.text("look reason|"+r.ID, reason)
	}
	return r, err
}

// RefuseRead keeps a look that was refused, without whom it was at.
func (db *DB) RefuseRead(ctx context.Context, r consent.RefusedRead) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	return db.write(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO refused_read (id, store, reader, role, team, code, refused_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			id.String(), r.Store, r.Reader, r.Role, r.Team, r.Code, micros(r.At))
		return err
	})
}
