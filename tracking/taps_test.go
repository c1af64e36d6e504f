// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// tap stands between a node and a part that it depends on. A test puts a function around an
// operation; next does the real thing.
type tap struct {
	mu sync.Mutex
	on map[string]func(next func() error) error
}

func newTap() *tap { return &tap{on: make(map[string]func(func() error) error)} }

// around puts f around an operation; nil takes it away again.
func (p *tap) around(op string, f func(next func() error) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on[op] = f
}

// once puts f around the next call of an operation only.
func (p *tap) once(op string, f func(next func() error) error) {
	p.around(op, func(next func() error) error {
		p.around(op, nil)
		return f(next)
	})
}

var errTapped = errors.New("out of reach")

// errLate makes a write arrive past its deadline: nothing of it is stored, and the live state says so.
var errLate = errors.New("too late")

// fail makes an operation fail without being done.
func (p *tap) fail(op string) { p.around(op, func(func() error) error { return errTapped }) }

// block holds an operation back, before it is done, until the test calls what it returns.
func (p *tap) block(op string) (release func()) {
	gate := make(chan struct{})
	p.around(op, func(next func() error) error {
		<-gate
		return next()
	})
	return sync.OnceFunc(func() {
		p.around(op, nil)
		close(gate)
	})
}

func (p *tap) do(op string, next func() error) error {
	p.mu.Lock()
	f := p.on[op]
	p.mu.Unlock()
	if f == nil {
		return next()
	}
	return f(next)
}

// ledgerTap is the ledger with a tap on what the protocol's order is about. It logs what is durable.
type ledgerTap struct {
	tracking.Ledger
	*tap
	log    *record
	oldest atomic.Bool         // answer polls as of the beginning
	mangle func(*consent.Feed) // what becomes of an answer on its way; nil: nothing. Set before the node runs
}

func (l *ledgerTap) Poll(ctx context.Context, node string, since int64) (f consent.Feed, err error) {
	err = l.do("poll", func() (err error) { f, err = l.Ledger.Poll(ctx, node, since); return err })
	if l.oldest.Load() {
		f = consent.Feed{}
	}
	if l.mangle != nil && err == nil {
		l.mangle(&f)
	}
	return f, err
}

func (l *ledgerTap) Ack(ctx context.Context, node string, change int64) error {
	return l.do("ack", func() error { return l.Ledger.Ack(ctx, node, change) })
}

func (l *ledgerTap) Admit(ctx context.Context, s consent.Scope) (a consent.Admission, err error) {
	err = l.do("admit", func() (err error) { a, err = l.Ledger.Admit(ctx, s); return err })
	return a, err
}

func (l *ledgerTap) Enter(ctx context.Context, s consent.Entered) error {
	return l.do("enter", func() error { return l.Ledger.Enter(ctx, s) })
}

func (l *ledgerTap) End(ctx context.Context, r consent.EndRequest) (e consent.Ending, err error) {
	err = l.do("end", func() (err error) { e, err = l.Ledger.End(ctx, r); return err })
	return e, err
}

func (l *ledgerTap) Remember(ctx context.Context, change int64) error {
	err := l.do("remember", func() error { return l.Ledger.Remember(ctx, change) })
	if err == nil {
		l.log.add("mark", strconv.FormatInt(change, 10))
	}
	return err
}

func (l *ledgerTap) Due(ctx context.Context, now time.Time, limit int) (r []consent.EndRequest, err error) {
	err = l.do("due", func() (err error) { r, err = l.Ledger.Due(ctx, now, limit); return err })
	return r, err
}

func (l *ledgerTap) OpenView(ctx context.Context, v consent.View) error {
	err := l.do("view", func() error { return l.Ledger.OpenView(ctx, v) })
	if err == nil {
		l.log.add("journal", "open "+v.Alert)
	}
	return err
}

func (l *ledgerTap) CloseView(ctx context.Context, id string, at time.Time, count int64) error {
	err := l.Ledger.CloseView(ctx, id, at, count)
	if err == nil {
		l.log.add("journal", "close")
	}
	return err
}

// liveTap is the live state with a tap, and a memory of what was asked to be written.
type liveTap struct {
	tracking.Live
	*tap

	mu    sync.Mutex
	tried []tracking.LiveWrite
}

func (l *liveTap) Register(ctx context.Context, s tracking.Slot, owner string, seq int64, ttl time.Duration) error {
	return l.do("register", func() error { return l.Live.Register(ctx, s, owner, seq, ttl) })
}

func (l *liveTap) Write(ctx context.Context, batch []tracking.LiveWrite) (r []tracking.WriteResult, err error) {
	l.mu.Lock()
	for _, w := range batch {
		w.Payload = append([]byte(nil), w.Payload...)
		l.tried = append(l.tried, w)
	}
	l.mu.Unlock()
	err = l.do("write", func() (err error) { r, err = l.Live.Write(ctx, batch); return err })
	if errors.Is(err, errLate) {
		return slices.Repeat([]tracking.WriteResult{tracking.TooLate}, len(batch)), nil
	}
	return r, err
}

// writes lists what was tried to be written of a visit since the beginning.
func (l *liveTap) writes(visit string) (list []tracking.LiveWrite) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, w := range l.tried {
		if w.Slot.Visit == visit {
			list = append(list, w)
		}
	}
	return list
}

func (l *liveTap) Read(ctx context.Context, store string, visits []string) (m map[string][]byte, err error) {
	err = l.do("read", func() (err error) { m, err = l.Live.Read(ctx, store, visits); return err })
	return m, err
}

func (l *liveTap) Owners(ctx context.Context, store string, visits []string) (m map[string]string, err error) {
	err = l.do("owners", func() (err error) { m, err = l.Live.Owners(ctx, store, visits); return err })
	return m, err
}

func (l *liveTap) Purge(ctx context.Context, store string, visits []string) error {
	return l.do("purge", func() error { return l.Live.Purge(ctx, store, visits) })
}

func (l *liveTap) Publish(ctx context.Context, channel string, payload []byte) error {
	return l.do("publish", func() error { return l.Live.Publish(ctx, channel, payload) })
}

// RefuseRead remembers what was refused, besides.
func (l *ledgerTap) RefuseRead(ctx context.Context, r consent.RefusedRead) error {
	err := l.do("refuse", func() error { return l.Ledger.RefuseRead(ctx, r) })
	if err == nil {
		l.log.add("refused", r.Code)
	}
	return err
}

// refusals are the codes of all looks that were refused and journalled, in alphabetical order.
func (h *house) refusals() string {
	var codes []string
	for _, e := range h.log.all() {
		if e.who == "refused" {
			codes = append(codes, e.what)
		}
	}
	slices.Sort(codes)
	return strings.Join(codes, " ")
}
