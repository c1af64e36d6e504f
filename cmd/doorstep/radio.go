// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// radio is a phone's network, which can be turned off: what is open breaks, and nothing new opens.
type radio struct {
	mu    sync.Mutex // owns the rest
	gone  bool
	conns map[net.Conn]struct{}
}

func newRadio() *radio { return &radio{conns: map[net.Conn]struct{}{}} }

var errNoNetwork = errors.New("this phone has no network")

// web and sockets are what a client needs of it.
func (r *radio) web() *http.Client {
	return &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{DialContext: r.dial}}
}

func (r *radio) sockets() *websocket.Dialer {
	return &websocket.Dialer{HandshakeTimeout: 10 * time.Second, NetDialContext: r.dial}
}

func (r *radio) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone {
		_ = c.Close()
		return nil, errNoNetwork
	}
	kept := &carried{Conn: c, radio: r}
	r.conns[kept] = struct{}{}
	return kept, nil
}

func (r *radio) on() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = false
}

// off reports whether it was on.
func (r *radio) off() bool {
	r.mu.Lock()
	was, open := !r.gone, r.conns
	r.gone, r.conns = true, map[net.Conn]struct{}{}
	r.mu.Unlock()
	for c := range open {
		_ = c.Close()
	}
	return was
}

// carried is a connection that is forgotten when it is closed.
type carried struct {
	net.Conn
	radio *radio
}

// Close implements net.Conn.
func (c *carried) Close() error {
	c.radio.mu.Lock()
	delete(c.radio.conns, c)
	c.radio.mu.Unlock()
	return c.Conn.Close()
}
