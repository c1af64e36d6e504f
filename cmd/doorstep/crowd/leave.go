// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorstep/mobile-sdk-spec/go/client"
)

// What has begun to be measured is measured to its end, whether the run is over or not: for so long.
const (
	tellWithin   = 10 * time.Second // the console, of an exit
	answerWithin = 20 * time.Second // a withdrawal
)

// gone takes the measure of an exit: what the console was told, and when, against the reports that
// brought it about; and what is left in the live state.
func (w *walker) gone(ctx context.Context, s *client.Session) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellWithin)
	defer cancel()
	if err := w.hearAll(ctx); err != nil {
		return err
	}
	w.tally.with(func(s *Summary) { s.Exits[w.reason]++ })
	if w.reason != leftStore && w.reason != phoneSays {
		return fmt.Errorf("a visit ended unasked: %s", w.reason)
	}
	if !w.called {
		w.tally.with(func(s *Summary) { s.Unseen++ })
		return nil
	}
	goneAt, err := w.watch.Until(ctx, w.alert, func(a Seen) time.Time { return a.Gone })
	if err != nil {
		return fmt.Errorf("the console was not told of an exit: %w", err)
	}
	if err := w.lookForKeys(s); err != nil {
		return err
	}
	hiddenAt, err := w.watch.Until(ctx, w.alert, func(a Seen) time.Time { return earliest(a.Hidden, a.Gone) })
	if err != nil {
		return err
	}
	return w.measure(hiddenAt, goneAt)
}

// hearAll waits until the app has been told all: an ack may come after the end that it explains. The
// reader of events is over then, and what it owned may be read.
func (w *walker) hearAll(ctx context.Context) error {
	select {
	case <-w.heard:
		return nil
	case <-ctx.Done():
		return errors.New("the app's socket was not closed after the end")
	}
}

func (w *walker) measure(hiddenAt, goneAt time.Time) error {
	x, err := w.account.exit()
	if err != nil {
		return err
	}
	w.took(x.hiding.byPhone, x.suspended.Sub(x.hiding.at), toSuspended, fixToSuspended, phoneToSuspended)
	if x.hiddenBefore(hiddenAt) {
		w.tally.with(func(s *Summary) { s.HiddenBefore++ })
	} else {
		w.took(x.hiding.byPhone, hiddenAt.Sub(x.hiding.at), toHidden, fixToHidden, phoneToHidden)
		w.tally.took(outToHidden, hiddenAt.Sub(x.first))
		if !w.crossed.IsZero() && w.crossed.Before(hiddenAt) { // an erring phone may be out before its owner
			w.tally.took(crossingToHidden, hiddenAt.Sub(w.crossed))
		}
	}
	if x.byTime {
		w.tally.with(func(s *Summary) { s.EndedByTime++ })
	} else {
		w.took(x.ending.byPhone, goneAt.Sub(x.ending.at), toGone, fixToGone, phoneToGone)
	}
	if x.inferred {
		w.tally.with(func(s *Summary) { s.Inferred++ })
	}
	return nil
}

// took notes a latency of an exit, together and by what brought it about.
func (w *walker) took(byPhone bool, d time.Duration, all, fix, phone metric) {
	w.tally.took(all, d)
	if byPhone {
		w.tally.took(phone, d)
	} else {
		w.tally.took(fix, d)
	}
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || (!b.IsZero() && b.Before(a)) {
		return b
	}
	return a
}

// withdraw changes its mind, by one of three ways, and looks at the moment of the answer whether it is
// true.
func (w *walker) withdraw(ctx context.Context, s *client.Session) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerWithin)
	defer cancel()
	if _, err := w.watch.Until(ctx, w.alert, func(a Seen) time.Time { return a.Raised }); err != nil {
		return fmt.Errorf("the console never saw the alert: %w", err)
	}
	by, way, err := w.wayOut(s)
	if err != nil {
		return err
	}
	start := time.Now()
	done, err := by.Withdraw(ctx, client.Withdrawal{Scope: "store", Store: w.Routes.Store()})
	took := time.Since(start)
	if err != nil {
		return fmt.Errorf("withdraw: %w", err)
	}
	if err := w.lookForKeys(s); err != nil {
		return err
	}
	w.tally.took(toAnswer, took)
	w.tally.took(way, took)
	if done.Receipt == "" || way != socketToAnswer && done.By != "http" {
		return fmt.Errorf("a withdrawal was answered by %q, with a receipt of %d bytes", done.By, len(done.Receipt))
	}
	goneAt, err := w.watch.Until(ctx, w.alert, func(a Seen) time.Time { return a.Gone })
	if err != nil {
		return fmt.Errorf("the console was not told of a withdrawal: %w", err)
	}
	w.tally.took(withdrawalToGone, goneAt.Sub(start))
	if w.kind != withdrawByHTTP {
		return nil
	}
	if err := w.hearAll(ctx); err != nil {
		return err
	}
	if told := w.state + " " + w.reason; told != "ended withdrawn" && w.state != "interrupted" { // doubt may have been faster
		return fmt.Errorf("the socket that was open during a withdrawal elsewhere was told: %s", told)
	}
	return nil
}

// wayOut prepares a withdrawal: by whom, and what its time counts as.
func (w *walker) wayOut(s *client.Session) (by *client.Client, way metric, err error) {
	switch w.kind {
	case withdrawByHTTP:
		by, err = w.tab()
		return by, tabToAnswer, err
	case withdrawByStop:
		s.Kill()
		w.mu.Lock()
		w.signedOut = true
		w.mu.Unlock()
		return w.app, stopToAnswer, nil
	}
	return w.app, socketToAnswer, nil
}

func (w *walker) lookForKeys(s *client.Session) error {
	left, err := w.Scanner.Left(s.Welcome().Session)
	if err != nil {
		return err
	}
	w.tally.with(func(s *Summary) { s.Scans++; s.KeysLeft += left })
	return nil
}
