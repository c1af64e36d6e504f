// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"doorstep/tracking"
)

// Figures of sending. An attempt is over long before another node could think it lost, and that before the lease is anybody else's.
const (
	roundEvery = time.Second
	leaseLife  = 10 * time.Second
	sendWithin = 5 * time.Second
	inHand     = 30 * time.Second // what was begun and never finished is sent again after this
	atOnce     = 16               // a round is over before its lease is, however slow receivers are
	attempts   = 8                // then it is a dead letter
	firstRetry = 5 * time.Second
	retryTimes = 3 // each wait is so many times the one before: 5 s, 15 s, … an hour; a day has long forgotten it
)

// Sender is one node's part in telling the outside. Only the node that holds the lease sends.
type Sender struct {
	Store  tracking.Outside
	Path   string // of the file of receivers, read again when it changes
	Holder string // the node
	Now    func() time.Time
	Log    *slog.Logger

	counts counts

	// What follows is Run's goroutine's; deliveries under way only read it.
	settings *Settings
	client   *http.Client
	modified time.Time
}

// Run sends until ctx ends.
func (s *Sender) Run(ctx context.Context) error {
	tick := time.NewTicker(roundEvery)
	defer tick.Stop()
	defer s.letGo()
	for {
		more, err := s.round(ctx)
		if err != nil && ctx.Err() == nil && !errors.Is(err, tracking.ErrNotSender) {
			s.Log.Warn("the outside is not told for now; it will be", "error", err)
		}
		if more && err == nil && ctx.Err() == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// reread takes up the file if it has changed. One that cannot be read leaves what was in force.
func (s *Sender) reread() error {
	info, err := os.Stat(s.Path)
	if err == nil && s.settings != nil && info.ModTime().Equal(s.modified) {
		return nil
	}
	var next *Settings
	if err == nil {
		next, err = ReadFile(s.Path)
	}
	if err != nil {
		if s.settings != nil {
			s.Log.Error("the receivers' file cannot be read; what was in force stays so", "error", err)
			err = nil
		}
		return err
	}
	s.letGo()
	s.settings, s.client, s.modified = next, next.client(), info.ModTime()
	return nil
}

func (s *Sender) letGo() {
	if s.client != nil {
		s.client.CloseIdleConnections()
	}
}

// round is one turn of whoever holds the lease; more says that another is due at once.
func (s *Sender) round(ctx context.Context) (more bool, err error) {
	if err := s.reread(); err != nil {
		return false, err
	}
	held, err := s.Store.HoldLease(ctx, s.Holder, leaseLife)
	if err != nil || !held {
		return false, err
	}
	if more, err = s.Store.FanOut(ctx, s.Holder, s.settings.listens, s.settings.ids()); err != nil {
		return false, err
	}
	due, err := s.Store.DueDeliveries(ctx, atOnce)
	if err != nil {
		return false, err
	}
	var g errgroup.Group
	for _, id := range due {
		g.Go(func() error { return s.deliver(ctx, id) })
	}
	return more || len(due) == atOnce, g.Wait()
}

// deliver makes one attempt, if it may still be made.
func (s *Sender) deliver(ctx context.Context, id string) error {
	d, send, err := s.Store.BeginDelivery(ctx, s.Holder, id, s.Now().Add(inHand))
	if errors.Is(err, tracking.ErrNoDelivery) || err == nil && !send {
		return nil
	}
	if err != nil {
		return err
	}
	fault := s.post(ctx, d)
	if ctx.Err() != nil {
		return nil // whether it arrived is not known; it is sent again
	}
	state, due := tracking.DeliverySent, s.Now()
	switch {
	case fault == "":
		s.counts.sent.Add(1)
	case d.Attempts >= attempts:
		state = tracking.DeliveryDead
		s.counts.failed.Add(1)
		s.counts.dead.Add(1)
	default:
		state, due = tracking.DeliveryWaits, s.Now().Add(backoff(d.Attempts, rand.Float64()))
		s.counts.failed.Add(1)
	}
	return s.Store.FinishDelivery(ctx, s.Holder, id, state, due, fault)
}

// backoff is how long to wait after so many attempts: between half of it and all of it, so that those that failed together do not come
// back together.
func backoff(attempt int, jitter float64) time.Duration {
	wait := firstRetry
	for range attempt - 1 {
		wait *= retryTimes
	}
	return wait/2 + time.Duration(float64(wait/2)*jitter)
}

// post puts a delivery on the wire, and says what went wrong in words that hold nothing of the answer.
func (s *Sender) post(ctx context.Context, d tracking.Delivery) (fault string) {
	e, there := s.settings.endpoint(d.Endpoint)
	if !there {
		return "the receiver is not in the file any more"
	}
	text, err := body(d)
	if err != nil {
		return "no body"
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.URL, bytes.NewReader(text))
	if err != nil {
		return "no request can be made of the url"
	}
	at := s.Now()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Doorstep-Webhooks/1")
	r.Header.Set("webhook-id", d.ID)
	r.Header.Set("webhook-timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("webhook-signature", sign(e.keys, d.ID, at, text))
	resp, err := s.client.Do(r)
	switch {
	case errors.Is(err, errPrivate):
		return errPrivate.Error()
	case err != nil:
		return "no answer"
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // so that the connection can be used again
	if resp.StatusCode/100 != 2 {
		return fmt.Sprintf("answered %d", resp.StatusCode)
	}
	return ""
}
