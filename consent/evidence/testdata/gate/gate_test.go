// SPDX-License-Identifier: Apache-2.0

package gate

import "testing"

var ticket = "A1"

func TestYoung(t *testing.T) {
	if Lets(13, &ticket) {
		t.Error("let in")
	}
}

func TestVain(t *testing.T) { Lets(13, &ticket) }

func TestTicket(t *testing.T) {
	for name, one := range map[string]*string{"none": nil, "empty": new(string)} {
		t.Run(name, func(t *testing.T) {
			if Lets(20, one) {
				t.Error("let in")
			}
		})
	}
}
