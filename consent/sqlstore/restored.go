// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/google/uuid"

	"doorstep/consent"
)

// AfterRestore opens a ledger that is a copy from before what was acknowledged, so that Restored can end all in it.
func AfterRestore() Option { return func(db *DB) { db.restored, db.patience = true, 0 } }

// markSetting is there once the mark must be.
const markSetting = "mark"

// fitMark holds the ledger against the mark outside of it, before anything is written. One in which nobody was ever
// written has nothing in force: it takes up where the former ledger of these keys ended. One from before there were marks
// begins with what it counts.
func (db *DB) fitMark(ctx context.Context) error {
	reached, there, err := db.high.known()
	if err != nil {
		return err
	}
	var change, bound, marked int64
	err = db.row(ctx, `SELECT change, (SELECT COUNT(*) FROM setting WHERE name = $1), (SELECT COUNT(*) FROM setting WHERE name = $2)
		FROM counter WHERE id = 1`, ringSetting, markSetting).into(&change, &bound, &marked)
	switch {
	case err != nil:
		return err
	case bound == 0 && change < reached:
		return db.continueFrom(ctx, reached)
	case db.restored:
		return nil
	case marked > 0 && !there:
		return fmt.Errorf("sqlstore: %s is not there, which says how far %s has come: %w", db.high.path, db.name, consent.ErrRestored)
	case change < reached:
		return fmt.Errorf("sqlstore: %s counts %d changes, and %s says that %d were made: %w", db.name, change, db.high.path, reached, consent.ErrRestored)
	}
	if bound > 0 && marked == 0 {
		return db.write(ctx, (*tx).needMark)
	}
	return nil
}

// continueFrom gives a new ledger the numbers after those of the one before.
func (db *DB) continueFrom(ctx context.Context, reached int64) error {
	return db.writeIn(ctx, false, func(t *tx) error {
		_, err := t.exec(`UPDATE counter SET change = $1, floor = $1 WHERE id = 1 AND change < $1`, reached)
		return err
	})
}

// needMark makes the mark, if it is not there, and notes that it must be from now on.
func (t *tx) needMark() error {
	if err := t.db.high.make(); err != nil {
		return unavailable(err)
	}
	_, err := t.exec(`INSERT INTO setting (name, value) VALUES ($1, '1') ON CONFLICT (name) DO NOTHING`, markSetting)
	return err
}

// behindMark refuses a ledger that counts less than was acknowledged: an older copy was put in its place while this
// process ran. Nothing is written to it, or its count would come up to the mark by itself.
func (db *DB) behindMark(change, reached int64) error {
	if change >= reached || db.restored {
		return nil
	}
	return unavailable(fmt.Errorf("%s counts %d changes, and %d were made: %w", db.name, change, reached, consent.ErrRestored))
}

// Remember raises the mark. See consent.Store.
func (db *DB) Remember(ctx context.Context, change int64) error {
	return unavailable(db.high.reach(ctx, change))
}

// Restored makes a copy from before what was acknowledged fit to be served again: nobody knows which of its grants were
// ended since, so all are, as revoked, with their receipts; no notice that was served counts any more, and no visit to come has the
// pseudonym of one that was. The ledger's generation rises, and its numbers go on above the mark: every node starts
// over. All of it is one transaction. It returns how many shoppers' grants it ended.
func (db *DB) Restored(ctx context.Context, seal consent.Sealer) (ended int, err error) {
	var change int64
	err = db.write(ctx, func(t *tx) error {
		if err := t.newGeneration(); err != nil {
			return err
		}
		var err error
		if ended, err = t.endEverything(seal); err != nil {
			return err
		}
		if err := t.liftEpochs(seal); err != nil {
			return err
		}
		for _, what := range []string{`DELETE FROM served`, `DELETE FROM node`, `DELETE FROM duty`} {
			if _, err := t.exec(what); err != nil {
				return err
			}
		}
		t.change, t.changed = max(t.change, t.db.high.reached())+1, true
		change = t.change
		if _, err := t.exec(`UPDATE counter SET floor = $1 WHERE id = 1`, change); err != nil {
			return err
		}
		return t.needMark()
	})
	if err != nil {
		return 0, err
	}
	return ended, db.high.reach(ctx, change)
}

// endEverything ends whatever is in force, one shopper after the other.
func (t *tx) endEverything(seal consent.Sealer) (ended int, err error) {
	g, err := generation(t.row)
	if err != nil {
		return 0, err
	}
	subjects, err := t.column(`SELECT DISTINCT subject FROM record WHERE live = 1`)
	for _, handle := range subjects {
		var p person
		if err == nil {
			p, err = t.person(handle)
		}
		if err != nil {
			return ended, err
		}
		c := consent.EndCommand{Now: t.now, Seal: seal, EndRequest: consent.EndRequest{
			ID: uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "restored|%d|%s", g, handle)).String(), Kind: consent.EndAll, Subject: p.ref,
			Reason: consent.Revoked,
		}}
		if _, err = t.end(c); err == nil {
			ended++
		}
		clear(t.people) // of thousands, none is met again
	}
	return ended, err
}

// liftEpochs puts every scope above whatever epoch it may have reached in the ledger that is lost.
func (t *tx) liftEpochs(seal consent.Sealer) error {
	first, err := t.firstEpoch()
	if err != nil {
		return err
	}
	phones, err := t.column(`SELECT DISTINCT installation FROM scope WHERE epoch < $1`, first)
	for _, handle := range phones {
		var scopes []scope
		if err == nil {
			scopes, err = t.scopesWhere(`installation = $1 AND epoch < $2`, handle, first)
		}
		for _, s := range scopes {
			if err == nil {
				err = t.saveScope(s.who, s.installation, s.Store, first, seal.Visit(s.Scope, first))
			}
		}
	}
	return err
}

// column is a query for one text of each row.
func (t *tx) column(query string, args ...any) (out []string, err error) {
	err = t.all(func(r *sql.Rows) error {
		var s string
		err := r.Scan(&s)
		out = append(out, s)
		return err
	}, query, args...)
	return out, err
}
