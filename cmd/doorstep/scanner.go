// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	"doorstep/tracking/live"
)

// scanner looks into the live state for what it still holds of a visit. With Redis it is another
// process, with its own connection: what it finds is what anybody would. The in-memory twin can only
// be looked into from here.
type scanner struct {
	memory *live.Memory

	mu  sync.Mutex // one question at a time
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func startScanner(ctx context.Context, st *stack) (*scanner, error) {
	if m, ok := st.live.(*live.Memory); ok {
		return &scanner{memory: m}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &scanner{cmd: exec.CommandContext(ctx, self, "scan")}
	s.cmd.Env = append(os.Environ(), scanURLEnv+"="+st.scanURL, scanChildEnv+"=1")
	s.cmd.Stderr = os.Stderr
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the process that scans Redis: %w", err)
	}
	return s, nil
}

// scanChildEnv lets a test binary, which is what os.Executable names in a test, act as the program.
const scanChildEnv = "DOORSTEP_SCAN_CHILD"

// left is how many keys hold anything of the visit, now.
func (s *scanner) left(visit string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memory != nil {
		n := 0
		for _, k := range s.memory.Keys() {
			if k.Slot.Visit == visit && !k.Tombstone {
				n++
			}
		}
		return n, nil
	}
	if _, err := fmt.Fprintln(s.in, visit); err != nil {
		return 0, fmt.Errorf("ask the process that scans Redis: %w", err)
	}
	line, err := s.out.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("the process that scans Redis did not answer: %w", err)
	}
	return strconv.Atoi(strings.TrimSpace(line))
}

func (s *scanner) close() {
	if s.cmd != nil {
		_ = s.in.Close()
		_ = s.cmd.Wait()
	}
}
