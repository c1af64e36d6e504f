// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"testing"
	"time"
)

// A console notes when it was told first; what is taken back begins anew.
func TestWatcherNotesTheFirstTime(t *testing.T) {
	w := &Watcher{alerts: make(map[string]*watched), beats: map[int64]time.Time{1: at(0)}}
	hear := func(frame string, ms int64) { w.take([]byte(frame), at(ms)) }
	hear(`{"type":"alert","alert":{"id":"a"}}`, 10)
	hear(`{"type":"alert","alert":{"id":"a"}}`, 20)
	hear(`{"type":"presence","alert":"a","presence":"hidden"}`, 30)
	hear(`{"type":"presence","alert":"a","presence":"visible"}`, 40)
	hear(`{"type":"position","alert":"a","n":1,"x":1,"y":2}`, 50)
	hear(`{"type":"presence","alert":"a","presence":"hidden"}`, 60)
	hear(`{"type":"presence","alert":"a","presence":"hidden"}`, 70)
	hear(`{"type":"position","alert":"a","n":1,"x":1,"y":2}`, 80)
	hear(`{"type":"gone","alert":"a","reason":"left_store"}`, 90)
	hear(`{"type":"gone","alert":"a","reason":"left_store"}`, 100)
	hear(`{"type":"position","alert":"a","n":1,"x":1,"y":2}`, 1000) // the beat is old: a page drops it
	a := w.alerts["a"].Seen
	if !a.Raised.Equal(at(10)) || !a.Hidden.Equal(at(60)) || !a.Gone.Equal(at(90)) || a.Reason != leftStore {
		t.Errorf("%+v", a)
	}
	if n := w.Totals(); n.Alerts != 1 || n.Dots != 2 || n.Unsafe != 1 || len(n.Last) != 2 {
		t.Errorf("%+v", n)
	}
}
