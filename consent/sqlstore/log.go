// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep/consent"
)

// appendLeaf puts an event into the log, in the transaction that makes it true.
func (t *tx) appendLeaf(e consent.Event) (consent.Place, error) {
	text, err := e.Leaf()
	if err != nil {
		return consent.Place{}, err
	}
	return t.appendText(text)
}

// appendText puts a leaf into the log, whatever its type.
func (t *tx) appendText(text []byte) (consent.Place, error) {
	if err := t.lock(); err != nil {
		return consent.Place{}, err
	}
	index, read := t.size, hashReader(t.all)
	hashes, err := tlog.StoredHashes(index, text, read)
	if err != nil {
		return consent.Place{}, fmt.Errorf("sqlstore: log: %w", err)
	}
	first := tlog.StoredHashIndex(0, index)
	for i, h := range hashes {
		if _, err := t.exec(`INSERT INTO loghash (idx, hash) VALUES ($1, $2)`, first+int64(i), hex.EncodeToString(h[:])); err != nil {
			return consent.Place{}, err
		}
	}
	if _, err := t.exec(`INSERT INTO leaf (idx, body) VALUES ($1, $2)`, index, string(text)); err != nil {
		return consent.Place{}, err
	}
	t.size, t.changed = index+1, true
	head, err := treeHead(t.size, read)
	return consent.Place{Index: index, TreeHead: head}, err
}

// hashReader reads the tree's stored hashes, of which a head or a proof needs a few dozen at most,
// in one query.
func hashReader(query func(func(*sql.Rows) error, string, ...any) error) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		if len(indexes) == 0 {
			return nil, nil
		}
		found := map[int64]tlog.Hash{}
		var args, marks []any
		for i, x := range indexes {
			args, marks = append(args, x), append(marks, i+1)
		}
		list := strings.TrimPrefix(fmt.Sprintf(strings.Repeat(", $%d", len(marks)), marks...), ", ")
		err := query(func(r *sql.Rows) error {
			var x int64
			var text string
			if err := r.Scan(&x, &text); err != nil {
				return err
			}
			h, err := parseHash(text)
			found[x] = h
			return err
		}, `SELECT idx, hash FROM loghash WHERE idx IN (`+list+`)`, args...)
		if err != nil {
			return nil, err
		}
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			h, ok := found[x]
			if !ok {
				return nil, fmt.Errorf("stored hash %d is missing", x)
			}
			out[i] = h
		}
		return out, nil
	})
}

func parseHash(text string) (h tlog.Hash, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != tlog.HashSize {
		return h, errors.New("a stored hash is damaged")
	}
	copy(h[:], b)
	return h, nil
}

func treeHead(size int64, r tlog.HashReader) (consent.TreeHead, error) {
	root, err := tlog.TreeHash(size, r)
	if err != nil {
		return consent.TreeHead{}, fmt.Errorf("sqlstore: log: %w", err)
	}
	return consent.TreeHead{Size: size, Root: hex.EncodeToString(root[:])}, nil
}

