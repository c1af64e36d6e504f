// SPDX-License-Identifier: Apache-2.0

package client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// Withdraw stops: location is off and what waits is dropped before anything is sent; then the
// withdrawal goes by every open socket that it concerns and by POST, with one id, until one of
// them confirms that it is true everywhere, or ctx ends. A retriable failure is repeated with
// jitter. After an error the app repeats it later with the same ID, forever; after a [Problem] that is Final it keeps it,
// and tells the shopper: nothing was withdrawn, and it says something that the server cannot take (W-5).
func (c *Client) Withdraw(ctx context.Context, w Withdrawal) (Confirmation, error) {
	if err := w.check(); err != nil {
		return Confirmation{}, err
	}
	w = c.NewWithdrawal(w)
	sessions := c.halt(w)
	if c.cfg.Persist != nil {
		if err := c.cfg.Persist(w); err != nil {
			return Confirmation{}, fmt.Errorf("client: the withdrawal cannot be kept for a restart: %w", err)
		}
	}
	heard := c.expect(w.ID)
	defer c.forget(w.ID)
	for _, s := range sessions {
		_ = s.send(withdrawFrame{Type: "withdraw", ID: w.ID, Scope: w.Scope}) // POST does the same
	}
	return c.await(ctx, w, heard)
}

// NewWithdrawal fills in the ID and T that are empty, for an app that keeps the withdrawal before it sends it.
func (c *Client) NewWithdrawal(w Withdrawal) Withdrawal {
	if w.T == 0 {
		w.T = c.Now().UnixMilli()
	}
	if w.ID == "" {
		w.ID = newID(c.Now())
	}
	return w
}

func (w Withdrawal) check() error {
	switch {
	case w.Scope == "all",
		w.Scope == "store" && w.Store != "",
		w.Scope == "grant" && w.Store != "" && w.Purpose != "":
		return nil
	}
	return errors.New("client: a withdrawal is of a grant (store and purpose), a store, or all")
}

// halt turns location off in every session the withdrawal concerns, and returns those whose own
// socket means the same by the scope.
func (c *Client) halt(w Withdrawal) []*Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	var same []*Session
	for s := range c.live {
		if w.Scope != "all" && s.store != w.Store {
			continue
		}
		if w.Scope == "grant" && !slices.Contains(s.purposes, w.Purpose) {
			continue
		}
		if w.Scope == "grant" && len(s.purposes) > 1 {
			continue // its socket would take the other purposes along; the server closes or re-stamps it
		}
		s.stop(ErrStopped, false)
		same = append(same, s)
	}
	return same
}

// await races the sockets against HTTP.
func (c *Client) await(ctx context.Context, w Withdrawal, heard <-chan Confirmation) (Confirmation, error) {
	ctx, cancel := context.WithCancel(ctx)
	type result struct {
		done Confirmation
		err  error
	}
	posted := make(chan result, 1)
	go func() {
		done, err := c.post(ctx, w)
		posted <- result{done, err}
	}()
	select {
	case done := <-heard:
		cancel()
		<-posted
		return done, nil
	case r := <-posted:
		cancel()
		select {
		case done := <-heard: // the socket was faster after all
			return done, nil
		default:
			return r.done, r.err
		}
	}
}

// post repeats POST /v1/withdrawals with the same id until it is answered for good.
func (c *Client) post(ctx context.Context, w Withdrawal) (Confirmation, error) {
	for n := 0; ; n++ {
		done, err := c.postOnce(ctx, w)
		if err == nil {
			return done, nil
		}
		var p *Problem
		if errors.As(err, &p) && p.Final() {
			return Confirmation{}, err
		}
		var retryMS int64
		if p != nil {
			retryMS = p.RetryMS
		}
		select {
		case <-ctx.Done():
			return Confirmation{}, fmt.Errorf("client: the withdrawal is not confirmed yet; repeat it with the same id: %w", err)
		case <-time.After(Backoff(n, retryMS)):
		}
	}
}

// Final reports whether the same request will be answered the same for good: it is for somebody to mend. A token that is
// refused may be replaced, so that is not final.
func (p *Problem) Final() bool {
	return p.Status >= 400 && p.Status < 500 &&
		p.Status != http.StatusUnauthorized && p.Status != http.StatusRequestTimeout && p.Status != http.StatusTooManyRequests
}

// postOnce asks with the shopper's token, and with a stop token when there is none to be had, or the server takes none (W-5).
func (c *Client) postOnce(ctx context.Context, w Withdrawal) (Confirmation, error) {
	in := map[string]any{"id": w.ID, "scope": w.Scope, "t": w.T}
	if w.Scope != "all" {
		in["store"] = w.Store
	}
	if w.Scope == "grant" {
		in["purpose"] = w.Purpose
	}
	var out struct {
		ID      string
		Receipt string
		Change  int64
		Removed Removed
	}
	err := c.call(ctx, http.MethodPost, "/v1/withdrawals", proven, in, &out)
	if stop := cmp.Or(w.StopToken, c.stopToken(w)); stop != "" && tokenless(err) {
		err = c.call(ctx, http.MethodPost, "/v1/withdrawals", credentials{stop: stop}, in, &out)
	}
	if err != nil {
		return Confirmation{}, err
	}
	return Confirmation{ID: out.ID, Receipt: out.Receipt, Change: out.Change, Removed: out.Removed, By: "http"}, nil
}

// tokenless reports whether a request failed for want of a token that the server takes.
func tokenless(err error) bool {
	p, answered := errors.AsType[*Problem](err)
	return errors.Is(err, errNoToken) || answered && p.Status == http.StatusUnauthorized
}

// stopToken is one that came with a decision at the store, or any for a stop of everything.
func (c *Client) stopToken(w Withdrawal) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.stop[w.Store+" "+w.Purpose]; ok {
		return t
	}
	for _, t := range c.stop {
		return t
	}
	return ""
}

func (c *Client) expect(id string) <-chan Confirmation {
	c.mu.Lock()
	defer c.mu.Unlock()
	ch := make(chan Confirmation, 1)
	c.wait[id] = ch
	return ch
}

func (c *Client) forget(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.wait, id)
}

// confirm passes on what a socket said, once.
func (c *Client) confirm(done Confirmation) {
	c.mu.Lock()
	defer c.mu.Unlock()
	select {
	case c.wait[done.ID] <- done:
	default:
	}
}
