// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"errors"
)

// Session is one socket in one store, from welcome to close. Its methods may be called from any goroutine.
type Session struct {
	c       *Client
	welcome Welcome
	events  chan Event
}

// Connect asks for a ticket, opens the socket, says hello and waits for the welcome.
// A refusal is a [*Problem] (HTTP) or a [*CloseError] (socket).
func (c *Client) Connect(ctx context.Context, store string, purposes []string) (*Session, error) {
	return nil, errors.New("client: not connected")
}

// Welcome is what the server said at the opening.
func (s *Session) Welcome() Welcome { return s.welcome }

// Events delivers what the server says, ending with one Closed, after which it is closed.
func (s *Session) Events() <-chan Event { return s.events }

// Fix sends a fix.
func (s *Session) Fix(f Fix) error { return nil }

// Outside says that the phone's own fence decided: edge, out, far, unknown.
func (s *Session) Outside(where string) error { return nil }

// Help calls for help and returns the call's id.
func (s *Session) Help(topic string, showMe bool) (id string, err error) { return "", nil }

// Checkin says what the shopper came for and returns the check-in's id.
func (s *Session) Checkin(kind, ref string) (id string, err error) { return "", nil }

// Pause says that the app goes quiet: user, background, permission.
func (s *Session) Pause(reason string) error { return nil }

// Bye says goodbye and closes.
func (s *Session) Bye() error { return nil }

// Kill drops the connection without a goodbye, as a tunnel or a flat battery does.
func (s *Session) Kill() {}
