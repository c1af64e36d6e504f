// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"strings"
	"testing"
)

// A trace says where there was no network, and who walks it has none there.
func TestATraceKeepsItsLossesOfTheNetwork(t *testing.T) {
	var trace strings.Builder
	for n := range 20 {
		fmt.Fprintf(&trace, `{"t":%d,"lat":54,"lng":3,"offline":%t}`+"\n", n*1000, n >= 5 && n < 9)
	}
	w, err := NewTraceWalker(strings.NewReader(trace.String()), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for fix, _, more := w.Next(); more; fix, _, more = w.Next() {
		if fix.Offline != (n >= 5 && n < 9) {
			t.Errorf("fix %d: offline %v", n, fix.Offline)
		}
		n++
	}
	if n != 20 {
		t.Errorf("%d fixes", n)
	}
}
