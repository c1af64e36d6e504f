// SPDX-License-Identifier: Apache-2.0

package demostore

import (
	_ "embed"
	"sync"

	"doorstep/tracking/cards"
)

//go:embed cards.json
var text []byte

var deck = sync.OnceValue(func() *cards.Deck {
	d, err := cards.Read(text, nil)
	if err != nil {
		panic("demostore: " + err.Error()) // a test reads them
	}
	return d
})

// Cards are the demo store's context cards; nil for any other store.
func Cards(store string) *cards.Deck {
	if store != ID {
		return nil
	}
	return deck()
}
