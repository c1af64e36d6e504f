// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// tap hears every command that a Redis is sent, values included: what is not in it never reached
// Redis.
type tap struct {
	mu    sync.Mutex
	lines []string
}

// tapRedis listens until the test ends.
func tapRedis(t *testing.T, address string) *tap {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialTimeout("tcp", u.Host, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	password, _ := u.User.Password()
	fmt.Fprintf(conn, "AUTH %s %s\r\nMONITOR\r\n", u.User.Username(), password)
	lines := bufio.NewScanner(conn)
	lines.Buffer(nil, 1<<20)
	for range 2 {
		if !lines.Scan() || lines.Text() != "+OK" {
			t.Fatalf("Redis did not let us listen: %q", lines.Text())
		}
	}
	p := &tap{}
	go func() {
		for lines.Scan() {
			p.mu.Lock()
			p.lines = append(p.lines, lines.Text())
			p.mu.Unlock()
		}
	}()
	return p
}

// heard returns the commands that contain a text.
func (p *tap) heard(text string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []string
	for _, l := range p.lines {
		if strings.Contains(l, text) {
			found = append(found, l)
		}
	}
	return found
}
