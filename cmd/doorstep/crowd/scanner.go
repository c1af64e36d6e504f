// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"sync"
)

// ScanProcess is a Scanner in a process of its own, with its own connection: what it finds is what
// anybody would. For each line with visits on its standard input it answers one line, the number of
// keys that hold anything of them.
type ScanProcess struct {
	cmd *exec.Cmd

	mu  sync.Mutex // one question at a time
	in  io.WriteCloser
	out *bufio.Reader
}

// StartScan starts the process.
func StartScan(cmd *exec.Cmd) (*ScanProcess, error) {
	s := &ScanProcess{cmd: cmd}
	var err error
	if s.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.out = bufio.NewReader(out)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the process that scans the live state: %w", err)
	}
	return s, nil
}

// Left is how many keys hold anything of the visit, now.
func (s *ScanProcess) Left(visit string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := fmt.Fprintln(s.in, visit); err != nil {
		return 0, fmt.Errorf("ask the process that scans the live state: %w", err)
	}
	line, err := s.out.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("the process that scans the live state did not answer: %w", err)
	}
	return strconv.Atoi(strings.TrimSpace(line))
}

// Close ends the process.
func (s *ScanProcess) Close() {
	_ = s.in.Close()
	_ = s.cmd.Wait()
}
