// SPDX-License-Identifier: Apache-2.0

package demostore

import (
	_ "embed"
	"encoding/json"
)

//go:embed cards.json
var cards []byte

// Cards are the demo store's context cards, whole: the phone picks.
func Cards(store string) (json.RawMessage, bool) { return cards, store == ID }
