// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"fmt"

	"doorstep/consent"
	"doorstep/tracking"
)

// SaveMap keeps a store's map in place of the one before. The same version again changes nothing.
func (db *DB) SaveMap(ctx context.Context, store, version string, sources []byte, by string) error {
	return db.changeStore(ctx, store, "map "+version, by, func(t *tx) (int64, error) {
		return t.exec(`INSERT INTO store_map (store, version, sources, saved_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (store) DO UPDATE SET version = $2, sources = $3, saved_at = $4 WHERE store_map.version <> $2`,
			store, version, base64.StdEncoding.EncodeToString(sources), micros(t.now))
	})
}

// WithdrawMap takes a store's map away: nobody can be inside any more.
func (db *DB) WithdrawMap(ctx context.Context, store, by string) error {
	return db.changeStore(ctx, store, "map withdrawn", by, func(t *tx) (int64, error) {
		return t.exec(`DELETE FROM store_map WHERE store = $1`, store)
	})
}

// SetHours sets when a store is open: hours as geofence.ParseHours reads them; both empty for always.
func (db *DB) SetHours(ctx context.Context, store, hours, zone, by string) error {
	return db.changeStore(ctx, store, fmt.Sprintf("hours %q in %q", hours, zone), by, func(t *tx) (int64, error) {
		return t.exec(`INSERT INTO store_setting (store, hours, zone, closed) VALUES ($1, $2, $3, 0)
			ON CONFLICT (store) DO UPDATE SET hours = $2, zone = $3 WHERE store_setting.hours <> $2 OR store_setting.zone <> $3`,
			store, hours, zone)
	})
}

// SetClosed closes a store, whatever its hours say, or takes that back.
func (db *DB) SetClosed(ctx context.Context, store string, closed bool, by string) error {
	what, flag := "opened", 0
	if closed {
		what, flag = "closed", 1
	}
	return db.changeStore(ctx, store, what, by, func(t *tx) (int64, error) {
		return t.exec(`INSERT INTO store_setting (store, hours, zone, closed) VALUES ($1, '', '', $2)
			ON CONFLICT (store) DO UPDATE SET closed = $2 WHERE store_setting.closed <> $2`, store, flag)
	})
}

// SetRules sets a store's rules about alerts, as package rulebook reads them; empty for none. What is audited is their hash.
func (db *DB) SetRules(ctx context.Context, store, rules, by string) error {
	what := "rules taken away"
	if rules != "" {
		what = fmt.Sprintf("rules %x", sha256.Sum256([]byte(rules)))
	}
	return db.changeStore(ctx, store, what, by, func(t *tx) (int64, error) {
		return t.exec(`INSERT INTO store_setting (store, hours, zone, closed, rules) VALUES ($1, '', '', 0, $2)
			ON CONFLICT (store) DO UPDATE SET rules = $2 WHERE store_setting.rules <> $2`, store, rules)
	})
}

// cardsOf is the setting that holds a store's cards.
const cardsOf = "cards of "

// SetCards sets what is told of a store's zones, as package cards reads it; empty for nothing. What is audited is its hash.
func (db *DB) SetCards(ctx context.Context, store, deck, by string) error {
	what := "cards taken away"
	if deck != "" {
		what = fmt.Sprintf("cards %x", sha256.Sum256([]byte(deck)))
	}
	return db.changeStore(ctx, store, what, by, func(t *tx) (int64, error) {
		if deck == "" {
			return t.exec(`DELETE FROM setting WHERE name = $1`, cardsOf+store)
		}
		if _, err := t.exec(`INSERT INTO store_setting (store, hours, zone, closed) VALUES ($1, '', '', 0) ON CONFLICT (store) DO NOTHING`, store); err != nil {
			return 0, err
		}
		return t.exec(`INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = $2 WHERE setting.value <> $2`, cardsOf+store, deck)
	})
}

// changeStore makes one change, with who made it and a feed entry, in one transaction. A change that
// changes nothing is not one.
func (db *DB) changeStore(ctx context.Context, store, what, by string, do func(*tx) (int64, error)) error {
	return db.auditStore(ctx, consent.EntryStore, store, by, func(t *tx) (string, error) {
		n, err := do(t)
		if n == 0 {
			return "", err
		}
		return what, err
	})
}

// auditStore is changeStore for what is only known to have changed when it is done; an empty text is no change.
func (db *DB) auditStore(ctx context.Context, kind consent.EntryKind, store, by string, do func(*tx) (what string, err error)) error {
	return db.write(ctx, func(t *tx) error {
		if err := t.lock(); err != nil {
			return err
		}
		what, err := do(t)
		if err != nil || what == "" {
			return err
		}
		change, err := t.enter(consent.Entry{Kind: kind, Store: store}, "", struct{}{})
		if err != nil {
			return err
		}
		_, err = t.exec(`INSERT INTO store_change (change, store, what, by_whom, changed_at) VALUES ($1, $2, $3, $4, $5)`,
			change, store, what, by, micros(t.now))
		return err
	})
}

// Stores returns what is set of every store, by store: its map, its hours, whether it is closed, its rules and its cards.
func (db *DB) Stores(ctx context.Context) ([]tracking.StoreSetting, error) {
	var out []tracking.StoreSetting
	err := db.all(ctx, func(r *sql.Rows) error {
		var s tracking.StoreSetting
		var sources, rules, deck string
		err := r.Scan(&s.Store, &s.Version, &sources, &s.Hours, &s.Zone, &s.Closed, &rules, &deck)
		if err == nil {
			s.Sources, err = base64.StdEncoding.DecodeString(sources)
		}
		if rules != "" {
			s.Rules = []byte(rules)
		}
		if deck != "" {
			s.Cards = []byte(deck)
		}
		out = append(out, s)
		return err
	}, `SELECT n.store, COALESCE(m.version, ''), COALESCE(m.sources, ''), COALESCE(s.hours, ''), COALESCE(s.zone, ''), COALESCE(s.closed, 0), COALESCE(s.rules, ''),
			COALESCE(c.value, '')
		FROM (SELECT store FROM store_map UNION SELECT store FROM store_setting) n
		LEFT JOIN store_map m ON m.store = n.store LEFT JOIN store_setting s ON s.store = n.store
		LEFT JOIN setting c ON c.name = $1 || n.store ORDER BY n.store`, cardsOf)
	return out, err
}

// StoreChanges lists the changes of a store, the newest first, at most limit.
func (db *DB) StoreChanges(ctx context.Context, store string, limit int) ([]tracking.StoreChange, error) {
	var out []tracking.StoreChange
	err := db.all(ctx, func(r *sql.Rows) error {
		var c tracking.StoreChange
		var at int64
		err := r.Scan(&c.Store, &c.What, &c.By, &at)
		c.At = fromMicros(at)
		out = append(out, c)
		return err
	}, `SELECT store, what, by_whom, changed_at FROM store_change WHERE store = $1 ORDER BY change DESC LIMIT $2`, store, limit)
	return out, err
}
