// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// signedRoot is what a receipt says of the whole tree at a size.
type signedRoot struct {
	size, leaf int64
	root       string
}

// keptEnd is an end as far as it says which grants can still stand.
type keptEnd struct {
	id       string
	index    int64
	at       time.Time
	readable bool
	record   Record
}

// keptDecision is a decision's row, with what its receipt says.
type keptDecision struct {
	KeptDecision
	id      string
	index   int64
	damaged bool // nothing can be said of its state
}

// examined is what one kept event came to, found by a worker that shares nothing with the others.
type examined struct {
	kept     Kept
	receipt  Receipt
	signed   bool // the receipt is genuine
	spent    bool // the receipt's key is gone, rightly
	hash     tlog.Hash
	hashed   bool // the kept record and key say what the leaf has to be
	findings []Discrepancy
}

func (a *audit) readNotices(ctx context.Context, e Evidence) error {
	listed := map[int64]bool{}
	err := e.Notices(ctx, func(n KeptNotice) error {
		a.Notices++
		listed[n.Index] = true
		a.notices[n.Hash] = true
		switch text, err := NoticeFrom(n.Body, n.Hash); {
		case n.Name == "":
			a.find("notice_lost", n.Index, "notice "+n.Hash, "its text is not kept")
		case err != nil:
			a.find("notice_changed", n.Index, "notice "+n.Hash, "its text does not have this hash")
		case n.Name != text.Name():
			a.find("notice_changed", n.Index, "notice "+n.Hash, "it is kept as %s, and its text is that of %s", n.Name, text.Name())
		}
		if n.Index < 0 || n.Index >= a.Size || !a.tree.text[n.Index].ok || a.tree.text[n.Index].kind != LeafNotice {
			a.find("notice_missing", n.Index, "notice "+n.Hash, "it is said to be leaf %d, which is no notice", n.Index)
			return nil
		}
		text, err := Leaf{Type: LeafNotice, Time: a.tree.text[n.Index].time, Notice: n.Hash}.Text()
		if err != nil || tlog.RecordHash(text) != a.tree.text[n.Index].hash {
			a.find("notice_missing", n.Index, "notice "+n.Hash, "leaf %d is about another notice", n.Index)
		}
		return nil
	})
	for i, text := range a.tree.text {
		if text.kind == LeafNotice && !listed[int64(i)] {
			a.find("notice_unlisted", int64(i), leafName(int64(i)), "no notice is listed for it")
		}
	}
	return err
}

// readPeople tells who could not be found by who they are.
func (a *audit) readPeople(ctx context.Context, e Evidence) error {
	return e.People(ctx, func(p KeptPerson) error {
		where := fmt.Sprintf("person %s (%s)", p.Row, p.Kind)
		switch {
		case p.Damaged != "":
			a.find("unreadable", -1, where, "%s", p.Damaged)
		case !p.Findable:
			a.find("person_hidden", -1, where, "its lookup is not that of whom it is sealed as")
		}
		return nil
	})
}

// readSealed tells which rows were changed that nothing in the log speaks of.
func (a *audit) readSealed(ctx context.Context, e Evidence) error {
	return e.Sealed(ctx, func(r SealedRow) error {
		switch {
		case r.Fits:
		case r.Kind == SealedStop:
			a.find("stop_changed", -1, "stop token "+r.Row, "its row is not as it was written")
		default:
			a.find("scope_changed", -1, "scope of "+r.Row, "its row is not as it was written")
		}
		return nil
	})
}

// readKept examines the kept events on all processors: a signature takes longer to check than all the rest.
func (a *audit) readKept(ctx context.Context, e Evidence) error {
	in, out := make(chan Kept, 256), make(chan examined, 256)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for k := range in {
				out <- a.examine(k)
			}
		})
	}
	read := make(chan error, 1)
	go func() {
		read <- e.Kept(ctx, func(k Kept) error { in <- k; return nil })
		close(in)
		workers.Wait()
		close(out)
	}()
	for x := range out {
		a.take(x)
	}
	slices.SortFunc(a.roots, func(x, y signedRoot) int { return int(x.size - y.size) })
	return <-read
}

