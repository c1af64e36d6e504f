// SPDX-License-Identifier: Apache-2.0

package endmodel

// canonical maps states with the same future to one of them, by forgetting what can no longer matter
// under the guards g. It makes the search more than twenty times smaller and hides nothing:
// TestCanonical holds it to that, step by step.
func (s state) canonical(g Guards) state {
	for n := range s.node {
		s.forget(g, n)
	}
	if s.success { // nobody is waited for any more
		s.wait, s.node[nodeA].awaited, s.node[nodeB].awaited = 0, false, false
	}
	if s.sinceL == Horizon { // the purge has been repeated for the last time
		s.next = 0
	}
	return s
}

// forget drops what a node that knows of the end would discard or refuse whenever it came.
func (s *state) forget(g Guards, n int) {
	v := &s.node[n]
	if !g.KnowledgeGrows || v.known == granted {
		return
	}
	v.reply = 0
	if s.phone == asking+phone(n) {
		s.phone = nowhere
	}
	if g.EpochEquality && g.RecheckOnDequeue && s.phone != open+phone(n) {
		v.known, v.lease, v.request = ended, 0, 0
	}
}
