// SPDX-License-Identifier: Apache-2.0

//go:build unix

// Package postgresserver starts a PostgreSQL server as a child, for tests and measurements: reached by a Unix socket only, with a
// random password, and as durable as a real one, so that it may be killed. Its databases are copies of one,
// which take a few milliseconds each.
package postgresserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// ErrNoBinary says that there is no PostgreSQL to start.
var ErrNoBinary = errors.New("postgresserver: no PostgreSQL on this machine; install Debian's package postgresql, or put initdb and postgres on the PATH")

const owner = "doorstep"

// Server is a running child. Its methods are safe for concurrent use.
type Server struct {
	bin      string // where the programs are
	dir      string
	password string
	settings []string
	owner    *syscall.Credential // whose process it is; nil for this one's user

	mu    sync.Mutex
	child *child // guarded by mu; never nil
}

// Start makes a cluster of databases in a directory of its own and starts a server on it, and waits until it
// answers or ctx ends. settings are further ones ("fsync=off"), which override what is set here. ErrNoBinary if
// none is installed.
func Start(ctx context.Context, settings ...string) (*Server, error) {
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "doorstep-pg-")
	if err != nil {
		return nil, fmt.Errorf("postgresserver: make a directory: %w", err)
	}
	s := &Server{bin: bin, dir: dir, password: rand.Text(), settings: settings}
	if err = s.initialize(ctx); err == nil {
		s.child, err = s.launch(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// offPath is where distributions keep the programs of a server, which they leave off the PATH.
var offPath = []string{"/usr/lib/postgresql/*/bin/initdb", "/usr/pgsql-*/bin/initdb"}

// programs finds the newest that is installed.
func programs() (string, error) {
	for _, pattern := range offPath {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return filepath.Dir(found[len(found)-1]), nil
		}
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", ErrNoBinary
	}
	return filepath.Dir(initdb), nil
}

// initialize makes the cluster. Nobody may run a server as root, so root hands it to another user.
func (s *Server) initialize(ctx context.Context) error {
	file := filepath.Join(s.dir, "password")
	if err := os.WriteFile(file, []byte(s.password+"\n"), 0o600); err != nil {
		return fmt.Errorf("postgresserver: %w", err)
	}
	if os.Geteuid() == 0 {
		id, err := unprivileged()
		if err != nil {
			return err
		}
		s.owner = id
		for _, path := range []string{s.dir, file} {
			if err := os.Chown(path, int(id.Uid), int(id.Gid)); err != nil {
				return fmt.Errorf("postgresserver: %w", err)
			}
		}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"), "--pgdata", s.Data(), "--username", owner, "--pwfile", file,
		"--auth", "password", "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.Env = s.dir, []string{"LC_ALL=C", "PATH=" + os.Getenv("PATH")}
	if s.owner != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("postgresserver: initdb: %w: %s", err, tail(string(out)))
	}
	return nil
}

// Data is the directory of the cluster: all that the server ever writes, but for its log.
func (s *Server) Data() string { return filepath.Join(s.dir, "data") }

// URL is the address of a database, as its owner reaches it.
func (s *Server) URL(database string) string {
	u := url.URL{Scheme: "postgres", User: url.UserPassword(owner, s.password), Path: "/" + database, RawQuery: url.Values{"host": {s.dir}}.Encode()}
	return u.String()
}

// Socket is the path of the Unix socket.
func (s *Server) Socket() string { return filepath.Join(s.dir, ".s.PGSQL.5432") }

// Create makes a database as a copy of another one, to which nobody may be connected; "template0" is an empty one.
func (s *Server) Create(ctx context.Context, name, template string) error {
	return s.Exec(ctx, "postgres", "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()+" TEMPLATE "+pgx.Identifier{template}.Sanitize())
}

// Drop removes a database, whoever is connected to it.
func (s *Server) Drop(ctx context.Context, name string) error {
	return s.Exec(ctx, "postgres", "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)")
}

// Exec runs one statement in a database, as its superuser.
func (s *Server) Exec(ctx context.Context, database, statement string, args ...any) error {
	c, err := pgx.Connect(ctx, s.URL(database))
	if err != nil {
		return fmt.Errorf("postgresserver: %w", err)
	}
	_, err = c.Exec(ctx, statement, args...)
	return errors.Join(err, c.Close(ctx))
}

// Kill ends the server at once, without a chance to write anything, and waits until it is gone. Its
// processes follow by themselves.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.child.end(syscall.SIGKILL)
}

// Restart starts the server on its directory again, after killing it if it runs. It recovers by its log.
func (s *Server) Restart(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.child.end(syscall.SIGKILL)
	fresh, err := s.launch(ctx)
	if err != nil {
		return err
	}
	s.child = fresh
	return nil
}

// Log is the end of what the server has printed since it was started; complete once it has ended.
func (s *Server) Log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.child.said()
}

// Close ends the server and removes its directory. It may be called more than once.
func (s *Server) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.child.end(syscall.SIGQUIT)
	return os.RemoveAll(s.dir)
}

// tail is the end of an output, for error messages.
func tail(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return strings.Join(lines[max(0, len(lines)-3):], " / ")
}
