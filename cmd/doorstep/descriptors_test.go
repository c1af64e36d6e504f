// SPDX-License-Identifier: Apache-2.0

//go:build linux

package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"doorstep/cmd/doorstep/crowd"
	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
)

// mayHave sets how many descriptors the process may have. What it has stays open.
func (s *separate) mayHave(t *testing.T, most uint64) {
	t.Helper()
	limit := unix.Rlimit{Cur: most, Max: 1 << 10}
	if err := unix.Prlimit(s.process.Pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		t.Fatal(err)
	}
}

// A server has no descriptors left but those that it keeps for itself: who is there is served, a withdrawal is answered, and
// those who come are turned away and counted. Then it has none at all: it cannot look at the ledger's mark any more, lets go of
// everybody, and tries to accept now and then instead of all the time. When there are descriptors again, all goes on.
func TestDescriptorsRunOut(t *testing.T) {
	t.Parallel()
	d := alone(t)
	server := d.start()
	w, err := crowd.Watch(t.Context(), server.address, server.code)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	at := insideOf(t, demoIndex(t))
	comes := func() (*app, *client.Session) {
		a := d.app(server.address)
		a.decide(t, demostore.ID, "visit")
		return a, a.comeIn(t)
	}
	ben, _ := comes()
	_, s := comes()
	enter(t, s, at)
	look(t, s, w, callForHelp(t, s, w, true))
	fix := func() error {
		return s.Fix(client.Fix{T: time.Now().UnixMilli(), Lat: at.Lat, Lng: at.Lng, AccuracyM: 6, Source: "sim"})
	}
	failed := func() float64 { return server.metric(t, "doorstep_accepts_failed_total") }

	const few = 128
	server.mayHave(t, few)
	knock := func(n int) (last net.Conn) {
		t.Helper()
		for range n {
			c, err := net.Dial("tcp", strings.TrimPrefix(server.address, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			last = c
		}
		return last
	}
	knock(few)
	until(t, "somebody is turned away", func() bool { return failed() > 0 })
	if open := server.open(t); open > few-few/8 {
		t.Errorf("%d descriptors of %d are taken: too few are left over", open, few)
	}
	if c, err := ben.Withdraw(t.Context(), client.Withdrawal{Scope: "all"}); err != nil || c.Receipt == "" {
		t.Errorf("a withdrawal: %+v, %v", c, err)
	}
	dots := w.Totals().Dots
	until(t, "two dots more", func() bool {
		if err := fix(); err != nil {
			for e := range s.Events() {
				if end, ok := e.(client.Closed); ok {
					t.Fatalf("who was there was let go of: %+v", end)
				}
			}
		}
		return w.Totals().Dots > dots+1
	})

	before := failed()
	server.mayHave(t, 8)
	door := knock(1)
	until(t, "the phone is let go of", func() bool { return fix() != nil })
	_ = door.SetReadDeadline(time.Now().Add(1500 * time.Millisecond)) // longer than it waits before it tries again
	_, _ = door.Read(make([]byte, 1))
	server.mayHave(t, few*8)
	until(t, "counted", func() bool { return failed() > before })
	if n := failed() - before; n > 100 { // it waits ever longer, up to a second
		t.Errorf("tried %g times to accept one connection", n)
	}
	until(t, "it serves again", func() bool { return server.metric(t, "doorstep_serving") == 1 })
	_, late := comes()
	enter(t, late, at)
	if n := server.metric(t, "doorstep_phones_unwatched_total"); n != 0 {
		t.Errorf("%g phones were not watched for want of a descriptor, though they were let in", n)
	}
}

// open counts the descriptors of the process.
func (s *separate) open(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}
