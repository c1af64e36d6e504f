// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"doorstep/cmd/doorstep/crowd"
	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/consent/storetest"
	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/witness"
	"doorstep/tracking/canary"
	"doorstep/tracking/server"
	"doorstep/tracking/server/auth"
)

// TestMain lets the test binary act as the program: in scripts, and as the process that scans.
func TestMain(m *testing.M) {
	if os.Getenv(scanChildEnv) != "" {
		main()
	}
	testscript.Main(storetest.Main{M: checked{m}}, map[string]func(){"doorstep": main})
}

// checked fails the run if a goroutine is left behind.
type checked struct{ m *testing.M }

func (c checked) Run() int {
	status := c.m.Run()
	if status == 0 {
		if err := goleak.Find(goleak.IgnoreTopFunction("net/http.(*persistConn).writeLoop"),
			goleak.IgnoreTopFunction("net/http.(*persistConn).readLoop"),
			goleak.IgnoreAnyFunction("internal/poll.runtime_pollWait")); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			return 1
		}
	}
	return status
}

// needs fails in CI and skips elsewhere when a part is missing on the machine.
func needs(t *testing.T, ok bool, part string) {
	t.Helper()
	if ok {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing; in CI nothing may be", part)
	}
	t.Skipf("%s is missing on this machine: this test was not run", part)
}

// dataFolder is where the real malls, walks and oracles are.
func dataFolder(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("DOORSTEP_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	_, err := os.Stat(filepath.Join(dir, "README.md"))
	needs(t, err == nil, "the data folder (DOORSTEP_DATA)")
	return dir
}

// logBook is a log that tests can read: everything a server says, at every level.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logBook) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// running is a whole server in a test, on a free port, with its log and its folder.
type running struct {
	*stack
	logs *logBook
	said *canary.Aviary
	dir  string
	stop func()
}

// serveStores starts a server for the given stores; the demonstration's own if there are none.
func serveStores(t *testing.T, indexes ...*geofence.Index) *running {
	t.Helper()
	if len(indexes) == 0 {
		indexes = append(indexes, demoIndex(t))
	}
	return serveIn(t, t.TempDir(), indexes...)
}

// serveIn is serveStores on a data folder that may have been served before.
func serveIn(t *testing.T, dir string, indexes ...*geofence.Index) *running {
	t.Helper()
	dev, err := auth.NewDevKey()
	if err != nil {
		t.Fatal(err)
	}
	return serveWith(t, settings{data: dir, indexes: indexes, devKey: dev})
}

// serveWith starts a server with settings of which those that all tests share are filled in.
func serveWith(t *testing.T, set settings) *running {
	t.Helper()
	r := &running{logs: &logBook{}, said: canary.New(t), dir: set.data}
	set.listen, set.issuers, set.cards, set.ahead = "127.0.0.1:0", []auth.Issuer{set.devKey.Issuer()}, demostore.Cards, new(atomic.Int64)
	if set.registry == nil {
		set.registry = consent.DevelopmentRegistry()
	}
	set.log = slog.New(slog.NewTextHandler(r.logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	if r.stack, err = assemble(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	r.around = func(h http.Handler) http.Handler { return witness.Before(t, h) }
	needs(t, r.redis != nil || set.redis != "", "redis-server")
	redis := tapRedis(t, r.scanURL)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("the server ended with: %v", err)
		}
		r.said.Keep(canary.Logs, []byte(r.logs.String()))
		r.said.Keep(canary.Metrics, metricsOf(r.server))
		r.said.Keep(canary.Live, []byte(strings.Join(redis.heard(""), "\n")))
		if err := r.Close(); err != nil {
			t.Errorf("closing the server: %v", err)
		}
	})
	t.Cleanup(r.stop)
	select {
	case <-r.node.Started():
	case <-time.After(20 * time.Second):
		t.Fatal("the node has not heard from the ledger")
	}
	return r
}

func metricsOf(s *server.Server) []byte {
	w := httptest.NewRecorder()
	s.Metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return w.Body.Bytes()
}

func demoIndex(t *testing.T) *geofence.Index {
	t.Helper()
	site, err := demostore.Load()
	if err != nil {
		t.Fatal(err)
	}
	x, err := geofence.NewIndex(site)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func mallIndex(t *testing.T) *geofence.Index {
	t.Helper()
	x, _, err := loadIndex(filepath.Join(dataFolder(t), "malls", "hz-xixi-intime"))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// console opens a watching console for a store; it is on duty until the test ends.
func (r *running) console(t *testing.T, store string) *crowd.Watcher {
	t.Helper()
	code, err := r.server.StaffCode(auth.Staff{Shift: "shift-" + t.Name(), Tag: "Desk", Role: auth.RoleFloor, Store: store,
		Teams: []string{"Shoes"}, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	w, err := crowd.Watch(t.Context(), r.address(), code)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// command runs the program in this process.
func command(t *testing.T, in string, args ...string) (out, errs string, status int) {
	t.Helper()
	var o, e strings.Builder
	status = run(t.Context(), args, streams{strings.NewReader(in), &o, &e})
	return o.String(), e.String(), status
}
