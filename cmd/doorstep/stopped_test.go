// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"doorstep/cmd/doorstep/crowd"
	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent/storetest"
	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking/live/redisserver"
	"doorstep/tracking/server/auth"
)

// separate is a server in a process of its own.
type separate struct {
	address, code string // of the console
	process       *os.Process
}

var consoleLink = regexp.MustCompile(`console +(http://[^/]+)/console/#code=(\S+)`)

// serveProcess starts `doorstep serve` on a database, a Redis and a data folder that others serve too.
func serveProcess(t *testing.T, data, database, redis, key string) *separate {
	t.Helper()
	src, err := demostore.Sources()
	if err != nil {
		t.Fatal(err)
	}
	maps := filepath.Join(t.TempDir(), demostore.ID)
	for _, s := range src {
		if err := errors.Join(os.MkdirAll(maps, 0o700), os.WriteFile(filepath.Join(maps, s.Name), s.Data, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(os.Args[0], "serve", "--listen", "127.0.0.1:0", "--admin-listen", "", "--data", data, "--map", maps, "--dev-key", key)
	cmd.Env = append(os.Environ(), scanChildEnv+"=1", "DOORSTEP_DATABASE="+database, "DOORSTEP_REDIS="+redis)
	cmd.Stderr = &logBook{}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := consoleLink.FindStringSubmatch(lines.Text()); m != nil {
			return &separate{address: m[1], code: m[2], process: cmd.Process}
		}
	}
	t.Fatalf("the server did not start: %s", cmd.Stderr)
	return nil
}

func (s *separate) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// A server that has a phone and a console is stopped for 10 s; meanwhile the shopper withdraws at another one, and is
// answered. When the first goes on, with all that lay in its sockets, its console is shown nothing more of the visit.
func TestStoppedWhileTheShopperWithdraws(t *testing.T) {
	t.Parallel()
	redis, err := redisserver.Start(t.Context())
	needs(t, !errors.Is(err, redisserver.ErrNoBinary), "redis-server")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	dev, err := auth.NewDevKey()
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "dev.pem")
	if err := dev.Save(key); err != nil {
		t.Fatal(err)
	}
	set := settings{data: t.TempDir(), database: storetest.PostgresURL(t), redis: redis.AdminURL(), devKey: dev}
	set.indexes = []*geofence.Index{demoIndex(t)}
	here := serveWith(t, set)
	there := serveProcess(t, set.data, set.database, set.redis, key)
	w, err := crowd.Watch(t.Context(), there.address, there.code)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)

	a := here.app(t)
	a.decide(t, demostore.ID, "visit")
	at := insideOf(t, here.indexes[0])
	phone := here.sameAt(t, a, there.address)
	s, err := phone.Connect(t.Context(), demostore.ID, []string{askPurpose})
	if err != nil {
		t.Fatal(err)
	}
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
