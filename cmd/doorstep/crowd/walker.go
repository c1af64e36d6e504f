// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"

	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/mobile-sdk-spec/go/sim"
)

// ending is how a walker's visit is to end.
type ending int

const (
	byExit ending = iota
	byWithdrawal
)

// walker is one shopper of the demonstration, for one visit: asked, decided, inside, served, and
// gone. It sees only what an app sees, and the console that looks on.
type walker struct {
	*Crowd
	end   ending
	route *sim.Walker
	obeys bool // the fence that the phone holds; a phone that does not leaves all to the server

	mu        sync.Mutex // owns the rest: the reader of events and the walk share it
	state     string
	reason    string
	lastSent  time.Time
	crossed   time.Time // when the first fix was sent from truly outside
	sent      []bool    // by sequence number, from 1: a fix, or only "outside"
	prevSeq   int64
	suspended time.Time // when the app was told, and by which fix
	hideFix   time.Time
	ended     time.Time
	endFix    time.Time
	changed   chan struct{}
}

const purpose = "assist"

// visit is the whole of it. Its errors are the walker's own; the run goes on.
func (w *walker) visit(ctx context.Context) error {
	w.changed = make(chan struct{})
	c, err := w.client()
	if err != nil {
		return err
	}
	if err := Patiently(ctx, func() error { return w.decide(ctx, c) }); err != nil {
		return err
	}
	if err := w.arrive(); err != nil {
		return err
	}
	var s *client.Session
	err = Patiently(ctx, func() (err error) {
		s, err = c.ConnectWith(ctx, w.Routes.fence.Store, w.Routes.fence.Version, []string{purpose})
		return err
	})
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	w.tally.with(func(t *tally) { t.sessions++ })
	var reading sync.WaitGroup
	reading.Go(func() { w.read(s) })
	defer reading.Wait()
	defer s.Kill()
	return w.walk(ctx, c, s)
}

// Patiently does what an app does when it is told to come back in a moment: it waits and tries again,
// a few times.
func Patiently(ctx context.Context, try func() error) error {
	for left := 5; ; left-- {
		err := try()
		var p *client.Problem
		var closed *client.CloseError
		again := errors.As(err, &p) && (p.Status == 503 || p.Status == 429) || errors.As(err, &closed) && closed.Retry
		if !again || left == 0 || !pause(ctx, time.Second) {
			return err
		}
	}
}

func (w *walker) client() (*client.Client, error) {
	phone, err := client.NewKey()
	if err != nil {
		return nil, err
	}
	sub := uuid.NewString()
	return client.New(client.Config{BaseURL: w.URL, Installation: phone,
		Token: func(context.Context) (string, error) { return w.Mint(sub) }})
}

// decide asks for what to show and presses "This visit".
func (w *walker) decide(ctx context.Context, c *client.Client) error {
	p, err := c.Prompt(ctx, client.PromptRequest{Store: w.Routes.fence.Store, Purpose: purpose, Lang: "en"})
	if err != nil {
		return fmt.Errorf("prompt: %w", err)
	}
	d, err := c.Decide(ctx, w.Routes.fence.Store, p, client.Answer{Choice: "visit", Control: "button"})
	if err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	if d.State != "given" || d.Receipt == "" {
		return fmt.Errorf("decide: state %q", d.State)
	}
	return nil
}

