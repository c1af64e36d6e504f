// SPDX-License-Identifier: Apache-2.0

// Package redisserver starts a redis-server as a child, for demonstrations and tests: on loopback,
// with a random password, and with nothing that could write to a disk.
package redisserver

import (
	"context"
	"errors"
)

// ErrNoBinary says that there is no redis-server on the PATH.
var ErrNoBinary = errors.New("no redis-server on the PATH")

// Server is a running child.
type Server struct{}

// Start starts a server and waits until it answers. settings are further lines of configuration.
func Start(ctx context.Context, settings ...string) (*Server, error) { return nil, ErrNoBinary }

// URL is for the application's user.
func (s *Server) URL() string { return "" }

// AdminURL is for the operator's user, who may do everything.
func (s *Server) AdminURL() string { return "" }

// Kill ends the process at once, as a crash would.
func (s *Server) Kill() error { return nil }

// Stop suspends the process.
func (s *Server) Stop() error { return nil }

// Cont lets a suspended process go on.
func (s *Server) Cont() error { return nil }

// Restart starts it again, empty, on the same port with the same passwords.
func (s *Server) Restart(ctx context.Context) error { return ErrNoBinary }

// Close ends the process and removes its directory.
func (s *Server) Close() error { return nil }