// take adds up what was examined.
func (a *audit) take(x examined) {
	a.Findings = append(a.Findings, x.findings...)
	i := x.kept.Index
	if x.kept.Proof {
		a.Proofs++
		a.witnesses[i] = witness{}
		return
	}
	if x.signed {
		i = x.receipt.Log.Index // if the row says another one, that was found
	}
	if x.kept.Decided != nil {
		a.Decisions++
		if hash := x.kept.Decided.Notice; x.kept.Damaged == "" && !a.notices[hash] {
			a.notices[hash] = true // to be named once
			a.find("notice_lost", -1, "notice "+hash, "it was decided on, and is neither in the log nor kept")
		}
		a.decided = append(a.decided, keptDecision{*x.kept.Decided, x.kept.ID, i, x.kept.Damaged != ""})
	} else {
		a.Ends++
		a.ends = append(a.ends, keptEnd{x.kept.ID, i, x.kept.EndedAt, x.signed, x.receipt.Record})
	}
	if x.spent {
		a.Spent++
	}
	if x.signed {
		a.Receipts++
		a.roots = append(a.roots, signedRoot{x.receipt.Log.Size, i, x.receipt.Log.Root})
	}
	if i < 0 {
		return
	}
	if i >= a.Size {
		if !slices.Contains(a.tree.beyond, i) {
			a.find("cut", i, leafName(i), "an event that is still kept was logged there, and the log has %d leaves", a.Size)
		}
	}
	if _, twice := a.witnesses[i]; twice {
		a.find("claimed_twice", i, leafName(i), "more than one kept event says that it is this leaf")
	}
	if x.hashed {
		a.witnesses[i] = witness{x.hash, x.signed}
	} else if _, there := a.witnesses[i]; !there {
		a.witnesses[i] = witness{} // it is kept, whatever it says
	}
}

// examine holds one kept event against itself: its receipt, its record, its key, its columns.
func (a *audit) examine(k Kept) examined {
	x := examined{kept: k}
	if k.Proof {
		if k.Damaged != "" {
			x.find("proof_changed", "%s", k.Damaged)
		}
		return x
	}
	if k.Damaged != "" {
		x.find("unreadable", "%s", k.Damaged)
		if k.Index < 0 {
			return x
		}
	}
	a.examineReceipt(&x)
	if k.Decided != nil {
		x.examineDecision(a.now)
	}
	return x
}

func (x *examined) find(code, what string, args ...any) {
	s := sayings[code]
	noun := "the end"
	switch {
	case x.kept.Proof:
		noun = "the proof of what was decided"
	case x.kept.Decided != nil:
		noun = "the decision"
	}
	where := fmt.Sprintf("%s at %s", noun, leafName(x.kept.Index))
	if x.kept.Index < 0 {
		where = noun + " of which not even the leaf can be told"
	}
	x.findings = append(x.findings, Discrepancy{code, x.kept.Index, where, fmt.Sprintf(what, args...), s.means, s.do})
}

func (a *audit) examineReceipt(x *examined) {
	k := x.kept
	r, err := a.set.open(k.Receipt)
	switch {
	case errors.Is(err, errUnknownKey):
		if r.ExpiresAt != nil && a.now.After(r.ExpiresAt.Time) {
			x.spent = true
		} else {
			x.find("key_unknown", "%v", err)
		}
		return
	case err != nil:
		x.find("receipt_changed", "%v", err)
		return
	}
	if r.ID != k.RecordID && r.Log.Index != k.Index {
		x.find("receipt_changed", "it is the receipt of another event, at leaf %d", r.Log.Index)
		return
	}
	x.receipt, x.signed = r, true
	x.hash, x.hashed = tlog.RecordHash([]byte(r.Log.Leaf)), true
	if r.Log.Index != k.Index {
		x.find("record_changed", "what is kept says leaf %d, its receipt says leaf %d", k.Index, r.Log.Index)
	}
	if r.Log.Key != k.Key {
		x.find("record_changed", "the key of its leaf is not the one in its receipt")
	}
	if k.Decided == nil && !k.EndedAt.Truncate(time.Millisecond).Equal(r.Record.Event.Time) {
		x.find("column_changed", "its time is not that of its receipt")
	}
}

