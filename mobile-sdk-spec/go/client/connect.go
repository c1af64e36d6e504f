// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
)

const (
	subprotocol = "doorstep.v1"
	frameMost   = 16 << 10
	welcomeMost = 5 * time.Second
	eventsKept  = 64
)

// Ticket opens one socket, once, within 30 seconds. Times are Unix milliseconds of server time.
type Ticket struct {
	Ticket   string `json:"ticket"`
	URL      string `json:"url"` // of the socket; use it as it is
	ExpiresT int64  `json:"expires_t"`
	T        int64  `json:"t"`
}

// Ticket asks for one, for who opens the socket without a Session; Connect does both.
func (c *Client) Ticket(ctx context.Context, store string, purposes []string) (Ticket, error) {
	var out Ticket
	in := map[string]any{"store": store, "purposes": purposes}
	sent := c.cfg.Now()
	if err := c.call(ctx, http.MethodPost, "/v1/tickets", proven, in, &out); err != nil {
		return Ticket{}, err
	}
	c.clock.observe(sent, c.cfg.Now(), out.T)
	return out, nil
}

// fenceOf is the version of the store's fence that is listed: hello names it for an app that judges by none.
func (c *Client) fenceOf(ctx context.Context, store string) (string, error) {
	stores, err := c.Stores(ctx)
	if err != nil {
		return "", err
	}
	for _, s := range stores {
		if s.ID == store {
			return s.Fence, nil
		}
	}
	return "", fmt.Errorf("client: the server lists no store of this id; fetch the list again")
}

// Connect asks for a ticket, opens the socket, says hello and waits for the welcome. A refusal is a
// [*Problem] (HTTP) or a [*CloseError] (socket). ctx bounds the opening only. It is for who sends fixes that are inside for
// certain; a phone holds a fence, and says which by ConnectWith.
func (c *Client) Connect(ctx context.Context, store string, purposes []string) (*Session, error) {
	fence, err := c.fenceOf(ctx, store)
	if err != nil {
		return nil, err
	}
	return c.ConnectWith(ctx, store, fence, purposes)
}

// ConnectWith is Connect for an app that holds the store's fence already, in that version.
func (c *Client) ConnectWith(ctx context.Context, store, fence string, purposes []string) (*Session, error) {
	t, err := c.Ticket(ctx, store, purposes)
	if err != nil {
		return nil, err
	}
	return c.session(store, t.URL, purposes).open(ctx, "doorstep.ticket."+t.Ticket, fence, "")
}

// Resume opens a socket that goes on where s stopped: same session, same word, numbers rising. The
// resume token stands in for the ticket and works once, within welcome.resume_ms of the loss. Use
// it after a retry close only; if it is refused, Connect.
func (s *Session) Resume(ctx context.Context) (*Session, error) {
	if s.welcome.Resume == "" {
		return nil, errors.New("client: the server gave no resume token; connect with a new ticket")
	}
	next := s.c.session(s.store, s.url, s.purposes)
	s.mu.Lock()
	seq, fence := s.seq, s.fence // the map that is here, whichever the last welcome named
	s.mu.Unlock()
	next.seq = seq
	return next.open(ctx, "doorstep.resume."+s.welcome.Resume, fence, s.welcome.Resume)
}

func (c *Client) session(store, url string, purposes []string) *Session {
	s := &Session{c: c, store: store, url: url, purposes: purposes, events: make(chan Event, eventsKept)}
	s.done, s.cancel = context.WithCancel(context.Background())
	return s
}

// open dials, says hello and reads up to the welcome. After an error nothing is left open.
func (s *Session) open(ctx context.Context, credential, fence, resume string) (*Session, error) {
	d := *s.c.cfg.Dialer
	d.Subprotocols = []string{subprotocol, credential}
	d.EnableCompression = false
	conn, res, err := d.DialContext(ctx, s.url, nil)
	if err != nil {
		s.cancel()
		if res != nil {
			return nil, fmt.Errorf("client: the socket was refused with status %d", res.StatusCode)
		}
		return nil, fmt.Errorf("client: the socket cannot be opened: %w", err)
	}
	s.conn, s.fence = conn, fence
	conn.SetReadLimit(frameMost)
	if err := s.greet(ctx, fence, resume); err != nil {
		s.cancel()
		_ = conn.Close()
		return nil, err
	}
	s.c.add(s)
	go s.read()
	return s, nil
}

func (s *Session) greet(ctx context.Context, fence, resume string) error {
	if s.conn.Subprotocol() != subprotocol {
		return fmt.Errorf("client: the server does not speak %s", subprotocol)
	}
	unhook := context.AfterFunc(ctx, func() { _ = s.conn.NetConn().Close() })
	defer unhook()
	sent := s.c.cfg.Now()
	s.synced = sent
	hello := helloFrame{Type: "hello", T: max(1, s.c.Now().UnixMilli()), SDK: s.c.cfg.SDK, Lang: s.c.cfg.Lang, Fence: fence, Resume: resume}
	if err := s.send(hello); err != nil {
		return err
	}
	if err := s.conn.SetReadDeadline(time.Now().Add(welcomeMost)); err != nil {
		return err
	}
	return s.awaitWelcome(ctx, sent)
}

// awaitWelcome reads frames until the welcome. A server that refuses says why in a last state.
func (s *Session) awaitWelcome(ctx context.Context, sent time.Time) error {
	reason := ""
	for {
		_, raw, err := s.conn.ReadMessage()
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			code := closeCode(err)
			retry, restart := Outcome(code)
			return &CloseError{Code: code, Retry: retry, Restart: restart, Reason: reason}
		}
		var head struct{ Type, Reason string }
		if json.Unmarshal(raw, &head) != nil {
			return &CloseError{Code: 1002, Restart: "update"}
		}
		switch head.Type {
		case "state":
			reason = head.Reason
		case "welcome":
			return s.welcomed(raw, sent)
		}
	}
}

func (s *Session) welcomed(raw []byte, sent time.Time) error {
	if err := json.Unmarshal(raw, &s.welcome); err != nil {
		return &CloseError{Code: 1002, Restart: "update"}
	}
	s.c.clock.observe(sent, s.c.cfg.Now(), s.welcome.T)
	s.seq = max(s.welcome.LastSeq, s.seq)
	if !s.welcome.Resumed {
		s.seq = s.welcome.LastSeq
	}
	s.held = s.welcome.Fence != s.fence // then a map frame follows
	return nil
}

// closeCode is the code of a lost or closed connection: 1006 unless the peer gave one.
func closeCode(err error) int {
	var c *websocket.CloseError
	if errors.As(err, &c) {
		return c.Code
	}
	return websocket.CloseAbnormalClosure
}
