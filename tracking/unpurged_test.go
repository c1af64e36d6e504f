// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking"
)

// stubborn is a live state that does not purge one visit.
type stubborn struct {
	tracking.Live
	mu    sync.Mutex
	visit string
}

func (l *stubborn) keep(visit string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.visit = visit
}

func (l *stubborn) Purge(ctx context.Context, store string, visits []string) error {
	l.mu.Lock()
	refuse := l.visit != "" && slices.Contains(visits, l.visit)
	l.mu.Unlock()
	if refuse {
		return errTapped
	}
	return l.Live.Purge(ctx, store, visits)
}

// A visit ended a moment ago and its position is still there: a withdrawal is not done before that is gone.
func TestAWithdrawalCoversTheVisitBefore(t *testing.T) {
	for _, kind := range []consent.EndKind{consent.EndStore, consent.EndAll} {
		t.Run(string(kind), func(t *testing.T) {
			inBubble(t, func(h *house) {
				l := &stubborn{Live: h.live}
				h.live = l
				s := newScene(h)
				l.keep(s.v.hid)
				s.v.Bye()
				h.pass(300 * time.Millisecond)
				equal(h, "committed", h.alert(s.alert).State, tracking.Gone)
				r := s.ana.stop(kind)
				a, err := s.n.End(h.Context(), r)
				if s.v.payload() == nil {
					t.Fatal("nothing was there to purge: this shows nothing")
				}
				if !errors.Is(err, tracking.ErrNotComplete) {
					t.Fatalf("answered %v, with the position of the visit before still there", err)
				}
				if len(a.Ending.Ends) != 1 || a.Ending.Ends[0].Visit == s.v.hid {
					t.Fatalf("it ended the visit before, which had ended: %+v", a.Ending.Ends)
				}
				l.keep("")
				must(s.n.End(h.Context(), r))(h)
				equal(h, "position", string(s.v.payload()), "")
				equal(h, "tombstone", s.v.tombstone(), true)
			})
		})
	}
}
