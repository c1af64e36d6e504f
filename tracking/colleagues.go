// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"cmp"
	"slices"
)

// Whoever has an alert can hand it over to somebody who is there: each console is told who is signed in
// at this store's consoles on this node, now, and again when that changes. Nothing of it is kept, and
// it says no time.

type colleague struct {
	Shift string `json:"shift"`
	Tag   string `json:"tag"`
}

type colleaguesFrame struct {
	Type       string      `json:"type"`
	Colleagues []colleague `json:"colleagues"`
}

// introduce tells every console who is there, themselves included. Called with mu held.
func (d *desk) introduce() {
	f := colleaguesFrame{"colleagues", []colleague{}}
	for c := range d.consoles {
		f.Colleagues = append(f.Colleagues, colleague{c.person.Shift, c.person.Tag})
	}
	slices.SortFunc(f.Colleagues, func(a, b colleague) int { return cmp.Or(cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Shift, b.Shift)) })
	f.Colleagues = slices.Compact(f.Colleagues) // one person may have two screens
	for c := range d.consoles {
		c.put(outgoing{frame: f})
	}
}
