// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"doorstep/cmd/doorstep/crowd"
)

// timing gathers how long something takes, to three digits. It is safe for concurrent use.
type timing struct {
	mu sync.Mutex
	h  *hdrhistogram.Histogram
}

// longest is the longest time that is told from longer ones.
const longest = 2 * time.Minute

func (t *timing) took(d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.h == nil {
		t.h = hdrhistogram.New(1, longest.Microseconds(), 3)
	}
	_ = t.h.RecordValue(min(max(d, time.Microsecond), longest).Microseconds()) // always in range
}

// span is what was gathered, in milliseconds.
func (t *timing) span() crowd.Span {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.h == nil {
		return crowd.Span{}
	}
	return crowd.Span{N: t.h.TotalCount(), P50: float64(t.h.ValueAtQuantile(50)) / 1000, P99: float64(t.h.ValueAtQuantile(99)) / 1000}
}
