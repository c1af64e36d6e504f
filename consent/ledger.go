// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"sync/atomic"
	"time"
)

// Ledger applies the rules of consent and leaves what must be durable to its Store. It holds no
// state of its own but its keys and the name of its log, each replaced whole, so all its methods are safe for concurrent use.
type Ledger struct {
	store  Store
	keys   atomic.Pointer[Keys]
	origin atomic.Pointer[string] // the log's name, once it was asked for
	loaded *Registry              // as it came
	// enforced is that with all notices that were ever in force; replaced whole when one is published
	enforced atomic.Pointer[ruleset]
	now      func() time.Time
	tallies  tallies
}

// New makes a ledger over a store. now is the server's clock, which rules.
func New(store Store, keys Keys, reg *Registry, now func() time.Time) *Ledger {
	l := &Ledger{store: store, loaded: reg, now: now}
	l.keys.Store(&keys)
	l.enforced.Store(&ruleset{reg, 0})
	return l
}

// Keys are the ledger's keys as they are now, for Refs and for the public key set. Ask again rather than
// keep them: they rotate.
func (l *Ledger) Keys() Keys { return *l.keys.Load() }

// UseKeys takes up keys that were rotated. Those of another ledger are refused (ErrKeys).
func (l *Ledger) UseKeys(k Keys) error {
	if k.Fingerprint() != l.Keys().Fingerprint() {
		return ErrKeys
	}
	l.keys.Store(&k)
	return nil
}

// Bind ties the store to the keys the first time, and refuses other keys ever after (ErrKeys): under
// others, every stop would look for scopes that are not there, and find nothing to end. The notices
// that are in force are kept and put into the log; one that was edited is refused (ErrNoticeEdited). The
// log gets its name, if it has none yet.
func (l *Ledger) Bind(ctx context.Context) error {
	held, err := l.store.Claim(ctx, KeysSetting, l.Keys().Fingerprint())
	if err != nil {
		return err
	}
	if held != l.Keys().Fingerprint() {
		return ErrKeys
	}
	if _, err := l.Origin(ctx); err != nil {
		return err
	}
	return l.bindNotices(ctx)
}

// Admit reads a scope in one snapshot. A grant that allows nothing any more is left out: its purpose is no
// longer declared, or the data have readers now whom its notice did not name.
func (l *Ledger) Admit(ctx context.Context, s Scope) (Admission, error) {
	a, err := l.store.Admit(ctx, s, l.now())
	if err != nil {
		return Admission{}, err
	}
	a.Grants = l.Registry().allowed(a.Grants)
	a.Visit = l.Keys().Visit(s, a.Epoch)
	return a, nil
}

// Due lists the ends that expiries need.
func (l *Ledger) Due(ctx context.Context, now time.Time, limit int) ([]EndRequest, error) {
	return l.store.Due(ctx, now, limit)
}

// Enter is the beginning of a visit: it is kept, for an incident's sake, that there was one; and a visit-only grant
// that an earlier session's end had left ten minutes to live gets back the life it was given.
func (l *Ledger) Enter(ctx context.Context, s Entered) error {
	s.From = l.now()
	return l.store.Enter(ctx, s)
}

// EveryPurpose, as one that somebody is on duty for, is all there are.
const EveryPurpose = ""

// SetDuty records that node has somebody signed in for these purposes of a store until the given time; zero takes it back.
func (l *Ledger) SetDuty(ctx context.Context, node, store string, purposes []string, until time.Time) error {
	return l.store.SetDuty(ctx, node, store, purposes, until, l.now())
}

// Join enters the node into the node table.
func (l *Ledger) Join(ctx context.Context, node string) error { return l.store.Join(ctx, node) }

// Poll marks the node's row and returns the feed after since. ErrNotListed and ErrBehind mean: close
// everything and start anew.
func (l *Ledger) Poll(ctx context.Context, node string, since int64) (Feed, error) {
	return l.store.Poll(ctx, node, since)
}

// Ack records that node has applied everything up to change.
func (l *Ledger) Ack(ctx context.Context, node string, change int64) error {
	return l.store.Ack(ctx, node, change)
}

// Acked returns what each of the nodes still listed has acknowledged.
func (l *Ledger) Acked(ctx context.Context, nodes []string) (map[string]int64, error) {
	return l.store.Acked(ctx, nodes)
}

// Leave takes the node out of the table.
func (l *Ledger) Leave(ctx context.Context, node string) error { return l.store.Leave(ctx, node) }

// LogNotices puts notices into the log by their hashes, each once (brief, 13). Call it before the first of
// them is served; repeating it changes nothing.
func (l *Ledger) LogNotices(ctx context.Context, hashes ...string) error {
	return l.store.LogNotices(ctx, hashes, l.now())
}

// Prune forgets what has outlived its time. Call it every minute or so. What proves consent is kept for the longest that any
// registry has promised under these keys: a shorter one does not take back what receipts say.
func (l *Ledger) Prune(ctx context.Context) error {
	return l.store.Prune(ctx, l.now(), days(max(l.Registry().ProofDays, l.Keys().proofDays)))
}
