// SPDX-License-Identifier: Apache-2.0

// Package client is the Go reference client of Doorstep: what a phone's SDK does, without a phone.
// It is written from mobile-sdk-spec alone and shares no code with the server.
//
// A [Client] is one installation of one app. It asks for prompts, records decisions, fetches stores
// and fences, opens a [Session] in a store and withdraws. A Session is one socket: fixes go out, typed
// [Event] values come in, and the last of them, [Closed], says whether and when to come back.
//
// The package never logs, and no error of it holds a token, an id or a coordinate.
package client

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Config is what a client needs to know. BaseURL, Token and Installation are required.
type Config struct {
	BaseURL      string                                    // "https://host[:port]", no path
	Token        func(ctx context.Context) (string, error) // the shopper's JWT, from the app's backend
	Installation *Key                                      // made at installation, kept
	SDK          string                                    // "go/1.0.0" if empty
	Lang         string                                    // BCP 47; "en" if empty
	Dialer       *websocket.Dialer                         // for pinned keys, proxies, source addresses
	HTTP         *http.Client                              // http.DefaultClient's transport if nil
	Now          func() time.Time                          // time.Now if nil
	Persist      func(pending Withdrawal) error            // called before a withdrawal is sent, so that it survives a restart
}

// Client is one installation. It is safe for concurrent use.
type Client struct {
	cfg  Config
	http *http.Client

	clock   clock
	silence time.Duration

	mu   sync.Mutex
	stop map[string]string            // stop tokens by store and purpose
	live map[*Session]struct{}        // open sessions
	wait map[string]chan Confirmation // withdrawals under way, by id
}

// New checks the configuration and returns a client. It does not use the network.
func New(cfg Config) (*Client, error) {
	switch {
	case !strings.HasPrefix(cfg.BaseURL, "http://") && !strings.HasPrefix(cfg.BaseURL, "https://"):
		return nil, errors.New("client: BaseURL must be http(s)://host[:port]; set it to the server's address")
	case cfg.Token == nil:
		return nil, errors.New("client: Token is missing; give a function that asks your backend for the shopper's JWT")
	case cfg.Installation == nil:
		return nil, errors.New("client: Installation is missing; make one with NewKey and keep it")
	}
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	if cfg.SDK == "" {
		cfg.SDK = "go/1.0.0"
	}
	if cfg.Lang == "" {
		cfg.Lang = "en"
	}
	if cfg.Dialer == nil {
		cfg.Dialer = &websocket.Dialer{HandshakeTimeout: 10 * time.Second, ReadBufferSize: 1024, WriteBufferSize: 1024}
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{Timeout: 15 * time.Second}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Client{cfg: cfg, http: cfg.HTTP, silence: silence, stop: map[string]string{},
		live: map[*Session]struct{}{}, wait: map[string]chan Confirmation{}}, nil
}

// Now is server time as the client knows it: its own clock, mended by the fastest exchange so far.
func (c *Client) Now() time.Time { return c.clock.server(c.cfg.Now()) }

func (c *Client) add(s *Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.live[s] = struct{}{}
}

func (c *Client) drop(s *Session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.live, s)
}
