// SPDX-License-Identifier: Apache-2.0

package tracking

import "hash/fnv"

var (
	wordNames  = [...]string{"Maple", "Cedar", "River", "Amber", "Comet", "Coral", "Daisy", "Ember", "Falcon", "Ginger", "Harbor", "Indigo", "Juniper", "Kite", "Lemon", "Mango", "Nectar", "Olive", "Pebble", "Quartz", "Robin", "Saffron", "Tulip", "Velvet", "Willow", "Acorn", "Birch", "Clover", "Dune", "Fjord", "Glacier", "Hazel"}
	wordShapes = [...]string{"▲", "●", "◆", "■", "⬡", "★"}
	wordHues   = [...]string{"green", "blue", "orange", "violet", "red", "teal"}
)

// Word is what phone and console both show for a visit, so that nobody has to be called by name
// across a shop: a name, a shape and a colour ("Maple ▲ green"). It follows from the visit's
// pseudonym, so it is fresh for each visit, needs no storage, and is the same on every node.
func Word(visit string) string {
	h := fnv.New64a()
	h.Write([]byte(visit)) //nolint:errcheck // a hash never fails
	x := h.Sum64()
	name := wordNames[x%uint64(len(wordNames))]
	shape := wordShapes[(x>>16)%uint64(len(wordShapes))]
	hue := wordHues[(x>>32)%uint64(len(wordHues))]
	return name + " " + shape + " " + hue
}