// LogNotices puts the hashes of notices into the log, each once. A setting remembers the leaf of each.
func (db *DB) LogNotices(ctx context.Context, hashes []string, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		for _, hash := range hashes {
			if err := t.logNotice(hash, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// noticeLeaf is the name of the setting that holds the index of a notice's leaf.
const noticeLeaf = "notice_leaf/"

func (t *tx) logNotice(hash string, now time.Time) error {
	if err := t.lock(); err != nil {
		return err
	}
	var index string
	if err := t.row(`SELECT value FROM setting WHERE name = $1`, noticeLeaf+hash).into(&index); !noRow(err) {
		return err
	}
	text, err := consent.NoticeLeaf(hash, now).Text()
	if err != nil {
		return err
	}
	at, err := t.appendText(text)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO setting (name, value) VALUES ($1, $2)`, noticeLeaf+hash, strconv.FormatInt(at.Index, 10))
	return err
}

// TreeHead is the size and root of the log.
func (db *DB) TreeHead(ctx context.Context) (consent.TreeHead, error) {
	var size int64
	if err := db.row(ctx, `SELECT tree_size FROM counter WHERE id = 1`).into(&size); err != nil {
		return consent.TreeHead{}, err
	}
	return treeHead(size, db.hashes(ctx)) // what is stored for a size never changes, so no snapshot is needed
}

func (db *DB) hashes(ctx context.Context) tlog.HashReader {
	return hashReader(func(scan func(*sql.Rows) error, query string, args ...any) error {
		return db.all(ctx, scan, query, args...)
	})
}

// Proof is a leaf with its inclusion proof in the tree of the given size; 0 means the newest.
func (db *DB) Proof(ctx context.Context, index, size int64) (consent.Proof, error) {
	head, err := db.TreeHead(ctx)
	if err != nil {
		return consent.Proof{}, err
	}
	if size == 0 {
		size = head.Size
	}
	if index < 0 || index >= size || size > head.Size {
		return consent.Proof{}, fmt.Errorf("%w: leaf %d of %d in a log of %d", consent.ErrNoLeaf, index, size, head.Size)
	}
	p := consent.Proof{Index: index}
	if p.Tree, err = treeHead(size, db.hashes(ctx)); err != nil {
		return consent.Proof{}, err
	}
	if err := db.row(ctx, `SELECT body FROM leaf WHERE idx = $1`, index).into(&p.Leaf); err != nil {
		return consent.Proof{}, err
	}
	path, err := tlog.ProveRecord(size, index, db.hashes(ctx))
	if err != nil {
		return consent.Proof{}, fmt.Errorf("sqlstore: log: %w", err)
	}
	p.Path = hexHashes(path)
	return p, nil
}

func hexHashes(list []tlog.Hash) []string {
	out := make([]string, len(list))
	for i, h := range list {
		out[i] = hex.EncodeToString(h[:])
	}
	return out
}

// Consistency proves that the tree of size to, 0 for the newest, continues that of size from.
func (db *DB) Consistency(ctx context.Context, from, to int64) (consent.Consistency, error) {
	head, err := db.TreeHead(ctx)
	if err != nil {
		return consent.Consistency{}, err
	}
	if to == 0 {
		to = head.Size
	}
	if from < 0 || from > to || to > head.Size {
		return consent.Consistency{}, fmt.Errorf("%w: sizes %d and %d in a log of %d", consent.ErrNoLeaf, from, to, head.Size)
	}
	c := consent.Consistency{Path: []string{}}
	if c.From, err = treeHead(from, db.hashes(ctx)); err != nil {
		return consent.Consistency{}, err
	}
	if c.To, err = treeHead(to, db.hashes(ctx)); err != nil || from == 0 {
		return c, err
	}
	path, err := tlog.ProveTree(to, from, db.hashes(ctx))
	if err != nil {
		return consent.Consistency{}, fmt.Errorf("sqlstore: log: %w", err)
	}
	c.Path = hexHashes(path)
	return c, nil
}

// Leaves are the leaves from one index up to, not including, another.
func (db *DB) Leaves(ctx context.Context, from, to int64) ([]string, error) {
	list := []string{}
	err := db.all(ctx, func(r *sql.Rows) error {
		var text string
		err := r.Scan(&text)
		list = append(list, text)
		return err
	}, `SELECT body FROM leaf WHERE idx >= $1 AND idx < $2 ORDER BY idx`, from, to)
	return list, err
}

// Claim sets a value that is set once, and returns what is set.
func (db *DB) Claim(ctx context.Context, name, value string) (string, error) {
	var held string
	err := db.write(ctx, func(t *tx) error {
		if _, err := t.exec(`INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, value); err != nil {
			return err
		}
		return t.row(`SELECT value FROM setting WHERE name = $1`, name).into(&held)
	})
	return held, err
}

// Generation counts how often the ledger was restored from a backup; 1 for one that never was.
func (db *DB) Generation(ctx context.Context) (int64, error) {
	return generation(db.asker(ctx))
}

func generation(ask asker) (n int64, err error) {
	err = ask(`SELECT CAST(value AS BIGINT) FROM setting WHERE name = 'ledger_generation'`).into(&n)
	return n, err
}

// noRow reports whether a row was not there, as against a database that does not answer.
func noRow(err error) bool { return errors.Is(err, errNoRow) }
