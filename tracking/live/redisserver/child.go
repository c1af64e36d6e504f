// SPDX-License-Identifier: Apache-2.0

package redisserver

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

var errPortTaken = errors.New("redisserver: the port was taken")

// child is one process. The goroutine of run owns it; process is set before ready is closed.
type child struct {
	process *os.Process
	started chan error    // one value: whether the process could be started
	ready   chan struct{} // closed when it accepts connections
	done    chan struct{} // closed when it has ended and its output is read
	output  string        // the last of it; may be read after done
}

// launch starts a process and waits until it is ready, has ended, or ctx has.
func (s *Server) launch(ctx context.Context, binary string) (*child, error) {
	cmd := exec.Command(binary, "-") // not CommandContext: the server outlives the call
	cmd.Dir, cmd.Env = s.dir, []string{"LC_ALL=C"}
	cmd.Stdin = bytes.NewReader(s.config())
	dieWithParent(cmd)
	c := &child{started: make(chan error, 1), ready: make(chan struct{}), done: make(chan struct{})}
	go c.run(cmd)
	if err := <-c.started; err != nil {
		return nil, fmt.Errorf("redisserver: start %s: %w", binary, err)
	}
	select {
	case <-c.ready:
		return c, nil
	case <-c.done:
		if strings.Contains(c.output, "Address already in use") {
			return nil, errPortTaken
		}
		return nil, fmt.Errorf("redisserver: ended before it was ready: %s", tail(c.output))
	case <-ctx.Done():
		c.kill()
		return nil, fmt.Errorf("redisserver: not ready in time: %w", ctx.Err())
	}
}

// run starts the process and waits for its end on one thread of its own: the kernel's signal at
// the parent's death goes by the thread that started the child, and must not come early.
func (c *child) run(cmd *exec.Cmd) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(c.done)
	out, err := cmd.StdoutPipe()
	if err == nil {
		cmd.Stderr = cmd.Stdout
		err = cmd.Start()
	}
	if err != nil {
		c.started <- err
		return
	}
	c.process = cmd.Process
	noCoreDump(cmd.Process.Pid)
	c.started <- nil
	c.read(out)
	_ = cmd.Wait() // how it ended is of no use: it was told to, or its output says why
}

// read follows the output until the process ends, and keeps the last few kilobytes.
func (c *child) read(out io.Reader) {
	ready := false
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		c.output = c.output[max(0, len(c.output)-4096):] + line
		if !ready && strings.Contains(line, "Ready to accept connections") {
			ready = true
			close(c.ready)
		}
		if err != nil {
			return
		}
	}
}

// kill ends the process and waits for it.
func (c *child) kill() {
	_ = c.process.Kill() // an error says that it has ended already
	<-c.done
}
