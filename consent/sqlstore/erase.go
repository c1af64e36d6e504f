// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"doorstep/consent"
)

// personal are the tables with rows of one shopper, by the handle in their column subject, and as what an
// erasure counts them. A test holds the list against the schema.
var personal = []struct{ table, counted string }{
	{"record", "decisions"}, {"ending", "ends"}, {"scope", "scopes"}, {"served", "notices_served"},
	{"stop_token", "stop_tokens"}, {"look", "views"}, {"alert", "alerts"}, {"stay", "visits"},
	{"feed", "messages"}, {"outbox", "messages"}, {"motion", "requests"}, {"webhook", "messages"},
}

// phoneTables are those of them that name the phone as well.
var phoneTables = []string{"record", "scope", "served", "stop_token", "alert"}

// erasureMark is an erasure as it is written: only who repeats the request finds it again.
func erasureMark(ring *consent.Keyring, r consent.EndRequest) string {
	return ring.Mark("erasure", string(r.Subject)+"|"+r.ID)
}

// beginErasure remembers that an end is the first half of an erasure, so that the second half is done whoever
// lives to do it.
func (t *tx) beginErasure(c consent.EndCommand) error {
	p, err := t.keep(aSubject, c.Subject)
	if err == nil {
		_, err = t.exec(`INSERT INTO erasure (id, subject, begun_at, done_at, body) VALUES ($1, $2, $3, 0, '') ON CONFLICT (id) DO NOTHING`,
			erasureMark(t.db.ring, c.EndRequest), p.handle, micros(t.now))
	}
	return err
}

// begunErasure is an erasure's row.
type begunErasure struct {
	id, subject string
	done        int64
	body        string
}

func erasureOf(ask asker, id string) (e begunErasure, err error) {
	err = ask(`SELECT id, subject, done_at, body FROM erasure WHERE id = $1`, id).into(&e.id, &e.subject, &e.done, &e.body)
	if noRow(err) {
		err = consent.ErrNoErasure
	}
	return e, err
}

// Removal is what an erasure removed that is done.
func (db *DB) Removal(ctx context.Context, r consent.EndRequest) (consent.Removal, error) {
	e, err := erasureOf(db.asker(ctx), erasureMark(db.ring, r))
	if err != nil {
		return consent.Removal{}, err
	}
	if e.done == 0 {
		return consent.Removal{}, consent.ErrNoErasure
	}
	if err := db.settle(ctx); err != nil { // a crash may have left the old keys
		return consent.Removal{}, err
	}
	return e.removal(db.ring)
}

func (e begunErasure) removal(ring *consent.Keyring) (out consent.Removal, err error) {
	text, err := ring.Open("erasure|"+e.id, e.body)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		err = fmt.Errorf("sqlstore: an erasure: %w", err)
	}
	return out, err
}

// Erase removes all rows of a subject, and destroys the keys of all that was ever written of them; see
// consent.Store. The order is that of consent.Keyring.
func (db *DB) Erase(ctx context.Context, c consent.EraseCommand) (consent.Removal, error) {
	return db.eraseRow(ctx, erasureMark(db.ring, c.Request), c)
}

func (db *DB) eraseRow(ctx context.Context, id string, c consent.EraseCommand) (out consent.Removal, err error) {
	err = db.writeNow(ctx, func(t *tx) error {
		e, err := erasureOf(t.row, id)
		if err == nil && e.done == 0 {
			e, err = t.erase(e, c)
		}
		if err == nil {
			out, err = e.removal(db.ring)
		}
		return err
	})
	if err == nil {
		err = db.settle(ctx)
	}
	if err == nil {
		db.scrub(ctx)
	}
	return out, err
}

// FinishErasures finishes those that were begun before a time and not finished.
func (db *DB) FinishErasures(ctx context.Context, before time.Time, c consent.EraseCommand) error {
	var ids []string
	err := db.all(ctx, func(r *sql.Rows) error {
		var id string
		err := r.Scan(&id)
		ids = append(ids, id)
		return err
	}, `SELECT id FROM erasure WHERE done_at = 0 AND begun_at < $1`, micros(before))
	for _, id := range ids {
		if err == nil {
			_, err = db.eraseRow(ctx, id, c)
		}
	}
	return err
}

// erase is the transaction: proofs, rows, the leaf, the keys, and the word of it.
func (t *tx) erase(e begunErasure, c consent.EraseCommand) (begunErasure, error) {
	out := consent.Removal{At: c.Now, Removed: map[string]int64{}}
	for _, kind := range consent.RemovalKinds {
		out.Removed[kind] = 0
	}
	gone, err := t.goneWith(e.subject, &out)
	if err != nil {
		return e, err
	}
	j := erasedEntry{Gone: gone, At: c.Now}
	for _, handle := range gone {
		if err := t.keepProofs(handle, &out, &j); err != nil {
			return e, err
		}
	}
	if err := t.removeRows(gone, out.Removed); err != nil {
		return e, err
	}
	if out.Log, err = t.logErasure(c); err != nil {
		return e, err
	}
	text, err := json.Marshal(out)
	if err != nil {
		return e, fmt.Errorf("sqlstore: %w", err)
	}
	e.subject, e.done, e.body = "", micros(c.Now), t.db.ring.Seal("erasure|"+e.id, text)
	j.Row, j.Body = e.id, e.body
	if err := t.saveErasure(e.id, c.Now, e.body); err != nil {
		return e, err
	}
	return e, t.rotate(gone, j)
}

func (t *tx) saveErasure(id string, at time.Time, body string) error {
	_, err := t.exec(`INSERT INTO erasure (id, subject, begun_at, done_at, body) VALUES ($1, '', $2, $2, $3)
		ON CONFLICT (id) DO UPDATE SET subject = '', done_at = $2, body = $3`, id, micros(at), body)
	return err
}

