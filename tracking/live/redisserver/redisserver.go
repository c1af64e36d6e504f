// SPDX-License-Identifier: Apache-2.0

// Package redisserver starts a redis-server as a child, for demonstrations and tests: on loopback
// only, with random passwords, and with nothing that could write a position to a disk. The child
// does not outlive its parent, however that ends.
package redisserver

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"

	"doorstep/tracking/live"
)

// ErrNoBinary says that there is no redis-server to start.
var ErrNoBinary = errors.New("redisserver: no redis-server on the PATH; install Redis 7, or use the in-memory state")

// bindTries is how often another free port is tried if somebody took the first one in between.
const bindTries = 5

// Server is a running child. Its methods are safe for concurrent use.
type Server struct {
	settings   []string
	app, admin string // passwords
	dir        string
	port       int

	mu    sync.Mutex
	child *child // guarded by mu; never nil
}

// Start starts a server and waits until it answers, or ctx ends. settings are further lines of
// configuration ("cluster-enabled yes"); they come last, so they may override what is set here.
// ErrNoBinary if none is installed.
func Start(ctx context.Context, settings ...string) (*Server, error) {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return nil, ErrNoBinary
	}
	dir, err := os.MkdirTemp("", "doorstep-redis-")
	if err != nil {
		return nil, fmt.Errorf("redisserver: make a directory: %w", err)
	}
	s := &Server{settings: settings, app: rand.Text(), admin: rand.Text(), dir: dir}
	for range bindTries {
		if s.port, err = freePort(); err != nil {
			break
		}
		if s.child, err = s.launch(ctx, binary); err == nil || !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// freePort asks the kernel for a port nobody uses now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("redisserver: find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// config is handed over on standard input, so that no password shows in the list of processes.
func (s *Server) config() []byte {
	var b bytes.Buffer
	for _, line := range append([]string{
		"bind 127.0.0.1",
		"protected-mode yes",
		fmt.Sprintf("port %d", s.port),
		"dir " + s.dir,
		"daemonize no",
		`save ""`,
		"appendonly no",
		"repl-diskless-sync yes",
		"repl-diskless-load swapdb",
		"crash-log-enabled no",
		"slowlog-log-slower-than -1",
		"maxmemory-policy noeviction",
		"user default off",
		"user " + adminUser + " on >" + s.admin + " ~* &* +@all",
		"user " + appUser + " on >" + s.app + " " + live.AppACL,
	}, s.settings...) {
		b.WriteString(line + "\n")
	}
	return b.Bytes()
}

const (
	appUser   = "doorstep"
	adminUser = "operator"
)

// Addr is host:port.
func (s *Server) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// URL is for the application's user, who may do what live.AppACL allows and nothing else.
func (s *Server) URL() string { return "redis://" + appUser + ":" + s.app + "@" + s.Addr() }

// AdminURL is for the operator's user, who may do everything: live.CheckDurability and live.Scan
// need it.
func (s *Server) AdminURL() string { return "redis://" + adminUser + ":" + s.admin + "@" + s.Addr() }

// Restart kills the process and starts another, empty, on the same port with the same passwords.
func (s *Server) Restart(ctx context.Context) error {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return ErrNoBinary
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.child.kill()
	fresh, err := s.launch(ctx, binary)
	if err != nil {
		return err
	}
	s.child = fresh
	return nil
}

// PID is the process of the server as it runs now.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child.process.Pid
}

// Kill ends the process at once, as a crash would, and waits until it is gone.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.child.kill()
}

// Done is closed when the process that runs now has ended, however that happened.
func (s *Server) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child.done
}

// Close ends the process and removes its directory. It may be called more than once.
func (s *Server) Close() error {
	s.Kill()
	return os.RemoveAll(s.dir)
}

// tail is the end of what the child printed, for error messages.
func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " / ")
}
