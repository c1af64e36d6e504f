// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"encoding/binary"
	"errors"
)

// Shown is one visit's newest position, or its blanking, as it was published with the write.
type Shown struct {
	Visit   string
	Payload []byte // as written; empty says that the position was blanked
}

// ErrNotShown answers a payload that is not a list of shown positions: a hint of another kind.
var ErrNotShown = errors.New("not a list of shown positions")

// ShownVersion is the first byte of a list of shown positions. No text begins with it, so that a
// store's channel can carry JSON hints beside it.
const ShownVersion = 0x01

// The list is ShownVersion, then for each position
//
//	uvarint len(visit) · visit · uvarint len(payload) · payload
//
// to the end. The header of each is made by the sender and the payload is cut from the value in
// the script, so that a shown payload crosses the wire to Redis once.

// AppendShownHead appends what precedes a payload in the list.
func AppendShownHead(b []byte, visit string, payload int) []byte {
	b = binary.AppendUvarint(b, uint64(len(visit)))
	b = append(b, visit...)
	return binary.AppendUvarint(b, uint64(payload))
}

// DecodeShown reads what Write publishes on a store's channel, in the batch's order. The payloads
// point into b. ErrNotShown if b is something else, or cut short.
func DecodeShown(b []byte) ([]Shown, error) {
	if len(b) < 2 || b[0] != ShownVersion {
		return nil, ErrNotShown
	}
	var list []Shown
	for b = b[1:]; len(b) > 0; {
		var visit, payload []byte
		var ok bool
		if visit, b, ok = cutField(b); !ok || len(visit) == 0 {
			return nil, ErrNotShown
		}
		if payload, b, ok = cutField(b); !ok {
			return nil, ErrNotShown
		}
		list = append(list, Shown{Visit: string(visit), Payload: payload})
	}
	return list, nil
}

// cutField takes a length and as many bytes off the front.
func cutField(b []byte) (field, rest []byte, ok bool) {
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return nil, nil, false
	}
	b = b[used:]
	return b[:n:n], b[n:], true
}