// examineDecision holds a decision's row against its record, and the record against its receipt.
func (x *examined) examineDecision(now time.Time) {
	d := x.kept.Decided
	if x.signed {
		text, err := json.Marshal(d.Record)
		signed, err2 := json.Marshal(x.receipt.Record)
		if err != nil || err2 != nil || !bytes.Equal(text, signed) {
			x.find("record_changed", "the record is not the one in its receipt")
			return
		}
	} else if key, err := hex.DecodeString(x.kept.Key); err == nil && len(key) == 32 {
		leaf, err := Event{Record: *d.Record, Notice: d.Notice, Key: [32]byte(key)}.Leaf()
		x.hash, x.hashed = tlog.RecordHash(leaf), err == nil
	}
	if x.kept.RecordID != d.Record.Header.RecordID {
		x.find("column_changed", "the row is of another decision than the record that is in it")
		return
	}
	if !d.Stoppable && x.signed && now.Before(x.receipt.ExpiresAt.Time) {
		x.find("stop_missing", "no stop token is known that was given with it")
	}
	for _, column := range d.disagree(*d.Record, x.receipt, x.signed) {
		x.find("column_changed", "column %s says something else than the record", column)
	}
}

// disagree names the columns that say something else than the record.
func (d KeptDecision) disagree(rec Record, r Receipt, signed bool) (columns []string) {
	p, e := rec.Processing, rec.Event
	until := time.Time{}
	if life := e.Lasts(); life > 0 {
		until = e.Time.Add(life)
	}
	allowed := map[Choice][]State{No: {RefusedState}, NotNow: {Deferred}, ThisVisit: {Given, Renewed}, ForATerm: {Given, Renewed}}[Choice(d.Choice)]
	for _, c := range []struct {
		name string
		same bool
	}{
		{"subject", d.Subject == rec.Header.Principal},
		{"installation", d.Scope.Installation == e.Entity}, {"store", d.Scope.Store == p.Store},
		{"purpose", len(p.Purpose) == 1 && p.Purpose[0] == d.Purpose}, {"notice", !signed || d.Notice == r.NoticeHash},
		{"choice", slices.Contains(allowed, State(e.State)) && (d.Said == "" || string(d.Said) == d.Choice)}, {"decided_at", d.DecidedAt.Equal(e.Time)},
		{"given_until", d.GivenUntil.Equal(until)},
		{"expires_at", d.ExpiresAt.Equal(until) || Choice(d.Choice) == ThisVisit && d.ExpiresAt.After(d.DecidedAt) && d.ExpiresAt.Before(until)},
	} {
		if !c.same {
			columns = append(columns, c.name)
		}
	}
	return columns
}

// judgeStates holds where each decision stands against the events that came after it.
func (a *audit) judgeStates() {
	ended := map[string]int{} // into a.ends
	byID := map[string]keptDecision{}
	of := map[Ref][]keptEnd{}
	for i, e := range a.ends {
		ended[e.id] = i
		if e.readable {
			of[e.record.Header.Principal] = append(of[e.record.Header.Principal], e)
		}
	}
	for _, d := range a.decided {
		byID[d.id] = d
	}
	for _, d := range a.decided {
		end, hasEnd := ended[d.EndedBy]
		by, hasNext := byID[d.EndedBy]
		wrong := ""
		switch {
		case d.damaged:
		case d.Live:
			wrong = d.livesWrongly(of[d.Subject])
		case d.EndedBy == "":
			wrong = d.restsWrongly()
		case !hasEnd && !hasNext:
			wrong = "what is said to have ended it is not kept"
		case hasEnd: // a decision that brought the end about has the same id
			wrong = d.endedWrongly(a.ends[end])
		default:
			wrong = d.replacedWrongly(by)
		}
		if wrong != "" {
			a.find("state_changed", d.index, fmt.Sprintf("the decision at %s", leafName(d.index)), "%s", wrong)
		}
	}
}

// livesWrongly says why a decision that is in force cannot be.
func (d keptDecision) livesWrongly(ends []keptEnd) string {
	switch {
	case !State(d.State).Allows():
		return fmt.Sprintf("it is in force, in the state %q", d.State)
	case d.EndedBy != "" || !d.EndedAt.IsZero():
		return "it is in force, and said to have ended"
	case !d.Current:
		return "it is in force, and stands at another epoch than its scope, or its scope is another shopper's"
	}
	for _, e := range ends {
		p := e.record.Processing
		inScope := p.Store == "" || p.Store == d.Scope.Store && e.record.Event.Entity == d.Scope.Installation
		if e.index > d.index && inScope && slices.Contains(p.Purpose, d.Purpose) {
			return fmt.Sprintf("it is in force, and leaf %d (%s) ended it", e.index, e.record.Event.State)
		}
	}
	return ""
}

