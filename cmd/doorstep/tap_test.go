// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/geofence"
)

// tap hears every command that a Redis is sent, values included: what is not in it never reached
// Redis.
type tap struct {
	mu    sync.Mutex
	lines []string // as Redis prints them
	bytes []string // what they stand for
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
			p.bytes = append(p.bytes, unescaped(lines.Text()))
			p.mu.Unlock()
		}
	}()
	return p
}

// heard returns the commands that contain a text, or bytes.
func (p *tap) heard(text string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []string
	for i, l := range p.lines {
		if strings.Contains(p.bytes[i], text) {
			found = append(found, l)
		}
	}
	return found
}

// unescaped is a line of Redis's as it was before everything that cannot be printed became \x and two digits.
func unescaped(line string) string {
	var b strings.Builder
	for line != "" {
		c, _, rest, err := strconv.UnquoteChar(line, '"')
		if err != nil { // no escape of Redis's
			b.WriteByte(line[0])
			line = line[1:]
			continue
		}
		if line[0] == '\\' {
			b.WriteByte(byte(c))
		} else {
			b.WriteRune(c)
		}
		line = rest
	}
	return b.String()
}

// kept is a place as Redis is told it: a latitude and a longitude in ten millionths of a degree.
func kept(at geofence.LatLng) string {
	b := binary.BigEndian.AppendUint32(nil, uint32(int32(math.Round(at.Lat*1e7))))
	return string(binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(at.Lng*1e7)))))
}
