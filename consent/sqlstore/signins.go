// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"time"

	"doorstep/consent"
)

// OpenSignIn keeps that somebody is signed in: id is the hash of a secret, who is sealed by the caller. It is durable, and
// every node sees it. Prune forgets it when it ends.
func (db *DB) OpenSignIn(ctx context.Context, id, who string, ends time.Time) error {
	return db.mark(ctx, func(t *tx) error {
		_, err := t.exec(`INSERT INTO sign_in (id, who, ends_at, used_at) VALUES ($1, $2, $3, $4)`, id, who, micros(ends), micros(t.now))
		return err
	})
}

// SignIn reads one from the primary: who, sealed, when it ends and when it was used last. consent.ErrNotFound if it was ended or its
// time is over.
func (db *DB) SignIn(ctx context.Context, id string) (who string, ends, used time.Time, err error) {
	var endsAt, usedAt int64
	err = db.row(ctx, `SELECT who, ends_at, used_at FROM sign_in WHERE id = $1 AND ends_at > $2`, id, micros(db.now())).into(&who, &endsAt, &usedAt)
	if noRow(err) {
		err = consent.ErrNotFound
	}
	return who, fromMicros(endsAt), fromMicros(usedAt), err
}

// UseSignIn notes that it was used now; one that was ended is left alone.
func (db *DB) UseSignIn(ctx context.Context, id string) error {
	return db.mark(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE sign_in SET used_at = $2 WHERE id = $1 AND used_at < $2`, id, micros(t.now))
		return err
	})
}

// EndSignIn ends it at every node. One that there is not is no error.
func (db *DB) EndSignIn(ctx context.Context, id string) error {
	return db.mark(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM sign_in WHERE id = $1`, id)
		return err
	})
}
