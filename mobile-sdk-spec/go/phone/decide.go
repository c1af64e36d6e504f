// SPDX-License-Identifier: Apache-2.0

package phone

import (
	"math"
	"slices"
	"time"

	"doorstep/mobile-sdk-spec/go/client"
)

// decisions are the pure choices of a phone, apart from the machine that carries them out.
type decisions struct {
	judge   func(*client.Fence, Reading) string                       // inside, edge, out, far, unknown (P-2, P-4)
	enter   func(Reading) bool                                        // whether a reading inside may begin (P-3)
	outcome func(code int) (retry bool, restart string)               // of a close (4.8)
	wait    func(attempt int, retryMS int64) time.Duration            // before coming back (C-2)
	pace    func(w client.Welcome, moved bool) time.Duration          // between fixes
	still   func(State) bool                                          // whether a state has location off first (D-2)
	choose  func(around []*client.Fence, picked string) *client.Fence // of the fences around a reading, the one that is meant (P-6)
	pocket  func(time.Duration) time.Duration                         // how long to go on in a pocket (D-7)
	again   func(client.Withdrawal) client.Withdrawal                 // what is repeated of a withdrawal (W-5)
	says    func(client.Fix) client.Fix                               // what is sent of a reading inside (F-6, F-8)
	certain func(where string, outs int) bool                         // whether so many readings outside in a row, of which the last is where, are an end (P-5)
}

// rightly is how SPEC.md has them.
var rightly = decisions{
	judge:   func(f *client.Fence, r Reading) string { return f.Where(r.Lat, r.Lng, r.AccuracyM, r.Level) },
	enter:   func(r Reading) bool { return r.AccuracyM > 0 && r.AccuracyM <= 35 },
	outcome: client.Outcome,
	wait:    client.Backoff,
	pace: func(w client.Welcome, moved bool) time.Duration {
		if moved {
			return time.Duration(w.MovingMS) * time.Millisecond
		}
		return time.Duration(w.StillMS) * time.Millisecond
	},
	still: func(State) bool { return true },
	choose: func(around []*client.Fence, picked string) *client.Fence {
		i := slices.IndexFunc(around, func(f *client.Fence) bool { return len(around) == 1 || f.Store == picked })
		if i < 0 {
			return nil
		}
		return around[i]
	},
	pocket:  func(d time.Duration) time.Duration { return d },
	again:   func(w client.Withdrawal) client.Withdrawal { return w },
	says:    func(f client.Fix) client.Fix { return f },
	certain: func(where string, outs int) bool { return where == "far" || outs >= 2 },
}

// giveUp is how long a phone tries to come back, and looks for a way in (5.1).
const giveUp = 30 * time.Minute

// settled is how long a connection lasts before the waits begin anew (C-2).
const settled = time.Minute

// moved reports whether a reading is another place than the last one sent, beyond its doubt.
func moved(last *Reading, now Reading) bool {
	if last == nil {
		return true
	}
	const metre = 1 / 111_320.0
	north := (now.Lat - last.Lat) / metre
	east := (now.Lng - last.Lng) / metre * math.Cos(now.Lat*math.Pi/180)
	return math.Hypot(north, east) > max(2.5, now.AccuracyM/3)
}
