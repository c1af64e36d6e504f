// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"
)

// Proofs are made with sumdb/tlog, in the store, and checked here with transparency-dev/merkle: who
// verifies does not repeat the mistakes of who proves.

// TreeHead is the log at one moment. Root is the RFC 6962 tree hash, hex; of an empty tree, the hash of nothing.
type TreeHead struct {
	Size int64  `json:"size"`
	Root string `json:"root"`
}

// Place is where an event lies in the log, and the tree right after it was appended.
type Place struct {
	Index int64
	TreeHead
}

// Proof is a leaf with the RFC 6962 audit path to the root of a tree.
type Proof struct {
	Index int64    `json:"index"`
	Leaf  string   `json:"leaf"`
	Tree  TreeHead `json:"tree"`
	Path  []string `json:"path"` // hex
}

// Verify checks that the leaf is in the tree.
func (p Proof) Verify() error {
	root, path, err := decodeHashes(p.Tree.Root, p.Path)
	if err != nil {
		return err
	}
	if p.Index < 0 || p.Index >= p.Tree.Size {
		return fmt.Errorf("leaf %d is not in a tree of size %d", p.Index, p.Tree.Size)
	}
	leaf := rfc6962.DefaultHasher.HashLeaf([]byte(p.Leaf))
	if proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(p.Index), uint64(p.Tree.Size), leaf, path, root) != nil {
		return fmt.Errorf("leaf %d is not in the tree of size %d with the root %s", p.Index, p.Tree.Size, p.Tree.Root)
	}
	return nil
}

// Consistency is an RFC 6962 consistency proof: the later tree begins with all of the earlier one.
type Consistency struct {
	From TreeHead `json:"from"`
	To   TreeHead `json:"to"`
	Path []string `json:"path"` // hex
}

// Verify checks that nothing of the earlier tree was changed, moved or taken out.
func (c Consistency) Verify() error {
	to, path, err := decodeHashes(c.To.Root, c.Path)
	if err != nil {
		return err
	}
	from, err := parseHash(c.From.Root)
	if err != nil {
		return err
	}
	if c.From.Size < 0 || c.From.Size > c.To.Size {
		return fmt.Errorf("a log of size %d cannot have grown to size %d", c.From.Size, c.To.Size)
	}
	if c.From.Size == 0 && from != emptyTree {
		return fmt.Errorf("%s is not the root of an empty log", c.From.Root)
	}
	if proof.VerifyConsistency(rfc6962.DefaultHasher, uint64(c.From.Size), uint64(c.To.Size), path, from[:], to) != nil {
		return fmt.Errorf("the log of size %d does not continue the log of size %d: it was forked or rewritten", c.To.Size, c.From.Size)
	}
	return nil
}

// emptyTree is the root of a log without leaves.
var emptyTree = tlog.Hash(rfc6962.DefaultHasher.EmptyRoot())

// decodeHashes reads a root and a path.
func decodeHashes(root string, list []string) ([]byte, [][]byte, error) {
	r, err := parseHash(root)
	if err != nil {
		return nil, nil, err
	}
	path := make([][]byte, len(list))
	for i, s := range list {
		h, err := parseHash(s)
		if err != nil {
			return nil, nil, err
		}
		path[i] = h[:]
	}
	return r[:], path, nil
}

func parseHash(s string) (tlog.Hash, error) {
	var h tlog.Hash
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != tlog.HashSize {
		return h, fmt.Errorf("%q is not a hash of the log: 64 hex digits are needed", s)
	}
	copy(h[:], b)
	return h, nil
}

// TreeHead is the size and root of the log of consent events.
func (l *Ledger) TreeHead(ctx context.Context) (TreeHead, error) { return l.store.TreeHead(ctx) }

// Proof is a leaf of the log with its inclusion proof in the tree of the given size; 0 means the newest.
func (l *Ledger) Proof(ctx context.Context, index, size int64) (Proof, error) {
	return l.store.Proof(ctx, index, size)
}

// Consistency proves that the log of size to continues that of size from; to 0 means the newest.
func (l *Ledger) Consistency(ctx context.Context, from, to int64) (Consistency, error) {
	return l.store.Consistency(ctx, from, to)
}

// LeafPage is the most leaves that one Leaves answers.
const LeafPage = 1000

// Leaves are the log's entries from one index up to, not including, another; LeafPage at most. Past the end
// there are none.
func (l *Ledger) Leaves(ctx context.Context, from, to int64) ([]string, error) {
	return l.store.Leaves(ctx, from, min(to, from+LeafPage))
}
