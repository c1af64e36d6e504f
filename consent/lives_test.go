// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"testing"
	"time"

	"doorstep/consent"
)

// The lives that shoppers were promised, in figures. The stores' contract holds each to its limit.
func TestHowLongThingsLive(t *testing.T) {
	const day = 24 * time.Hour
	for what, life := range map[string][2]time.Duration{
		"reads":              {consent.JournalLife, 90 * day},
		"a final alert":      {consent.AlertLife, day},
		"what is to be told": {consent.FeedLife, day},
		"that a visit was":   {consent.EnteredLife, 8 * day},
		"a window of counts": {consent.CountWindow, 15 * time.Minute},
		"a broken glass":     {consent.GlassWait, 15 * time.Minute},
		"what is moved":      {consent.MotionWait, day},
		"a hold, at most":    {consent.HoldMost, 366 * day},
	} {
		if life[0] != life[1] {
			t.Errorf("%s: %v, and it is to be %v", what, life[0], life[1])
		}
	}
}
