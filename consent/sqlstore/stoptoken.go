// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/hex"

	"doorstep/consent"
)

// keepStopToken keeps a mark of the token's hash, and whose it is.
func (t *tx) keepStopToken(c consent.DecideCommand) error {
	subject, installation, err := t.keepBoth(c.Served.Subject, c.Served.Scope.Installation)
	if err != nil {
		return err
	}
	r := stopRow{stopMark(t.db.ring, c.StopHash), subject.handle, installation.handle, c.Served.Scope.Store, micros(c.Now), ""}
	_, err = t.exec(`INSERT INTO stop_token (`+stopColumns+`) VALUES ($1, $2, $3, $4, $5, $6)`,
		r.hash, r.subject, r.installation, r.store, r.given, r.sealed(t.db.ring))
	return err
}

// stopMark is a stop token as it is written. The token is the shopper's alone, and says nothing of whose it is.
func stopMark(ring *consent.Keyring, hash [32]byte) string {
	return ring.Mark("stop", hex.EncodeToString(hash[:]))
}

// StopRight looks up the hash of a stop token.
func (db *DB) StopRight(ctx context.Context, hash [32]byte) (consent.StopRight, error) {
	var s consent.StopRight
	var r stopRow
	err := db.row(ctx, `SELECT `+stopColumns+` FROM stop_token WHERE hash = $1`, stopMark(db.ring, hash)).into(r.fields()...)
	if err == nil {
		err = r.check(db.ring)
	}
	if err == nil {
		s.Scope.Store = r.store
		s.Subject, s.Scope.Installation, err = db.refs(ctx, r.subject, r.installation)
	}
	if noRow(err) {
		return consent.StopRight{}, consent.ErrStopToken
	}
	return s, err
}