// restsWrongly says why a decision that neither lives nor ended cannot be so.
func (d keptDecision) restsWrongly() string {
	want := map[Choice]State{No: RefusedState, NotNow: Deferred}[Choice(d.Choice)]
	if want == "" || State(d.State) != want || !d.EndedAt.IsZero() {
		return fmt.Sprintf("it is not in force, nothing is said to have ended it, and its state is %q", d.State)
	}
	return ""
}

func (d keptDecision) endedWrongly(e keptEnd) string {
	switch {
	case e.readable && d.State != e.record.Event.State:
		return fmt.Sprintf("its state is %q, and the end at leaf %d left it %s", d.State, e.index, e.record.Event.State)
	case !d.EndedAt.Equal(e.at):
		return fmt.Sprintf("it did not end when the end at leaf %d says", e.index)
	}
	return ""
}

func (d keptDecision) replacedWrongly(by keptDecision) string {
	over := State(d.State) == Invalidated || State(d.State) == ExpiredOver
	if !over || by.index <= d.index || by.Scope != d.Scope || by.Purpose != d.Purpose || !d.EndedAt.Truncate(time.Millisecond).Equal(by.DecidedAt) {
		return fmt.Sprintf("its state is %q, and the decision at leaf %d cannot have replaced it so", d.State, by.index)
	}
	return ""
}

// judgeRoots holds the roots that receipts vouch for against the log. The first that differs is named; what
// was found of single leaves below it explains it better.
func (a *audit) judgeRoots() {
	last := int64(0)
	for _, r := range a.roots {
		if r.size < 0 || r.size >= int64(len(a.tree.roots)) {
			continue
		}
		if root := a.tree.roots[r.size]; hex.EncodeToString(root[:]) == r.root {
			last = r.size
			continue
		}
		for i := range a.tree.damaged {
			if i < r.size {
				return
			}
		}
		a.find("root_differs", r.leaf, fmt.Sprintf("leaves %d to %d", last, r.size-1),
			"the receipt of leaf %d vouches for a tree of size %d with another root than this log had then", r.leaf, r.size)
		return
	}
}

// judgeMissing names the leaves of events that nothing is kept of, though they are not old enough for that.
func (a *audit) judgeMissing() {
	for i, text := range a.tree.text {
		at := int64(i)
		if _, kept := a.witnesses[at]; kept || !text.ok || !State(text.kind).logged() {
			continue
		}
		when, err := time.Parse(time.RFC3339, text.time)
		if err == nil && a.keys.proofDays > 0 && a.now.After(when.Add(days(a.keys.proofDays))) {
			a.Forgotten++
			continue
		}
		a.find("event_missing", at, leafName(at), "nothing is kept of this event (%s, %s)", text.kind, text.time)
	}
}

// judgeCheckpoint holds the log against a head that it signed before.
func (a *audit) judgeCheckpoint(saved SavedCheckpoint) {
	where := "checkpoint " + saved.Name
	origin := a.Origin
	if first, _, ok := strings.Cut(string(saved.Signed), "\n"); ok && origin == "" {
		origin = first
	}
	verifiers, err := a.keys.LogVerifiers(origin)
	if err != nil {
		a.find("checkpoint_bad", -1, where, "%v", err)
		return
	}
	c, err := OpenCheckpoint(saved.Signed, verifiers...)
	switch {
	case err != nil:
		a.find("checkpoint_bad", -1, where, "%v", err)
	case c.Size > a.Size:
		a.find("checkpoint_cut", -1, where, "the log had %d leaves then, and has %d now", c.Size, a.Size)
	case c.Size >= int64(len(a.tree.roots)):
		// what is lost before it was named already
	case c.Root != hex.EncodeToString(a.tree.roots[c.Size][:]):
		a.find("checkpoint_forked", -1, where, "of the first %d leaves the root was another one then", c.Size)
	default:
		a.Checkpoints++
	}
}
