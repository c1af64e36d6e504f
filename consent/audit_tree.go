// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// auditTree is the log as stored, and as it has to be. For each leaf there are up to three witnesses: its
// text, its stored hash, and the signed receipt (or the kept record) of the event. What two of them say,
// or the signature, is believed, and the tree is calculated from that.
type auditTree struct {
	text     []leafText     // by index
	stored   [][]tlog.Hash  // by level and node, as stored; zero where it is missing or no hash
	believed []tlog.Hash    // by index
	damaged  map[int64]bool // leaves with a finding
	roots    []tlog.Hash    // by size, from believed; as far as that is known
	beyond   []int64        // indexes of leaves past the size
	extra    int            // stored hashes past the size
}

// leafText is what a leaf's text comes to.
type leafText struct {
	hash tlog.Hash
	kind string // its type
	time string
	ok   bool // it is there
}

// witness is what is known of a leaf from elsewhere.
type witness struct {
	hash   tlog.Hash
	signed bool // by a receipt whose signature is good
}

func (a *audit) readTree(ctx context.Context, e Evidence) error {
	t := &a.tree
	t.text, t.damaged = make([]leafText, a.Size), map[int64]bool{}
	err := e.Leaves(ctx, func(i int64, text string) error {
		if i < 0 || i >= a.Size {
			t.beyond = append(t.beyond, i)
			return nil
		}
		var l Leaf
		_ = json.Unmarshal([]byte(text), &l) // what is no leaf has no type; its hash tells
		t.text[i] = leafText{tlog.RecordHash([]byte(text)), l.Type, l.Time, true}
		return nil
	})
	if err != nil {
		return err
	}
	for n := a.Size; n > 0; n /= 2 {
		t.stored = append(t.stored, make([]tlog.Hash, n))
	}
	return e.Hashes(ctx, func(x int64, text string) error {
		if x < 0 || x >= tlog.StoredHashCount(a.Size) {
			t.extra++
			return nil
		}
		level, n := tlog.SplitStoredHashIndex(x)
		if h, err := parseHash(text); err == nil && hex.EncodeToString(h[:]) == text {
			t.stored[level][n] = h
		}
		return nil
	})
}

// judgeTree finds what is believed of each leaf, and names what says something else.
func (a *audit) judgeTree() {
	t := &a.tree
	t.believed = make([]tlog.Hash, a.Size)
	for i := range a.Size {
		t.believed[i] = a.believe(i)
	}
	a.judgeMoves()
	for i := range a.Size {
		a.judgeLeaf(i)
	}
	a.judgeNodes()
	for _, i := range t.beyond {
		a.find("leaf_beyond", i, leafName(i), "the log is said to have %d leaves", a.Size)
	}
	if t.extra > 0 && len(t.beyond) == 0 {
		a.find("hash_beyond", -1, "the tree", "%d hashes lie past the end of a log of %d leaves", t.extra, a.Size)
	}
	t.grow()
	a.Root = "unknown"
	if int64(len(t.roots)) > a.Size {
		a.Root = hex.EncodeToString(t.roots[a.Size][:])
	} else {
		a.find("log_lost", int64(len(t.roots))-1, leafName(int64(len(t.roots))-1), "neither its text nor its hash is there")
	}
}

// believe chooses among a leaf's witnesses. Where text and hash contradict each other and nothing else is
// known, the node above them decides; and where there is none yet, the hash.
func (a *audit) believe(i int64) tlog.Hash {
	t := &a.tree
	if w, ok := a.witnesses[i]; ok && (w.signed || w.hash == t.text[i].hash || w.hash == t.stored[0][i]) {
		return w.hash
	}
	text, stored := t.text[i], t.stored[0][i]
	switch {
	case !text.ok:
		return stored
	case stored == tlog.Hash{} || t.above(i, text.hash):
		return text.hash
	}
	return stored
}

// above reports whether the node above a leaf was made with this hash.
func (t *auditTree) above(i int64, h tlog.Hash) bool {
	if len(t.stored) < 2 || i/2 >= int64(len(t.stored[1])) {
		return false
	}
	left, right := h, t.stored[0][i^1]
	if i&1 == 1 {
		left, right = right, left
	}
	return t.stored[1][i/2] == tlog.NodeHash(left, right)
}

