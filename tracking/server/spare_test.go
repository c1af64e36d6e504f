// SPDX-License-Identifier: Apache-2.0

//go:build linux

package server_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// metric reads one number as an operator's listener says it.
func (h *house) metric(name string) (value float64) {
	h.Helper()
	w := httptest.NewRecorder()
	h.server.Metrics().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for line := range strings.Lines(w.Body.String()) {
		if n, _ := fmt.Sscanf(line, name+" %g", &value); n == 1 {
			return value
		}
	}
	h.Fatalf("no metric %s", name)
	return 0
}

// descriptors lets this process have so many more than it has now, if any, until the function it returns is called. What is open
// stays open.
func (h *house) descriptors(most uint64) (restore func()) {
	h.Helper()
	var usual unix.Rlimit
	h.ok(unix.Getrlimit(unix.RLIMIT_NOFILE, &usual))
	h.ok(unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: most, Max: usual.Max}, nil))
	return func() { h.ok(unix.Prlimit(0, unix.RLIMIT_NOFILE, &usual, nil)) }
}

// TestNoDescriptorToWatchBy: a phone for whose watching there is none is waited for by a goroutine, and heard like any other.
func TestNoDescriptorToWatchBy(t *testing.T) {
	h := newHouse(t)
	h.attended()
	a := h.granted("ana", 10*time.Minute)
	s, _, err := h.dialSession("doorstep.ticket." + a.ticket())
	h.ok(err)
	restore := h.descriptors(0)
	defer restore()
	h.ok(s.say(map[string]any{"type": "hello", "t": time.Now().UnixMilli(), "sdk": "test/1.0.0", "lang": "en", "fence": h.index.Site().Version}))
	for range 2 {
		s.hear()
	}
	h.ok(s.say(map[string]any{"type": "time", "t0": 1}))
	s.answered(1)
	h.want("phones that are not watched", h.metric("doorstep_phones_unwatched_total"), 1.0)
}
