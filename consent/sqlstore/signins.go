// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"doorstep/consent"
)

// OpenSignIn keeps that somebody is signed in, and used it now. It is durable, and every node sees it. Whoever else is signed in
// on the same device is locked out with it.
func (db *DB) OpenSignIn(ctx context.Context, s consent.SignIn) error {
	return db.writeNow(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO sign_in (id, who, ends_at, used_at, device, acted_at) VALUES ($1, $2, $3, $4, $5, $6)`,
			s.ID, s.Who, micros(s.Ends), micros(t.now), s.Device, micros(s.Acted)); err != nil {
			return err
		}
		return t.lockOthers(s)
	})
}

// lockOthers leaves one sign-in at most on a device that can be used.
func (t *tx) lockOthers(s consent.SignIn) error {
	if s.Device == "" {
		return nil
	}
	_, err := t.exec(`UPDATE sign_in SET locked = 1 WHERE device = $1 AND id <> $2`, s.Device, s.ID)
	return err
}

// signInColumns are those that scanSignIn reads.
const signInColumns = `id, who, device, locked, ends_at, used_at, acted_at`

// SignIn reads one from the primary. consent.ErrNotFound if it was ended or renewed, or its time is over.
func (db *DB) SignIn(ctx context.Context, id string) (consent.SignIn, error) {
	s, err := scanSignIn(db.row(ctx, `SELECT `+signInColumns+` FROM sign_in WHERE id = $1 AND ends_at > $2`, id, micros(db.now())).into)
	if noRow(err) {
		err = consent.ErrNotFound
	}
	return s, err
}

// SignInsOn reads those on a device from the primary, whoever did something last first.
func (db *DB) SignInsOn(ctx context.Context, device string) (list []consent.SignIn, err error) {
	err = db.all(ctx, func(r *sql.Rows) error {
		s, err := scanSignIn(r.Scan)
		list = append(list, s)
		return err
	}, `SELECT `+signInColumns+` FROM sign_in WHERE device = $1 AND ends_at > $2 ORDER BY acted_at DESC, id`, device, micros(db.now()))
	return list, err
}

func scanSignIn(into func(...any) error) (s consent.SignIn, err error) {
	var locked, ends, used, acted int64
	err = into(&s.ID, &s.Who, &s.Device, &locked, &ends, &used, &acted)
	s.Locked, s.Ends, s.Used, s.Acted = locked != 0, fromMicros(ends), fromMicros(used), fromMicros(acted)
	return s, err
}

// UseSignIn notes that it was used now, and that a person last did something at acted; zero says nothing of that. One that was ended is
// left alone.
func (db *DB) UseSignIn(ctx context.Context, id string, acted time.Time) error {
	return db.mark(ctx, func(t *tx) error {
		_, err := t.exec(`UPDATE sign_in SET used_at = $2, acted_at = CASE WHEN acted_at < $3 THEN $3 ELSE acted_at END WHERE id = $1 AND used_at <= $2`,
			id, micros(t.now), micros(acted))
		return err
	})
}

// LockSignIn locks one on a device that several people use, until it is renewed. consent.ErrNotFound if there is none.
func (db *DB) LockSignIn(ctx context.Context, id string) error {
	return db.mark(ctx, func(t *tx) error {
		return found(t.exec(`UPDATE sign_in SET locked = 1 WHERE id = $1 AND device <> ''`, id))
	})
}

// TrySignIn counts a PIN that is about to be looked at, and tells how many it were in a row since the sign-in was renewed. It is
// counted before anybody knows whether it is right, so that no crash and no other node makes a guess free. consent.ErrNotFound if
// there is no such sign-in.
func (db *DB) TrySignIn(ctx context.Context, id string) (tries int, err error) {
	err = db.mark(ctx, func(t *tx) error {
		if err := found(t.exec(`UPDATE sign_in SET wrong = wrong + 1 WHERE id = $1 AND ends_at > $2`, id, micros(t.now))); err != nil {
			return err
		}
		return t.row(`SELECT wrong FROM sign_in WHERE id = $1`, id).into(&tries)
	})
	return tries, err
}

// RenewSignIn has the sign-in old go on under another id, unlocked and with no PIN tried, and locks the others on its device.
// What old was the hash of is worth nothing from then on. Of two that renew the same, one does; the other has
// consent.ErrNotFound.
func (db *DB) RenewSignIn(ctx context.Context, old string, s consent.SignIn) error {
	return db.writeNow(ctx, func(t *tx) error {
		if err := found(t.exec(`UPDATE sign_in SET id = $2, who = $3, locked = 0, wrong = 0, used_at = $4, acted_at = $5 WHERE id = $1 AND ends_at > $4`,
			old, s.ID, s.Who, micros(t.now), micros(s.Acted))); err != nil {
			return err
		}
		return t.lockOthers(s)
	})
}

// found is consent.ErrNotFound for a change of no row.
func found(n int64, err error) error {
	if err == nil && n == 0 {
		err = consent.ErrNotFound
	}
	return err
}

// EndSignIn ends it at every node. One that there is not is no error.
func (db *DB) EndSignIn(ctx context.Context, id string) error {
	return db.mark(ctx, func(t *tx) error {
		_, err := t.exec(`DELETE FROM sign_in WHERE id = $1`, id)
		return err
	})
}
