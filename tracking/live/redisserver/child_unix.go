// SPDX-License-Identifier: Apache-2.0

//go:build unix

package redisserver

import (
	"fmt"
	"syscall"
)

// Stop suspends the process, as a machine that hangs would: the kernel still accepts what is sent
// to it. Tests use it.
func (s *Server) Stop() error { return s.signal(syscall.SIGSTOP) }

// Cont lets a suspended process go on.
func (s *Server) Cont() error { return s.signal(syscall.SIGCONT) }

func (s *Server) signal(sig syscall.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.child.process.Signal(sig); err != nil {
		return fmt.Errorf("redisserver: send %v: %w", sig, err)
	}
	return nil
}