// goneWith are the handles that go: the shopper's, and those of the phones that nobody else has used. There are
// none if another request has erased them already.
func (t *tx) goneWith(subject string, out *consent.Removal) ([]string, error) {
	if _, err := t.person(subject); noRow(err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	gone, phones := []string{subject}, map[string]bool{}
	for _, table := range phoneTables {
		err := t.all(func(r *sql.Rows) error {
			var phone string
			err := r.Scan(&phone)
			phones[phone] = true
			return err
		}, `SELECT DISTINCT installation FROM `+table+` WHERE subject = $1`, subject)
		if err != nil {
			return nil, err
		}
	}
	for phone := range phones {
		shared, err := t.isShared(phone, subject)
		if err != nil {
			return nil, err
		}
		if shared {
			out.Shared++
			continue
		}
		out.Removed["installations"]++
		gone = append(gone, phone)
	}
	slices.Sort(gone[1:])
	return gone, nil
}

func (t *tx) isShared(phone, subject string) (bool, error) {
	for _, table := range phoneTables {
		var n int64
		if err := t.row(`SELECT COUNT(*) FROM `+table+` WHERE installation = $1 AND subject <> $2`, phone, subject).into(&n); err != nil || n > 0 {
			return true, err
		}
	}
	return false, nil
}

// keepProofs seals the receipts of somebody for who has the key of proofs, until the time that each of them says:
// what the registry says by now was not declared when they were given.
func (t *tx) keepProofs(handle string, out *consent.Removal, j *erasedEntry) error {
	p, err := t.person(handle)
	if err != nil {
		return err
	}
	for place, query := range map[string]string{
		"record": `SELECT body FROM record WHERE subject = $1`,
		"ending": `SELECT body FROM ending WHERE subject = $1 AND kind <> 'session'`,
	} {
		err := t.all(func(r *sql.Rows) error {
			var sealed string
			if err := r.Scan(&sealed); err != nil {
				return err
			}
			kept, err := openEvent(p, place, sealed)
			if err != nil {
				return err
			}
			receipt, err := consent.ReadReceipt(kept.Receipt)
			if err != nil || receipt.ExpiresAt == nil {
				return fmt.Errorf("sqlstore: the receipt at leaf %d does not say until when it proves something: %w", kept.Index, consent.ErrReceipt)
			}
			body, err := t.db.ring.SealProof(kept.Index, kept.Receipt)
			until := receipt.ExpiresAt.Time
			if until.After(out.Until) {
				out.Until = until
			}
			out.Kept++
			j.Proofs = append(j.Proofs, keptProof{kept.Index, micros(until), body})
			return err
		}, query, handle)
		if err != nil {
			return err
		}
	}
	slices.SortFunc(j.Proofs, func(a, b keptProof) int { return int(a.Index - b.Index) })
	return t.saveProofs(j.Proofs)
}

func (t *tx) saveProofs(list []keptProof) error {
	for _, p := range list {
		if _, err := t.exec(`INSERT INTO proof (log_index, until, body, mark) VALUES ($1, $2, $3, $4) ON CONFLICT (log_index) DO NOTHING`,
			p.Index, p.Until, p.Body, p.mark(t.db.ring)); err != nil {
			return err
		}
	}
	return nil
}

// removeRows deletes what is written under these handles.
func (t *tx) removeRows(gone []string, removed map[string]int64) error {
	for _, handle := range gone {
		var heard sql.NullInt64
		if err := t.row(`SELECT MAX(change) FROM feed WHERE subject = $1`, handle).into(&heard); err != nil {
			return err
		}
		if err := t.forgetDeliveries(handle); err != nil {
			return err
		}
		for _, p := range personal {
			n, err := t.exec(`DELETE FROM `+p.table+` WHERE subject = $1`, handle)
			if err != nil {
				return err
			}
			removed[p.counted] += n
		}
		// The feed has no holes. Whoever has not heard so far starts anew; as a rule nobody, since an erasure waits for all.
		if err := t.forgetFeed(heard); err != nil {
			return err
		}
	}
	// What is asked about a stranger may be about somebody who came later; it is asked for again.
	_, err := t.exec(`DELETE FROM motion WHERE kind = $1 AND subject = ''`, string(consent.DisclosureMotion))
	return err
}

func (t *tx) logErasure(c consent.EraseCommand) (consent.ReceiptLog, error) {
	event := c.Event()
	place, err := t.appendLeaf(event)
	if err != nil {
		return consent.ReceiptLog{}, err
	}
	return consent.EventLog(event, place)
}

// ErasedProof is the proof of consent of somebody who was erased, for a consent.ProofKey, and until when it is
// kept; consent.ErrNoLeaf if there is none at this place in the log.
func (e *Evidence) ErasedProof(ctx context.Context, index int64) (sealed string, until time.Time, err error) {
	var at int64
	err = row{e.tx.QueryRowContext(ctx, `SELECT body, until FROM proof WHERE log_index = $1`, index)}.into(&sealed, &at)
	if noRow(err) {
		err = fmt.Errorf("%w: no proof is kept of leaf %d", consent.ErrNoLeaf, index)
	}
	return sealed, fromMicros(at), err
}

// scrub empties the write-ahead log of SQLite, so that not even what cannot be read lies about. It is not needed
// for anything, and does no harm if it fails.
func (db *DB) scrub(ctx context.Context) {
	if !db.alone || db.turn.take(ctx, false) != nil {
		return
	}
	defer db.turn.give()
	var busy, pages, moved int64
	_ = errors.Join(db.writer.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved))
}
