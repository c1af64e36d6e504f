// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"doorstep/consent"
)

// appendLeaf puts an event into the log, in the transaction that makes it true.
func (t *tx) appendLeaf(e consent.Event) (consent.Place, error) {
	if err := t.lock(); err != nil {
		return consent.Place{}, err
	}
	text, err := e.Leaf()
	if err != nil {
		return consent.Place{}, err
	}
	index, read := t.size, hashReader(t.row)
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

// hashReader reads the tree's stored hashes, of which a head or a proof needs a few dozen at most.
func hashReader(query func(string, ...any) row) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(indexes))
		for i, x := range indexes {
			var text string
			if err := query(`SELECT hash FROM loghash WHERE idx = $1`, x).into(&text); err != nil {
				return nil, err
			}
			if n, err := hex.Decode(out[i][:], []byte(text)); err != nil || n != tlog.HashSize {
				return nil, fmt.Errorf("stored hash %d is damaged", x)
			}
		}
		return out, nil
	})
}

func treeHead(size int64, r tlog.HashReader) (consent.TreeHead, error) {
	root, err := tlog.TreeHash(size, r)
	if err != nil {
		return consent.TreeHead{}, fmt.Errorf("sqlstore: log: %w", err)
	}
	return consent.TreeHead{Size: size, Root: hex.EncodeToString(root[:])}, nil
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
	return hashReader(func(query string, args ...any) row { return db.row(ctx, query, args...) })
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
	for _, h := range path {
		p.Path = append(p.Path, hex.EncodeToString(h[:]))
	}
	return p, nil
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
	var n int64
	err := db.row(ctx, `SELECT CAST(value AS BIGINT) FROM setting WHERE name = 'ledger_generation'`).into(&n)
	return n, err
}

// noRow reports whether a row was not there, as against a database that does not answer.
func noRow(err error) bool { return errors.Is(err, errNoRow) }
