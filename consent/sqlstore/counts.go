// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"time"

	"doorstep/consent"
)

// KeepCounts holds whom a node has counted until the window closes; see consent.Ledger. They are kept under the key of
// the day, with which goes what may be left of them in files.
func (db *DB) KeepCounts(ctx context.Context, c consent.Counted) error {
	return db.write(ctx, func(t *tx) error {
		closed, err := t.isClosed(c.Store, c.Window)
		if err != nil || closed {
			return err
		}
		for zone, marks := range c.Zones {
			for _, m := range marks {
				if err := t.keepCount(c, zone, m); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (t *tx) keepCount(c consent.Counted, zone, mark string) error {
	mark, err := t.mark("count", mark)
	if err == nil {
		_, err = t.exec(`INSERT INTO zone_part (store, opened_at, zone, mark, map) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (store, opened_at, zone, mark) DO UPDATE SET map = CASE WHEN zone_part.map = $5 THEN $5 ELSE '' END`,
			c.Store, micros(c.Window), zone, mark, c.Map)
	}
	return err
}

// isClosed reports whether a window has been closed, and keeps it from being closed meanwhile.
func (t *tx) isClosed(store string, window time.Time) (bool, error) {
	if err := t.lock(); err != nil {
		return false, err
	}
	var n int64
	err := t.row(`SELECT COUNT(*) FROM zone_window WHERE store = $1 AND opened_at = $2`, store, micros(window)).into(&n)
	return n > 0, err
}

// CloseCounts publishes a window as bands and deletes the numbers, once.
func (db *DB) CloseCounts(ctx context.Context, store, version string, window time.Time) error {
	return db.write(ctx, func(t *tx) error {
		closed, err := t.isClosed(store, window)
		if err != nil || closed {
			return err
		}
		people, other, err := t.counted(store, version, window)
		if err != nil {
			return err
		}
		if other {
			version, people = "", nil
		}
		if _, err := t.exec(`INSERT INTO zone_window (store, opened_at, map) VALUES ($1, $2, $3)`, store, micros(window), version); err != nil {
			return err
		}
		for zone, n := range people {
			if band := consent.BandOf(n); band != consent.Few { // so that nobody and nine leave the same behind
				if _, err := t.exec(`INSERT INTO zone_band (store, opened_at, zone, band) VALUES ($1, $2, $3, $4)`,
					store, micros(window), zone, string(band)); err != nil {
					return err
				}
			}
		}
		_, err = t.exec(`DELETE FROM zone_part WHERE store = $1 AND opened_at <= $2`, store, micros(window))
		return err
	})
}

// counted is how many different people the nodes have handed in. other says that somebody counted by another map.
func (t *tx) counted(store, version string, window time.Time) (people map[string]int, other bool, err error) {
	people = map[string]int{}
	err = t.all(func(r *sql.Rows) error {
		var zone, by string
		var n int
		err := r.Scan(&zone, &by, &n)
		people[zone] += n
		other = other || by != version
		return err
	}, `SELECT zone, map, COUNT(*) FROM zone_part WHERE store = $1 AND opened_at = $2 GROUP BY zone, map`, store, micros(window))
	return people, other, err
}

// Counts lists a store's closed windows from since on, oldest first.
func (db *DB) Counts(ctx context.Context, store string, since time.Time) ([]consent.CountedWindow, error) {
	var out []consent.CountedWindow
	err := db.all(ctx, func(r *sql.Rows) error {
		var opened int64
		var version, zone, band string
		if err := r.Scan(&opened, &version, &zone, &band); err != nil {
			return err
		}
		if n := len(out); n == 0 || !out[n-1].Window.Equal(fromMicros(opened)) {
			out = append(out, consent.CountedWindow{Store: store, Window: fromMicros(opened), Map: version, Zones: map[string]consent.Band{}})
		}
		if zone != "" {
			out[len(out)-1].Zones[zone] = consent.Band(band)
		}
		return nil
	}, `SELECT w.opened_at, w.map, COALESCE(b.zone, ''), COALESCE(b.band, '') FROM zone_window w
		LEFT JOIN zone_band b ON b.store = w.store AND b.opened_at = w.opened_at
		WHERE w.store = $1 AND w.opened_at >= $2 ORDER BY w.opened_at, b.zone`, store, micros(since))
	return out, err
}

// countGrace is how long after its end a window is left to the nodes to close; they do so within a second.
const countGrace = 10 * time.Second

// pruneCounts forgets closed windows in their time, and the numbers of any that nobody was there to close.
func (t *tx) pruneCounts(now time.Time) error {
	over, old := micros(now.Add(-consent.CountWindow-countGrace)), micros(now.Add(-consent.CountsLife))
	for _, q := range []struct {
		query  string
		before int64
	}{
		{`DELETE FROM zone_part WHERE opened_at < $1`, over},
		{`DELETE FROM zone_band WHERE opened_at < $1`, old},
		{`DELETE FROM zone_window WHERE opened_at < $1`, old},
	} {
		if _, err := t.exec(q.query, q.before); err != nil {
			return err
		}
	}
	return nil
}
