// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"strings"
	"testing"
	"time"
)

// lastIntroduced are the shifts that a screen was told of last.
func (s *screen) lastIntroduced() string {
	frames := s.got("colleagues")
	if len(frames) == 0 {
		return "nobody"
	}
	var shifts []string
	for _, c := range frames[len(frames)-1]["colleagues"].([]any) {
		shifts = append(shifts, c.(map[string]any)["shift"].(string))
	}
	return strings.Join(shifts, " ")
}

// Each console knows whom an alert can be handed to: those who are there now, in this store.
func TestColleaguesAreThoseWhoAreThere(t *testing.T) {
	inBubble(t, func(h *house) {
		n := h.start("node")
		kim := h.join(n, shop, "kim")
		h.pass(time.Second)
		equal(h, "alone", kim.lastIntroduced(), "kim")
		mei := h.join(n, shop, "mei")
		again := h.join(n, shop, "mei")
		h.pass(time.Second)
		equal(h, "a second person, on two screens", kim.lastIntroduced(), "kim mei")
		equal(h, "and she sees the first", mei.lastIntroduced(), "kim mei")
		mei.leave()
		h.pass(time.Second)
		equal(h, "one screen of two gone", kim.lastIntroduced(), "kim mei")
		again.leave()
		h.pass(time.Second)
		equal(h, "alone again", kim.lastIntroduced(), "kim")
	})
}
