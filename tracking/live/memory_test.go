// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"doorstep/tracking"
	"doorstep/tracking/live"
)

// What nobody reads goes by itself, and with nothing left nothing runs.
func TestMemorySweeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := live.NewMemory(nil)
		ctx := t.Context()
		for i := range 100 {
			slot := tracking.Slot{Store: fmt.Sprint("s", i%5), Visit: fmt.Sprint("v", i)}
			if err := m.Register(ctx, slot, "a", 0, tracking.PositionLife); err != nil {
				t.Fatal(err)
			}
		}
		if err := m.Purge(ctx, "s0", []string{"v0"}); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			wait time.Duration
			want int
		}{{tracking.PositionLife - time.Second, 100}, {2*time.Second + time.Millisecond, 1}, {tracking.FenceLife, 0}} {
			<-time.After(c.wait) // the bubble's clock: no waiting
			synctest.Wait()
			if got := m.Held(); got != c.want {
				t.Errorf("after another %v: %d held, want %d", c.wait, got, c.want)
			}
		}
		if m.Sweeping() {
			t.Error("the timer runs with nothing to sweep")
		}
	})
}

// A subscriber that blocks loses messages; it does not hold up a write.
func TestMemorySlowSubscriber(t *testing.T) {
	m := live.NewMemory(nil)
	defer m.Close()
	hold, heard := make(chan struct{}), make(chan string, 10_000)
	f := func(msg tracking.Message) { <-hold; heard <- string(msg.Payload) }
	if err := m.Subscribe(t.Context(), f, "nudge"); err != nil {
		t.Fatal(err)
	}
	const sent = 5000
	for i := range sent {
		if err := m.Publish(t.Context(), "nudge", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
	}
	close(hold)
	until(t, "the queue to drain", func() bool { return len(heard) >= 1024 })
	if n := len(heard); n >= sent {
		t.Errorf("%d messages were kept for a subscriber that blocked", n)
	}
	if first := <-heard; first != "0" {
		t.Errorf("heard %s first", first)
	}
}

// What is queued for a subscriber when its context ends is not delivered any more.
func TestMemoryNothingAfterTheEnd(t *testing.T) {
	for range 20 { // each would get through half the time, if the context were not asked
		m := live.NewMemory(nil)
		ctx, cancel := context.WithCancel(t.Context())
		begun, hold, heard := make(chan struct{}, 100), make(chan struct{}), make(chan struct{}, 100)
		f := func(tracking.Message) { begun <- struct{}{}; <-hold; heard <- struct{}{} }
		if err := m.Subscribe(ctx, f, "nudge"); err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if err := m.Publish(t.Context(), "nudge", nil); err != nil {
				t.Fatal(err)
			}
		}
		<-begun
		cancel()
		close(hold)
		until(t, "the subscriber to be forgotten", func() bool { return m.Subscribers() == 0 })
		if n := len(heard); n != 1 {
			t.Fatalf("%d were delivered, want only the one under way", n)
		}
		m.Close()
	}
}

// A subscription whose context ends leaves nothing behind.
func TestMemorySubscribeEnds(t *testing.T) {
	m := live.NewMemory(nil)
	defer m.Close()
	ctx, cancel := context.WithCancel(t.Context())
	if err := m.Subscribe(ctx, func(tracking.Message) {}, "nudge"); err != nil {
		t.Fatal(err)
	}
	cancel()
	until(t, "the subscriber to be forgotten", func() bool { return m.Subscribers() == 0 })
}

func TestDecodeShown(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want []tracking.Shown
		b := []byte{1}
		for range rapid.IntRange(1, 5).Draw(t, "n") {
			s := tracking.Shown{Visit: rapid.StringN(1, 40, 128).Draw(t, "visit"), Payload: rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "payload")}
			want, b = append(want, s), append(live.AppendHead(b, s.Visit, len(s.Payload)), s.Payload...)
		}
		got, err := tracking.DecodeShown(b)
		if err != nil || len(got) != len(want) {
			t.Fatalf("got %d of %d, %v", len(got), len(want), err)
		}
		for i := range want {
			if got[i].Visit != want[i].Visit || !bytes.Equal(got[i].Payload, want[i].Payload) {
				t.Fatalf("item %d: got %+v, want %+v", i, got[i], want[i])
			}
		}
		// Cut anywhere, it is refused or has fewer, never other, positions.
		cut, err := tracking.DecodeShown(b[:rapid.IntRange(0, len(b)-1).Draw(t, "cut")])
		if err == nil && len(cut) >= len(want) || err != nil && !errors.Is(err, tracking.ErrNotShown) {
			t.Fatalf("cut short: %d positions, %v", len(cut), err)
		}
	})
	for _, hint := range []string{"", "\x01", `{"change":7}`, "\x02a", "\x01\x00\x00", "\x01\x01v\x05p", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"} {
		if got, err := tracking.DecodeShown([]byte(hint)); !errors.Is(err, tracking.ErrNotShown) {
			t.Errorf("%q: got %v, %v", hint, got, err)
		}
	}
}

func FuzzDecodeShown(f *testing.F) {
	f.Add([]byte("\x01\x01v\x02pp"))
	f.Add([]byte("\x01\x01v\x00\x02vv\x01p"))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := tracking.DecodeShown(b)
		total := 0
		for _, s := range list {
			if s.Visit == "" {
				t.Error("a position of nobody")
			}
			total += len(s.Visit) + len(s.Payload)
		}
		if total > len(b) || err == nil && len(list) == 0 {
			t.Errorf("%d bytes and %d positions out of %d bytes", total, len(list), len(b))
		}
	})
}
