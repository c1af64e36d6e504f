// SPDX-License-Identifier: Apache-2.0

package server

import (
	"encoding/binary"

	"doorstep/tracking/wire"
)

// Of what apps send, nearly all is plain: a text in one frame, masked, no longer than it may be. Those are taken
// apart here (RFC 6455, section 5.2). What is anything else, down to the smallest doubt, is left to the library as it came:
//
//	 0               1               2 … (8)
//	|1 000 0001     |1 length       | (length, if 126) | key, 4 bytes | text, masked
//	 final, text     masked
type framing uint8

const (
	partial framing = iota // more of it has to come
	plain
	unusual // for the library
)

const (
	finalText  = 0x81
	maskBit    = 0x80
	longLength = 126 // a length of two bytes follows
	keyBytes   = 4
)

// plainFrame is the first frame of what came in. Its text is unmasked in place; rest is what follows.
func plainFrame(b []byte) (text, rest []byte, is framing) {
	if len(b) == 0 {
		return nil, nil, partial
	}
	if b[0] != finalText {
		return nil, nil, unusual
	}
	if len(b) < 2 {
		return nil, nil, partial
	}
	head, size := 2, int(b[1]&^maskBit)
	switch {
	case b[1]&maskBit == 0, size > longLength:
		return nil, nil, unusual
	case size == longLength:
		if head = 4; len(b) < head {
			return nil, nil, partial
		}
		size = int(binary.BigEndian.Uint16(b[2:]))
	}
	if size > wire.MaxIn {
		return nil, nil, unusual
	}
	from := head + keyBytes
	if len(b) < from+size {
		return nil, nil, partial
	}
	text = b[from : from+size : from+size]
	unmask(text, binary.LittleEndian.Uint32(b[head:]))
	return text, b[from+size:], plain
}

// unmask takes the key off, eight bytes at a time and then one by one.
func unmask(b []byte, key uint32) {
	twice := uint64(key)<<32 | uint64(key)
	for ; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^twice)
	}
	for i := range b {
		b[i] ^= byte(key >> (8 * (i % keyBytes)))
	}
}
