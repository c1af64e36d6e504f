// SPDX-License-Identifier: Apache-2.0

package redisserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"doorstep/tracking"
	"doorstep/tracking/live"
)

// asParent makes the test binary a parent that starts a server and is then killed.
const asParent = "DOORSTEP_TEST_REDIS_PARENT"

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
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
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
	for patience := time.After(15 * time.Second); ; {
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

func TestStartAndClose(t *testing.T) {
	s := start(t)
	if live, err := os.ReadDir(s.dir); err != nil || len(live) != 0 {
		t.Errorf("its directory: %v, %v; want it empty", live, err)
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
	select {
	case <-s.Done():
	default:
		t.Error("Done is open after Close")
	}
}

func TestNoBinary(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := Start(t.Context()); !errors.Is(err, ErrNoBinary) {
		t.Errorf("got %v, want ErrNoBinary", err)
	}
}

func TestBadSetting(t *testing.T) {
	start(t) // skips without a binary
	before, _ := filepath.Glob(filepath.Join(os.TempDir(), "doorstep-redis-*"))
	_, err := Start(t.Context(), "no-such-setting 1")
	if err == nil || !strings.Contains(err.Error(), "no-such-setting") {
		t.Errorf("got %v, want an error that names the setting", err)
	}
	after, _ := filepath.Glob(filepath.Join(os.TempDir(), "doorstep-redis-*"))
	if len(after) > len(before) {
		t.Errorf("a failed start left %d directories", len(after)-len(before))
	}
}

func TestNotReadyInTime(t *testing.T) {
	start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := Start(ctx); !errors.Is(err, context.Canceled) {
		if err == nil { // it was ready at once
			s.Close()
		} else {
			t.Errorf("got %v", err)
		}
	}
}

// The passwords are in no process list, and nobody gets in without one.
func TestSecrets(t *testing.T) {
	s := start(t)
	command, err := os.ReadFile("/proc/" + strconv.Itoa(s.child.process.Pid) + "/cmdline")
	if err != nil {
		t.Skip("needs /proc:", err)
	}
	env, _ := os.ReadFile("/proc/" + strconv.Itoa(s.child.process.Pid) + "/environ")
	for _, secret := range []string{s.app, s.admin} {
		if strings.Contains(string(command), secret) || strings.Contains(string(env), secret) || len(secret) < 20 {
			t.Error("a password can be read from the process list, or guessed")
		}
	}
	if _, err := live.OpenRedis(t.Context(), "redis://"+s.Addr(), live.Options{}); !errors.Is(err, live.ErrRefused) {
		t.Errorf("without a password: got %v, want ErrRefused", err)
	}
}

// The child does not outlive a parent that had no chance to clean up.
func TestDiesWithItsParent(t *testing.T) {
	start(t)
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
	if err := syscall.Kill(pid, 0); err != nil {
		t.Fatalf("the child is not there: %v", err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	gone(t, pid)
}

const canary = "54.123456789,3.987654321"

// store puts a canary position into the server.
func store(t *testing.T, s *Server) {
	t.Helper()
	r, err := live.OpenRedis(t.Context(), s.URL(), live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	slot := tracking.Slot{Store: "s", Visit: canary}
	if err := r.Register(t.Context(), slot, "a", 0, time.Second*20); err != nil {
		t.Fatal(err)
	}
	got, err := r.Write(t.Context(), []tracking.LiveWrite{{Slot: slot, Owner: "a", Seq: 1, Payload: []byte(canary), TTL: 20 * time.Second, Show: true}})
	if err != nil || got[0] != tracking.Written {
		t.Fatal(got, err)
	}
}

// However the server ends, no position is in its directory or in what it printed.
func TestNothingIsWritten(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGKILL} {
		t.Run(sig.String(), func(t *testing.T) {
			s := start(t)
			store(t, s)
			if err := s.signal(sig); err != nil {
				t.Fatal(err)
			}
			select {
			case <-s.Done():
			case <-time.After(15 * time.Second):
				t.Fatal("it goes on")
			}
			if left, err := os.ReadDir(s.dir); err != nil || len(left) != 0 {
				t.Errorf("left in its directory: %v, %v", left, err)
			}
			if strings.Contains(s.child.output, canary) {
				t.Error("a position was printed")
			}
			if s.child.output == "" {
				t.Error("nothing was printed at all: the check says nothing")
			}
		})
	}
}
