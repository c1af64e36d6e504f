// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent/storetest"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/mobile-sdk-spec/witness"
	"doorstep/tracking/live/redisserver"
	"doorstep/tracking/server/auth"
)

// separate is a server in a process of its own.
type separate struct {
	address, metrics string
	code, another    string // one-time codes of the console
	process          *os.Process
	said             *logBook
	wait             func() error // until it is gone
}

// deployment is what the servers of one retailer share: a data folder, a key for trying, a map, and whatever env names.
type deployment struct {
	*testing.T
	dev             *auth.DevKey
	data, key, maps string
	env             []string
}

// alone is a deployment of one server, with SQLite and a Redis of its own; together one with PostgreSQL and a Redis
// for several.
func alone(t *testing.T) *deployment { return deploy(t, t.TempDir(), nil) }

func together(t *testing.T, env ...string) *deployment {
	t.Helper()
	redis, err := redisserver.Start(t.Context())
	needs(t, !errors.Is(err, redisserver.ErrNoBinary), "redis-server")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = redis.Close() })
	return deploy(t, t.TempDir(), append([]string{"DOORSTEP_DATABASE=" + storetest.PostgresURL(t), "DOORSTEP_REDIS=" + redis.AdminURL()}, env...))
}

func deploy(t *testing.T, data string, env []string) *deployment {
	t.Helper()
	d := &deployment{T: t, data: data, env: env, key: filepath.Join(t.TempDir(), "dev.pem"), maps: filepath.Join(t.TempDir(), demostore.ID)}
	var err error
	if d.dev, err = auth.NewDevKey(); err == nil {
		err = d.dev.Save(d.key)
	}
	src, err2 := demostore.Sources()
	if err = errors.Join(err, err2, os.MkdirAll(d.maps, 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, s := range src {
		if err := os.WriteFile(filepath.Join(d.maps, s.Name), s.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

var (
	consoleLink = regexp.MustCompile(`console +(http://[^/]+)/console/#code=(\S+)`)
	bothLink    = regexp.MustCompile(`both +http://\S+&staff=(\S+)`)
)

// start starts `doorstep serve`; more arguments come after those that all have.
func (d *deployment) start(args ...string) *separate {
	d.Helper()
	s, err := d.tryStart(args...)
	if err != nil {
		d.Fatalf("the server did not start: %v: %s", err, s.said)
	}
	return s
}

// tryStart is start for a server that may refuse.
func (d *deployment) tryStart(args ...string) (*separate, error) {
	d.Helper()
	admin := freeAddress(d.T)
	cmd := exec.Command(os.Args[0], append([]string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", admin, "--data", d.data, "--map", d.maps, "--dev-key", d.key}, args...)...)
	cmd.Env = append(append(os.Environ(), scanChildEnv+"=1"), d.env...)
	s := &separate{metrics: "http://" + admin + "/metrics", said: &logBook{}}
	cmd.Stderr = s.said
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		d.Fatal(err)
	}
	s.process, s.wait = cmd.Process, sync.OnceValue(cmd.Wait)
	d.Cleanup(func() { _ = cmd.Process.Kill(); _ = s.wait() })
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if m := consoleLink.FindStringSubmatch(lines.Text()); m != nil {
			s.address, s.code = m[1], m[2]
		} else if m := bothLink.FindStringSubmatch(lines.Text()); m != nil {
			s.another = m[1]
			return s, nil
		}
	}
	if err := s.wait(); err != nil {
		return s, err
	}
	return s, errors.New("it ended")
}

// witnessed is an address by which all that servers at another one send is held against the specification: where they are
// processes of their own, nothing else can stand between. Who cannot be reached by it cannot be reached through it.
func (d *deployment) witnessed(address string) string {
	d.Helper()
	at, err := url.Parse(address)
	if err != nil {
		d.Fatal(err)
	}
	front := httptest.NewUnstartedServer(witness.Before(d.T, &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(at); r.Out.Host = r.In.Host },
		Transport:    &http.Transport{DisableKeepAlives: true}, // a balancer behind it spreads connections
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
		ErrorLog:     log.New(io.Discard, "", 0),
	}))
	front.Config.ErrorLog = log.New(io.Discard, "", 0)
	front.Start()
	d.Cleanup(func() { front.CloseClientConnections(); front.Close() })
	return front.URL
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *separate) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// kill ends the process at once, and waits until it is gone.
func (s *separate) kill(t *testing.T) {
	t.Helper()
	s.signal(t, syscall.SIGKILL)
	_ = s.wait()
}

// app is a phone of somebody new, by whatever server is at an address.
func (d *deployment) app(address string) *app {
	d.Helper()
	key, err := client.NewKey()
	if err != nil {
		d.Fatal(err)
	}
	a := &app{sub: "shopper-" + uuid.NewString(), key: key}
	return d.sameAt(a, address)
}

// sameAt is the same phone by another server.
func (d *deployment) sameAt(a *app, address string) *app {
	d.Helper()
	other := &app{sub: a.sub, key: a.key}
	var err error
	other.Client, err = client.New(client.Config{BaseURL: address, Installation: a.key, Token: func(context.Context) (string, error) {
		return d.dev.MintShopper(a.sub, "doorstep-test", "adult", 15*time.Minute)
	}})
	if err != nil {
		d.Fatal(err)
	}
	return other
}

// refusedGrant reports whether a session was refused because nothing is granted.
func refusedGrant(err error) bool {
	var p *client.Problem
	return errors.As(err, &p) && strings.Contains(p.Code, "grant")
}

// comeIn opens a session once the console that was opened a moment ago counts as being on duty.
func (a *app) comeIn(t *testing.T) *client.Session {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := a.Connect(ctx, demostore.ID, []string{askPurpose})
		if err == nil {
			return s
		}
		if p, ok := errors.AsType[*client.Problem](err); !ok || p.Code != "nobody_on_duty" {
			t.Fatal(err)
		}
		<-tick.C
	}
}
