// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
)

// An end is on the disk before it is acknowledged: seen from the outside, in the system calls of whoever writes.

// calls reads what strace prints, and keeps in mind whether all that was written to the log of writes is on the disk.
type calls struct {
	log     *regexp.Regexp // paths of the log of writes
	said    *regexp.Regexp // a call that tells somebody that something is done
	started map[string]string
	pending bool // written, and not synced
	written int  // bytes' worth of calls since the last word
	said0   int  // words that followed a write
	early   int  // of them, before the sync
}

var traced = regexp.MustCompile(`^(\d+) +(.*)$`)

// take takes in one line. A call that others interrupt is on two.
func (c *calls) take(line string) {
	m := traced.FindStringSubmatch(line)
	if m == nil {
		return
	}
	pid, call := m[1], m[2]
	if before, ok := strings.CutSuffix(call, " <unfinished ...>"); ok {
		c.started[pid] = before
		if !isSync(before) { // a write counts from its beginning
			c.done(before)
		}
		return
	}
	if strings.HasPrefix(call, "<... ") {
		if call = c.started[pid]; !isSync(call) {
			return
		}
	}
	c.done(call)
}

func isSync(call string) bool {
	return strings.HasPrefix(call, "fsync(") || strings.HasPrefix(call, "fdatasync(")
}

func (c *calls) done(call string) {
	switch inLog := c.log.MatchString(call); {
	case inLog && isSync(call):
		c.pending = false
	case inLog:
		c.pending = true
		c.written++
	case c.said.MatchString(call) && c.written > 0:
		c.said0++
		c.written = 0
		if c.pending {
			c.early++
		}
	}
}

// follow takes in lines until enough was said.
func (c *calls) follow(t *testing.T, lines *bufio.Scanner, enough int) {
	t.Helper()
	for c.said0 < enough {
		if !lines.Scan() {
			t.Fatalf("the trace ended after %d words: %v", c.said0, lines.Err())
		}
		c.take(lines.Text())
	}
	if c.early > 0 {
		t.Errorf("%d of %d acknowledgements came before the sync", c.early, c.said0)
	}
}

// trace starts strace, which prints into a pipe; it is killed with the test.
func trace(t *testing.T, env []string, args ...string) *bufio.Scanner {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil && os.Getenv("CI") != "true" {
		t.Skip("no strace on this machine: this was not looked at")
	}
	if err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(t.TempDir(), "trace")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := os.OpenFile(fifo, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, append([]string{"-f", "-y", "-s", "96", "-e", "trace=fsync,fdatasync,write,pwrite64,pwritev,sendto", "-e", "signal=none", "-o", fifo}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it started, too; what it follows goes on
		_ = cmd.Wait()
		out.Close()
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	return lines
}

func TestSyncPrecedesTheAnswer(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		c := newCrash(t, filepath.Join(t.TempDir(), "ledger.db"))
		lines := trace(t, []string{crashLedger + "=" + c.dsn, crashKeys + "=" + c.keyFile, crashSeed + "=1", crashHands + "=1"}, os.Args[0])
		said := regexp.MustCompile(`^write\(1<.*"Done.*true`)
		for _, written := range []string{`ledger\.db-wal>`, `\.mark>`} {
			seen := &calls{log: regexp.MustCompile(written), started: map[string]string{}, said: said}
			seen.follow(t, lines, 25)
		}
	})
	t.Run("postgres", func(t *testing.T) {
		dsn := storetest.PostgresURL(t)
		pid, err := os.ReadFile(filepath.Join(storetest.PostgresServer(t).Data(), "postmaster.pid"))
		if err != nil {
			t.Fatal(err)
		}
		first, _, _ := strings.Cut(string(pid), "\n")
		lines := trace(t, nil, "-p", first)
		seen := &calls{log: regexp.MustCompile(`/pg_wal/[^>]*>`), started: map[string]string{}, said: regexp.MustCompile(`^sendto\(.*COMMIT`)}
		stop, done := make(chan struct{}), make(chan error, 1)
		go func() { done <- endUntil(t, dsn, stop) }()
		seen.follow(t, lines, 10)
		close(stop)
		for lines := lines; ; { // who is followed waits for whoever reads
			select {
			case err := <-done:
				if err != nil {
					t.Error(err)
				}
				return
			default:
				lines.Scan()
			}
		}
	})
}

// endUntil grants and withdraws.
func endUntil(t *testing.T, dsn string, stop <-chan struct{}) error {
	db, err := sqlstore.Open(t.Context(), dsn, withKeyring(t))
	if err != nil {
		return err
	}
	defer db.Close()
	keys := consent.NewKeys()
	l := consent.New(db, keys, consent.DevelopmentRegistry(), time.Now)
	for {
		p := shopper(keys, uuid.NewString())
		if err := p.grant(t.Context(), l); err != nil {
			return err
		}
		if _, err := l.End(t.Context(), consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn}); err != nil {
			return err
		}
		select {
		case <-stop:
			return nil
		default:
		}
	}
}
