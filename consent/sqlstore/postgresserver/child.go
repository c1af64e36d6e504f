// SPDX-License-Identifier: Apache-2.0

//go:build unix

package postgresserver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// unprivileged is a user who may run a server, when this process is root's.
func unprivileged() (*syscall.Credential, error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, badUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, badGID := strconv.ParseUint(u.Gid, 10, 32)
		if badUID == nil && badGID == nil {
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: false}, nil
		}
	}
	return nil, errors.New("postgresserver: root may not run it, and there is neither a user postgres nor nobody")
}

// errOldProcesses says that processes of a killed server have not gone yet.
var errOldProcesses = errors.New("postgresserver: processes of the server before are still there")

// child is one server process. The goroutine of run owns it; process is set before ready is closed.
type child struct {
	process *os.Process
	started chan error    // one value: whether the process could be started
	ready   chan struct{} // closed when it accepts connections
	done    chan struct{} // closed when it has ended and its output is read

	mu     sync.Mutex
	output string // the last of it
}

// command is the server with its settings: durable as it would be in earnest, and small.
func (s *Server) command() *exec.Cmd {
	args := []string{"-D", s.Data(), "-k", s.dir}
	for _, setting := range append([]string{
		"listen_addresses=", "fsync=on", "synchronous_commit=on", "wal_level=minimal", "max_wal_senders=0", "shared_buffers=32MB",
		"max_connections=200", "autovacuum=off", "log_min_error_statement=panic", "logging_collector=off",
	}, slices.Concat(platform, s.settings)...) {
		args = append(args, "-c", setting)
	}
	cmd := exec.Command(filepath.Join(s.bin, "postgres"), args...) // not CommandContext: the server outlives the call
	cmd.Dir, cmd.Env = s.dir, []string{"LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner}
	dieWithParent(cmd.SysProcAttr)
	return cmd
}

// launch starts a process and waits until it is ready, has ended, or ctx has. After a kill it tries again until the
// processes of the server before are gone.
func (s *Server) launch(ctx context.Context) (*child, error) {
	for {
		c, err := s.launchOnce(ctx)
		if !errors.Is(err, errOldProcesses) || ctx.Err() != nil {
			return c, err
		}
	}
}

func (s *Server) launchOnce(ctx context.Context) (*child, error) {
	c := &child{started: make(chan error, 1), ready: make(chan struct{}), done: make(chan struct{})}
	go c.run(s.command())
	if err := <-c.started; err != nil {
		return nil, fmt.Errorf("postgresserver: start: %w", err)
	}
	select {
	case <-c.ready:
		return c, nil
	case <-c.done:
		if out := c.said(); strings.Contains(out, "is still in use") || strings.Contains(out, "already exists") {
			return nil, errOldProcesses
		}
		return nil, fmt.Errorf("postgresserver: ended before it was ready: %s", tail(c.said()))
	case <-ctx.Done():
		c.end(syscall.SIGQUIT)
		return nil, fmt.Errorf("postgresserver: not ready in time: %w", ctx.Err())
	}
}

// run starts the process and waits for its end on one thread of its own: the kernel's signal at
// the parent's death goes by the thread that started the child, and must not come early.
func (c *child) run(cmd *exec.Cmd) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(c.done)
	out, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.started <- err
		return
	}
	c.process = cmd.Process
	c.started <- nil
	c.read(out)
	_ = cmd.Wait() // how it ended is of no use: it was told to, or its output says why
}

// read follows the output until the process and all it started have ended, and keeps the last of it.
func (c *child) read(out io.Reader) {
	ready := false
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		c.mu.Lock()
		c.output = c.output[max(0, len(c.output)-64<<10):] + line
		c.mu.Unlock()
		if !ready && strings.Contains(line, "ready to accept connections") {
			ready = true
			close(c.ready)
		}
		if err != nil {
			return
		}
	}
}

func (c *child) said() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.output
}

// end sends a signal and waits for the end of the process and of all that it started.
func (c *child) end(sig os.Signal) {
	_ = c.process.Signal(sig) // an error says that it has ended already
	<-c.done
}
