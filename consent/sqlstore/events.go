// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"encoding/json"
	"fmt"

	"doorstep/consent"
)

// keptEvent is what is kept of a decision or of an end: all that names somebody or could be found outside,
// its place in the log among it. It is sealed under the key of whom it is about.
type keptEvent struct {
	Record  *consent.Record `json:"record,omitempty"` // of a decision
	Choice  consent.Choice  `json:"choice,omitempty"` // of a decision: a record does not tell a visit from a term
	Ending  *consent.Ending `json:"ending,omitempty"` // of an end
	Index   int64           `json:"index"`
	Key     string          `json:"key"` // of the leaf, hex
	Receipt string          `json:"receipt"`
}

func sealEvent(p person, place string, e keptEvent) (string, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("sqlstore: %w", err)
	}
	return p.seal(place, text), nil
}

func openEvent(p person, place, sealed string) (e keptEvent, err error) {
	text, err := p.open(place, sealed)
	if err != nil {
		return e, err
	}
	if err := json.Unmarshal(text, &e); err != nil {
		return e, fmt.Errorf("sqlstore: %s: %w", place, err)
	}
	return e, nil
}

// text is open for what is text.
func (p person) text(place, sealed string) (string, error) {
	text, err := p.open(place, sealed)
	return string(text), err
}
