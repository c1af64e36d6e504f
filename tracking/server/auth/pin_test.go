// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"strings"
	"testing"
)

// What can be chosen, and what anybody would try first.
func TestWhichPINsCanBeChosen(t *testing.T) {
	for text, good := range map[string]bool{
		"4711": true, "13579": true, "112233": true, "909090909090": true, "0012": true, "2580": true,
		"badge-0001": true, "EMP 4711": true, "员工四号": true, strings.Repeat("x", MaxBadge): true, "1234x": true,
		"": false, "471": false, "0000": false, "1234": false, "9876": false, "456789": false, "111111111111": false,
		"4711471147114": false, "abc": false, "badge\x00001": false, "badge\n001": false, "four\xff": false, strings.Repeat("x", MaxBadge+1): false,
	} {
		p, err := newPIN(text, 1)
		if good && (err != nil || !p.chosen()) {
			t.Errorf("%q: %v", text, err)
		}
		if !good {
			wantCode(t, err, 422, "bad_pin")
		}
	}
}

// One PIN fits, hashes of the same differ, and what was never chosen fits nothing.
func TestPINIsThatOne(t *testing.T) {
	a, err := newPIN("4711", pinRounds)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newPIN("4711", 1)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := newPIN("4711", 1); err != nil || bytes.Equal(b.Hash, again.Hash) || a.Rounds < 600_000 {
		t.Errorf("two people with one PIN have one hash, or it is quickly made: %v", err)
	}
	if !a.is("4711") || !b.is("4711") || a.is("4712") || b.is("") || (PIN{}).is("") {
		t.Error("another PIN fits, or this one does not")
	}
}
