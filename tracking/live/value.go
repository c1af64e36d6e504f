// SPDX-License-Identifier: Apache-2.0

package live

import "encoding/binary"

// A visit's value, in Redis and in the twin:
//
//	tombstone     'T'
//	registration  'R'  n  owner(n bytes)  seq(8 bytes, big-endian, two's complement)  payload
//
// An empty payload is a registration without a position: nobody wrote yet, or it was blanked. The
// owner comes first so that the script can compare 'R', n and owner as one piece.
const (
	tombstone    = "T"
	registration = 'R'
)

// appendValue appends a registration to b.
func appendValue(b []byte, owner string, seq int64, payload []byte) []byte {
	b = append(b, registration, byte(len(owner)))
	b = append(b, owner...)
	b = binary.BigEndian.AppendUint64(b, uint64(seq))
	return append(b, payload...)
}

// ownerOf returns the owner in a value; ok is false for a tombstone and for anything that is not ours.
func ownerOf(value string) (owner string, ok bool) {
	if len(value) < 2 || value[0] != registration {
		return "", false
	}
	end := 2 + int(value[1])
	if len(value) < end+8 {
		return "", false
	}
	return value[2:end], true
}

// position returns the payload in a value; ok is false for a tombstone, for a registration
// without a position and for anything that is not ours.
func position(value string) (payload []byte, ok bool) {
	if len(value) < 2 || value[0] != registration {
		return nil, false
	}
	head := 2 + int(value[1]) + 8
	if len(value) <= head {
		return nil, false
	}
	return []byte(value[head:]), true
}