// judgeLeaf names what is wrong with one leaf, once.
func (a *audit) judgeLeaf(i int64) {
	t := &a.tree
	text, stored, good := t.text[i], t.stored[0][i], t.believed[i]
	if t.damaged[i] {
		return
	}
	switch {
	case !text.ok:
		a.find("leaf_missing", i, leafName(i), "it is not there")
	case text.hash == good && stored == good:
		return
	case text.hash == good && stored == tlog.Hash{}:
		a.find("hash_missing", i, leafName(i), "its hash is missing, or is no hash")
	case text.hash == good:
		a.find("hash_changed", i, leafName(i), "its stored hash is not the hash of its text")
	case stored == text.hash:
		a.find("leaf_rewritten", i, leafName(i), "its text and its hash agree with each other, and not with the signed receipt of the event")
	default:
		a.find("leaf_changed", i, leafName(i), "its text does not have the hash that was stored for it")
	}
	t.damaged[i] = true
}

// judgeMoves finds leaves that hold what was logged elsewhere, and names each run of them once.
func (a *audit) judgeMoves() {
	t := &a.tree
	var wrong []int64
	for i := range a.Size {
		if t.text[i].ok && t.text[i].hash != t.believed[i] {
			wrong = append(wrong, i)
		}
	}
	if len(wrong) == 0 {
		return
	}
	logged := make(map[tlog.Hash]int64, len(t.believed)+len(a.witnesses))
	for i, h := range t.believed {
		logged[h] = int64(i)
	}
	for i, w := range a.witnesses {
		if w.signed {
			logged[w.hash] = i
		}
	}
	for k := 0; k < len(wrong); {
		from, ok := logged[t.text[wrong[k]].hash]
		if !ok {
			k++
			continue
		}
		first, shift, n := wrong[k], from-wrong[k], int64(0)
		for k < len(wrong) && wrong[k] == first+n {
			if from, ok := logged[t.text[wrong[k]].hash]; !ok || from-wrong[k] != shift {
				break
			}
			t.damaged[wrong[k]] = true
			k, n = k+1, n+1
		}
		a.findMove(first, n, shift)
	}
}

func (a *audit) findMove(first, n, shift int64) {
	here, there := leafName(first), leafName(first+shift)
	if n > 1 {
		here = fmt.Sprintf("leaves %d to %d", first, first+n-1)
		there = fmt.Sprintf("leaves %d to %d", first+shift, first+shift+n-1)
	}
	a.find("leaf_moved", first, here, "here lies what was logged as %s", there)
}

// judgeNodes holds every inner node against the two below it.
func (a *audit) judgeNodes() {
	t := &a.tree
	good := t.believed
	for level := 1; level < len(t.stored); level++ {
		next := make([]tlog.Hash, len(t.stored[level]))
		for n := range next {
			below := tlog.NodeHash(good[2*n], good[2*n+1])
			stored := t.stored[level][n]
			next[n] = below
			asStored := tlog.NodeHash(t.stored[level-1][2*n], t.stored[level-1][2*n+1])
			if stored == below || stored == asStored { // or else what is wrong lies further down, and is named there
				continue
			}
			if a.lost(int64(n)<<level, int64(n+1)<<level) { // what is below is not known: it is all there is
				next[n] = stored
				continue
			}
			code, what := "hash_changed", "the hash over them is not that of the two below it"
			if stored == (tlog.Hash{}) {
				code, what = "hash_missing", "the hash over them is missing, or is no hash"
			}
			first, last := int64(n)<<level, int64(n+1)<<level-1
			a.find(code, first, fmt.Sprintf("leaves %d to %d", first, last), "%s", what)
		}
		good = next
	}
}

// lost reports whether something below a node is not known at all.
func (a *audit) lost(from, to int64) bool {
	for i := from; i < to; i++ {
		if a.tree.believed[i] == (tlog.Hash{}) {
			return true
		}
	}
	return false
}

// grow calculates the root at each size from what is believed, up to the first leaf that is lost.
func (t *auditTree) grow() {
	type subtree struct {
		hash   tlog.Hash
		leaves int64
	}
	var stack []subtree
	t.roots = append(t.roots[:0], emptyTree)
	for _, h := range t.believed {
		if h == (tlog.Hash{}) {
			return
		}
		stack = append(stack, subtree{h, 1})
		for k := len(stack) - 1; k > 0 && stack[k-1].leaves == stack[k].leaves; k-- {
			stack[k-1] = subtree{tlog.NodeHash(stack[k-1].hash, stack[k].hash), 2 * stack[k].leaves}
			stack = stack[:k]
		}
		root := stack[len(stack)-1].hash
		for k := len(stack) - 2; k >= 0; k-- {
			root = tlog.NodeHash(stack[k].hash, root)
		}
		t.roots = append(t.roots, root)
	}
}
