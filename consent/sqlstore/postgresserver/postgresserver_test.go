// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgresserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// asParent makes the test binary a parent that starts a server and is then killed.
const asParent = "DOORSTEP_TEST_POSTGRES_PARENT"

func TestMain(m *testing.M) {
	if os.Getenv(asParent) == "" {
		goleak.VerifyTestMain(m)
		return
	}
	s, err := Start(context.Background())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(s.child.process.Pid, s.dir)
	select {}
}

func start(t *testing.T, settings ...string) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := Start(ctx, settings...)
	if errors.Is(err, ErrNoBinary) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// gone waits until a process is no more.
func gone(t *testing.T, pid int) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for patience := time.After(30 * time.Second); ; {
		state, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		if err != nil || strings.Contains(string(state), ") Z ") {
			return
		}
		select {
		case <-tick.C:
		case <-patience:
			t.Fatalf("process %d is still there", pid)
		}
	}
}

// What was committed survives a kill; the password is in no list of processes; and when the server is closed nothing of
// it is left.
func TestServer(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	if err := errors.Join(s.Create(ctx, "one", "template0"), s.Exec(ctx, "one", "CREATE TABLE t (n BIGINT)"), s.Exec(ctx, "one", "INSERT INTO t VALUES ($1)", 7),
		s.Create(ctx, "two", "one")); err != nil {
		t.Fatal(err)
	}
	command, err := os.ReadFile("/proc/" + strconv.Itoa(s.child.process.Pid) + "/cmdline")
	if err == nil && (strings.Contains(string(command), s.password) || !strings.Contains(string(command), "listen_addresses=\x00")) {
		t.Error("its command tells the password, or lets it listen to the network")
	}
	s.Kill()
	if err := s.Exec(ctx, "two", "SELECT 1"); err == nil {
		t.Error("it answers after a kill")
	}
	if err := s.Restart(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Exec(ctx, "two", "DO $$ BEGIN IF (SELECT n FROM t) <> 7 THEN RAISE EXCEPTION 'lost'; END IF; END $$"); err != nil {
		t.Error(err)
	}
	if !strings.Contains(s.Log(), "ready to accept connections") {
		t.Errorf("its log: %s", s.Log())
	}
	if err := s.Drop(ctx, "two"); err != nil {
		t.Error(err)
	}
	pid := s.child.process.Pid
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	gone(t, pid)
	if _, err := os.Stat(s.dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("its directory is still there: %v", err)
	}
}

func TestNoBinary(t *testing.T) {
	before := offPath
	t.Cleanup(func() { offPath = before })
	offPath = nil
	t.Setenv("PATH", t.TempDir())
	if _, err := Start(t.Context()); !errors.Is(err, ErrNoBinary) {
		t.Errorf("got %v, want ErrNoBinary", err)
	}
}

// A start that fails says why and leaves nothing behind.
func TestBadSetting(t *testing.T) {
	if _, err := programs(); err != nil {
		start(t) // skips
	}
	dir, err := os.MkdirTemp("", "doorstep-bad-setting-")
	if err == nil {
		err = os.Chmod(dir, 0o755) // another user has to get through
	}
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	t.Setenv("TMPDIR", dir)
	_, err = Start(t.Context(), "no_such_setting=1")
	if err == nil || !strings.Contains(err.Error(), "no_such_setting") {
		t.Errorf("got %v, want an error that names the setting", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// The server does not outlive a parent that had no chance to clean up.
func TestDiesWithItsParent(t *testing.T) {
	if _, err := programs(); err != nil {
		start(t) // skips
	}
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("needs Linux")
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), asParent+"=1")
	out, err := parent.StdoutPipe()
	if err == nil {
		err = parent.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, _ := bufio.NewReader(out).ReadString('\n')
	var pid int
	var dir string
	if _, err := fmt.Sscan(line, &pid, &dir); err != nil {
		t.Fatalf("the parent said %q", line)
	}
	defer os.RemoveAll(dir)
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	gone(t, pid)
}
