// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"errors"
	"testing"

	"doorstep/mobile-sdk-spec/go/client"
)

// found is a scanner that finds as many keys as it is told to.
type found struct {
	keys int
	err  error
}

func (f found) Left(string) (int, error) { return f.keys, f.err }

// What the scanner finds adds up; what it cannot tell is an error, not a zero.
func TestKeysThatAreLeftAreCounted(t *testing.T) {
	p := &Crowd{tally: newTally()}
	for _, keys := range []int{2, 0, 3} {
		p.Scanner = found{keys: keys}
		if err := (&walker{Crowd: p}).lookForKeys(&client.Session{}); err != nil {
			t.Fatal(err)
		}
	}
	p.Scanner = found{err: errors.New("no answer")}
	if (&walker{Crowd: p}).lookForKeys(&client.Session{}) == nil {
		t.Error("a scan that failed was none")
	}
	if s := p.tally.summary(); s.Scans != 3 || s.KeysLeft != 5 {
		t.Errorf("%d keys in %d scans, want 5 in 3", s.KeysLeft, s.Scans)
	}
}
