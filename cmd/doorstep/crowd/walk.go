// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorstep/mobile-sdk-spec/go/client"
)

// walk reports each second and does what the visit is for: once inside, it calls for help and waits to
// be heard; then it leaves, or changes its mind.
func (w *walker) walk(ctx context.Context, s *client.Session) error {
	tick := time.NewTicker(fixPace)
	defer tick.Stop()
	for inside := 0; ; {
		state, heard := w.now()
		switch {
		case state == "ended":
			return w.gone(ctx, s)
		case state == "closed":
			return errors.New("the app's socket was closed without a last state")
		case state == "interrupted": // doubt stopped it: the server could not confirm consent for a moment
			w.tally.with(func(s *Summary) { s.Interrupted++ })
			return nil
		case state == "active" && heard && !w.kind.leaves() && inside >= withdrawAt:
			return w.withdraw(ctx, s)
		case state == "active" && !heard:
			if err := w.call(s); err != nil {
				return err
			}
		}
		if state == "active" {
			inside++
		}
		if err := w.step(s); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			w.tally.with(func(s *Summary) { s.CutOff++ })
			return nil
		case <-tick.C:
		}
	}
}

// patience is how many reports long a call for help may be without an answer.
const patience = 15

// call asks for help, again if it was told to, and counts how long there is no answer.
func (w *walker) call(s *client.Session) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.alert != "" {
		if w.waited++; w.waited > patience {
			return errors.New("a call for help was not answered")
		}
		return nil
	}
	w.alert, err = s.Help("fitting", false) // the answer has to wait for mu
	if err != nil {
		w.alert = ""
		return unlessOver("help", err)
	}
	return nil
}

// answered takes down that a call was heard, and lets the desk know, if anybody there waits for one.
func (w *walker) answered(id string) {
	w.mu.Lock()
	first := id == w.alert && !w.called
	w.called = w.called || first
	w.mu.Unlock()
	if !first {
		return
	}
	select {
	case w.fresh <- id:
	default: // the desk cannot claim everything
	}
}

// refused takes down that something could not be done now: the only one of its kind here is a call.
func (w *walker) refused(e client.FrameError) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Scope == "session" && e.Field == "id" && e.Retryable && !w.called {
		w.alert, w.waited = "", 0
	}
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
	at := time.Now()
	w.account.report(!silent, where, at)
	if !truth.Inside && w.crossed.IsZero() {
		w.crossed = at
	}
	w.mu.Unlock()
	var err error
	if silent {
		err = s.Outside(where)
	} else {
		err = s.Fix(client.Fix{T: at.UnixMilli(), Lat: fix.Lat, Lng: fix.Lng, AccuracyM: fix.AccuracyM, Basis: "p68",
			Level: level, Source: "sim"})
	}
	if err != nil {
		w.mu.Lock()
		w.account.unsaid()
		w.mu.Unlock()
		return unlessOver("report", err)
	}
	w.tally.with(func(s *Summary) {
		if silent {
			s.OutsideSaid++
		} else {
			s.FixesSent++
		}
	})
	return nil
}

// unlessOver is an error of sending, unless the session is over: why, its reader is about to say.
func unlessOver(what string, err error) error {
	if errors.Is(err, client.ErrClosed) {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
