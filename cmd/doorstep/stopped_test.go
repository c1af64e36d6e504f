// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"doorstep/cmd/doorstep/crowd"
	"doorstep/cmd/doorstep/demostore"
	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
)

// A server that has a phone and a console is stopped for 10 s; meanwhile the shopper withdraws at another one, and is
// answered. When the first goes on, with all that lay in its sockets, its console is shown nothing more of the visit.
func TestStoppedWhileTheShopperWithdraws(t *testing.T) {
	t.Parallel()
	d := together(t)
	set := settings{data: d.data, devKey: d.dev, indexes: []*geofence.Index{demoIndex(t)}}
	for _, v := range d.env {
		name, value, _ := strings.Cut(v, "=")
		switch name {
		case "DOORSTEP_DATABASE":
			set.database = value
		case "DOORSTEP_REDIS":
			set.redis = value
		}
	}
	here, there := serveWith(t, set), d.start()
	w, err := crowd.Watch(t.Context(), there.address, there.code)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)

	a := here.app(t)
	a.decide(t, demostore.ID, "visit")
	at := insideOf(t, here.indexes[0])
	s := d.sameAt(a, there.address).comeIn(t)
	enter(t, s, at)
	alert := callForHelp(t, s, w, true)
	look(t, s, w, alert)
	fix := func() {
		_ = s.Fix(client.Fix{T: time.Now().UnixMilli(), Lat: at.Lat, Lng: at.Lng, AccuracyM: 6, Source: "sim"})
	}
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for w.Totals().Dots == 0 {
		<-tick.C
		fix()
	}

	there.signal(t, syscall.SIGSTOP)
	stopped := time.Now()
	<-tick.C // what was on its way has arrived
	shown := w.Totals().Dots
	c, err := a.Withdraw(t.Context(), client.Withdrawal{Scope: "all"})
	if err != nil || c.Receipt == "" || c.Removed.Nodes != 1 {
		t.Fatalf("the confirmation is %+v, %v", c, err)
	}
	if left, err := scanOnce(t, here, s.Welcome().Session); err != nil || left != 0 {
		t.Errorf("%d keys left at the answer (%v)", left, err)
	}
	for time.Since(stopped) < 10*time.Second {
		<-tick.C
		fix() // into a socket that nobody reads
	}
	there.signal(t, syscall.SIGCONT)
	closed := false
	for e := range s.Events() {
		_, is := e.(client.Closed)
		closed = closed || is
	}
	if !closed {
		t.Error("the phone was not told")
	}
	for range 8 { // two seconds, in which the console is told that it is over, or comes back and is told what there is
		<-tick.C
	}
	if dots := w.Totals().Dots; dots != shown {
		t.Errorf("%d positions were shown after the withdrawal", dots-shown)
	}
	if left, err := scanOnce(t, here, s.Welcome().Session); err != nil || left != 0 {
		t.Errorf("%d keys left (%v)", left, err)
	}
}
