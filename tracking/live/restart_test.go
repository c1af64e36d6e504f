// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"doorstep/tracking"
	"doorstep/tracking/live"
)

// A Redis that comes back is used again by itself, empty, and subscriptions too.
func TestRestart(t *testing.T) {
	server := startServer(t)
	r := open(t, server.URL(), live.Options{ReplyTimeout: 500 * time.Millisecond})
	var heard atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if err := r.Subscribe(ctx, func(tracking.Message) { heard.Add(1) }, "s1", "nudge"); err != nil {
		t.Fatal(err)
	}
	mustRegister(t, r)
	wantWrite(t, r, 1, tracking.Written)
	until(t, "the first publication", func() bool { return heard.Load() == 1 })
	server.Kill()
	_, writeErr := r.Write(t.Context(), one(2, "p"))
	_, readErr := r.Read(t.Context(), "s1", []string{"v1"})
	for what, err := range map[string]error{
		"write": writeErr, "read": readErr, "purge": r.Purge(t.Context(), "s1", []string{"v1"}),
		"ping": r.Ping(t.Context()), "publish": r.Publish(t.Context(), "nudge", nil),
		"subscribe": r.Subscribe(t.Context(), func(tracking.Message) {}, "nudge"),
	} {
		if !errors.Is(err, live.ErrUnavailable) {
			t.Errorf("%s without a server: got %v, want ErrUnavailable", what, err)
		}
	}
	start, cancelStart := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancelStart()
	if err := server.Restart(start); err != nil {
		t.Fatal(err)
	}
	wantWrite(t, r, 3, tracking.Missing) // nothing survived
	mustRegister(t, r)
	seq := int64(3)
	until(t, "the subscription to be back", func() bool {
		seq++
		wantWrite(t, r, seq, tracking.Written)
		return heard.Load() > 1
	})
}

// The real expiry, not the tests' shift of it.
func TestRedisExpires(t *testing.T) {
	server := startServer(t)
	r, admin := open(t, server.URL(), live.Options{}), operator(t, server.AdminURL())
	mustRegister(t, r)
	batch := one(1, "p")
	batch[0].TTL = 150 * time.Millisecond
	if got, err := r.Write(t.Context(), batch); err != nil || got[0] != tracking.Written {
		t.Fatal(got, err)
	}
	wantPosition(t, admin, true)
	until(t, "the position to expire", func() bool { return admin.DBSize(context.Background()).Val() == 0 })
	got, err := r.Read(t.Context(), "s1", []string{"v1"})
	if err != nil || len(got) != 0 {
		t.Errorf("after the lease: %d positions, %v", len(got), err)
	}
}

// Many stores at once share flushes; each caller gets its own answers.
func TestManyStoresAtOnce(t *testing.T) {
	server := startServer(t)
	r := open(t, server.URL(), live.Options{})
	done := make(chan error)
	const stores = 200
	for i := range stores {
		go func() { done <- oneStore(t.Context(), r, fmt.Sprintf("store-%d", i), i%7+1) }()
	}
	for range stores {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func oneStore(ctx context.Context, r *live.Redis, store string, visits int) error {
	var batch []tracking.LiveWrite
	for v := range visits {
		slot := tracking.Slot{Store: store, Visit: fmt.Sprint("v", v)}
		if err := r.Register(ctx, slot, "a", 0, time.Second*20); err != nil {
			return err
		}
		batch = append(batch, tracking.LiveWrite{Slot: slot, Owner: "a", Seq: 1, Payload: []byte(store), TTL: 20 * time.Second})
	}
	got, err := r.Write(ctx, batch)
	if err != nil {
		return err
	}
	for i, result := range got {
		if result != tracking.Written || len(got) != visits {
			return fmt.Errorf("%s: item %d got %d", store, i, result)
		}
	}
	there, err := r.Read(ctx, store, []string{"v0"})
	if string(there["v0"]) != store {
		return fmt.Errorf("%s holds %q, %v", store, there["v0"], err)
	}
	return nil
}

func TestClosed(t *testing.T) {
	server := startServer(t)
	r, err := live.OpenRedis(t.Context(), server.URL(), live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	mustRegister(t, r)
	if err := r.Subscribe(t.Context(), func(tracking.Message) {}, "nudge"); err != nil {
		t.Fatal(err)
	}
	m := live.NewMemory(nil)
	if err := m.Subscribe(t.Context(), func(tracking.Message) {}, "nudge"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := errors.Join(r.Close(), m.Close()); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	for _, l := range []tracking.Live{r, m} {
		_, writeErr := l.Write(t.Context(), one(1, "p"))
		_, readErr := l.Read(t.Context(), "s1", []string{"v1"})
		for what, err := range map[string]error{
			"write": writeErr, "read": readErr, "register": l.Register(t.Context(), here, "a", 0, time.Second),
			"purge": l.Purge(t.Context(), "s1", []string{"v1"}), "ping": l.Ping(t.Context()),
			"publish": l.Publish(t.Context(), "nudge", nil), "subscribe": l.Subscribe(t.Context(), func(tracking.Message) {}, "nudge"),
		} {
			if !errors.Is(err, live.ErrClosed) {
				t.Errorf("%T: %s after Close: got %v, want ErrClosed", l, what, err)
			}
		}
	}
}

// Close does not wait for a server that hangs longer than one reply.
func TestCloseWhileStopped(t *testing.T) {
	server := startServer(t)
	r, err := live.OpenRedis(t.Context(), server.URL(), live.Options{ReplyTimeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	mustRegister(t, r)
	stopped(t, server)
	answered := make(chan error, 1)
	go func() {
		_, err := r.Write(context.Background(), one(1, "p"))
		answered <- err
	}()
	closed := make(chan error, 1)
	until(t, "the write to be under way", after(50*time.Millisecond))
	go func() { closed <- r.Close() }()
	for _, c := range []chan error{closed, answered} {
		select {
		case err := <-c:
			if c == answered && err == nil {
				t.Error("the write was answered by a stopped server")
			}
		case <-time.After(15 * time.Second):
			t.Fatal("Close waits for a server that hangs")
		}
	}
}