// walk sends a fix each second and does what the visit is for: once inside, it calls for help and
// waits to be seen at the console; then it leaves, or changes its mind.
func (w *walker) walk(ctx context.Context, c *client.Client, s *client.Session) error {
	tick := time.NewTicker(fixPace)
	defer tick.Stop()
	alert, sentInside := "", 0
	for {
		state := w.now()
		switch {
		case state == "ended" || state == "closed":
			return w.gone(ctx, s, alert)
		case state == "interrupted": // doubt stopped it: the server could not confirm consent for a moment
			w.tally.with(func(t *tally) { t.interrupted++ })
			return nil
		case state == "active" && alert == "":
			var err error
			if alert, err = s.Help("fitting", false); err != nil {
				return fmt.Errorf("help: %w", err)
			}
			select {
			case w.fresh <- alert:
			default: // the desk cannot claim everything
			}
		case state == "active" && w.end == byWithdrawal && sentInside >= withdrawAt:
			return w.withdraw(ctx, c, s, alert)
		}
		if state == "active" {
			sentInside++
		}
		if err := w.step(s); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// arrive walks up to the store without a word: until the phone's own fence says that it is inside,
// the radio is silent. The way there takes no time here.
func (w *walker) arrive() error {
	for {
		fix, _, ok := w.route.Next()
		if !ok {
			return errors.New("the route never came inside")
		}
		if w.Routes.fence.Inside(fix.Lat, fix.Lng, levelOf(fix)) {
			return nil
		}
	}
}

func levelOf(f sim.Fix) *int {
	if !f.HasLevel {
		return nil
	}
	return &f.Level
}

// step sends what the phone has to say this second: a fix, or, from a phone that holds the fence and
// knows itself outside, only that it is.
func (w *walker) step(s *client.Session) error {
	fix, truth, ok := w.route.Next()
	if !ok {
		return errors.New("the route ended before the visit did")
	}
	level := levelOf(fix)
	where := w.Routes.fence.Where(fix.Lat, fix.Lng, fix.AccuracyM, level)
	silent := w.obeys && where != "inside"
	w.mu.Lock()
	w.sent = append(w.sent, !silent)
	w.lastSent = time.Now()
	if !truth.Inside && w.crossed.IsZero() {
		w.crossed = w.lastSent
	}
	w.mu.Unlock()
	var err error
	if silent {
		err = s.Outside(where)
	} else {
		err = s.Fix(client.Fix{T: time.Now().UnixMilli(), Lat: fix.Lat, Lng: fix.Lng, AccuracyM: fix.AccuracyM, Basis: "p68",
			Level: level, Source: "sim"})
	}
	if err != nil && !w.over() {
		return fmt.Errorf("report: %w", err)
	}
	w.tally.with(func(t *tally) {
		if silent {
			t.silent++
		} else {
			t.sent++
		}
	})
	return nil
}

// over reports whether the session is known to be so.
func (w *walker) over() bool {
	switch w.now() {
	case "ended", "closed", "interrupted":
		return true
	}
	return false
}

func (w *walker) now() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

// read notes what the app is told. An ack never spans a change of outcome: from its numbers every
// fix's fate is known.
func (w *walker) read(s *client.Session) {
	for e := range s.Events() {
		at := time.Now()
		switch e := e.(type) {
		case client.Ack:
			w.acked(e)
		case client.State:
			w.told(e.State, e.Reason, at)
		case client.Closed:
			state := "closed"
			if e.Retry && !e.Local {
				state = "interrupted"
			}
			w.told(state, fmt.Sprintf("closed with %d %s", e.Code, e.Reason), at)
		}
	}
}

func (w *walker) acked(a client.Ack) {
	w.mu.Lock()
	span := 0
	for _, fix := range w.sent[min(int(w.prevSeq), len(w.sent)):min(int(a.Seq), len(w.sent))] {
		if fix {
			span++
		}
	}
	w.prevSeq = max(w.prevSeq, a.Seq)
	w.mu.Unlock()
	refused := 0
	for _, n := range a.Refused {
		refused += n
	}
	w.tally.with(func(t *tally) {
		switch {
		case a.AcceptedSeq == a.Seq:
			t.accepted += span
		case refused > 0:
			t.counted += span - refused
		default:
			t.counted += span
		}
		for code, n := range a.Refused {
			t.refused[code] += n
		}
	})
}

func (w *walker) told(state, reason string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == "ended" {
		return // what follows an end is its close
	}
	w.state = state
	switch state {
	case "suspended":
		w.suspended, w.hideFix = at, w.lastSent
	case "active":
		w.suspended = time.Time{}
	case "ended", "closed":
		w.ended, w.endFix, w.reason = at, w.lastSent, reason
	}
}

// gone takes the measure of an exit: what the console was told, and when, against the fix that
// brought it about; and what is left in the live state.
func (w *walker) gone(ctx context.Context, s *client.Session, alert string) error {
	w.mu.Lock()
	suspended, hideFix, crossed, ended, endFix, reason := w.suspended, w.hideFix, w.crossed, w.ended, w.endFix, w.reason
	w.mu.Unlock()
	w.tally.with(func(t *tally) { t.exits[reason]++ })
	if alert == "" || reason == "withdrawn" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	goneAt, err := w.watch.Until(ctx, alert, func(a Seen) time.Time { return a.Gone })
	if err != nil {
		return fmt.Errorf("the console was not told of an exit: %w", err)
	}
	hiddenAt, err := w.watch.Until(ctx, alert, func(a Seen) time.Time { return earliest(a.Hidden, a.Gone) })
	if err != nil {
		return err
	}
	if !suspended.IsZero() {
		w.tally.took(suspendedMS, suspended.Sub(hideFix))
		w.tally.took(hiddenMS, hiddenAt.Sub(hideFix))
	}
	if !crossed.IsZero() {
		w.tally.took(crossingMS, hiddenAt.Sub(crossed))
	}
	if !suspended.IsZero() && ended.Sub(suspended) > time.Duration(w.Rules.SuspendMS)*time.Millisecond-fixPace {
		w.tally.with(func(t *tally) { t.timed++ }) // no fix confirmed it: time did
	} else {
		w.tally.took(exitGoneMS, goneAt.Sub(endFix))
	}
	return w.lookForKeys(s)
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// withdraw changes its mind, and looks at the moment of the answer whether it is true.
func (w *walker) withdraw(ctx context.Context, c *client.Client, s *client.Session, alert string) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if _, err := w.watch.Until(ctx, alert, func(a Seen) time.Time { return a.Raised }); err != nil {
		return fmt.Errorf("the console never saw the alert: %w", err)
	}
	start := time.Now()
	if _, err := c.Withdraw(ctx, client.Withdrawal{Scope: "store", Store: w.Routes.fence.Store}); err != nil {
		return fmt.Errorf("withdraw: %w", err)
	}
	w.tally.took(answeredMS, time.Since(start))
	if err := w.lookForKeys(s); err != nil {
		return err
	}
	goneAt, err := w.watch.Until(ctx, alert, func(a Seen) time.Time { return a.Gone })
	if err != nil {
		return fmt.Errorf("the console was not told of a withdrawal: %w", err)
	}
	w.tally.took(withdrawGone, goneAt.Sub(start))
	return nil
}

func (w *walker) lookForKeys(s *client.Session) error {
	left, err := w.Scanner.Left(s.Welcome().Session)
	if err != nil {
		return err
	}
	w.tally.with(func(t *tally) { t.scans++; t.keysLeft += left })
	return nil
}
