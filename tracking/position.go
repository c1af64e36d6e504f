// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"encoding/binary"
	"math"
)

// A position as it is written: some twenty bytes, since Redis hashes and copies every one of them
// several times a second for every shopper.
//
//	version  flags  t(6)  lat(4)  lng(4)  uvarint accuracy  varint level  zone
//
// t is in milliseconds, lat and lng in 1e-7 degrees (a centimetre), all big-endian; the accuracy in
// decimetres. The zone's id goes to the end.
const (
	positionVersion = 0x02 // no text begins with it: earlier versions wrote JSON
	positionFixed   = 1 + 1 + 6 + 4 + 4

	flagLevel  = 1 // the level is known
	flagLikely = 2 // the zone is likely, not certain

	perDegree = 1e7
	perMetre  = 10
)

// append writes the position: once per accepted fix.
func (p *Position) append(b []byte) []byte {
	var flags byte
	if p.HasLevel {
		flags |= flagLevel
	}
	if p.Likely {
		flags |= flagLikely
	}
	b = append(b, positionVersion, flags)
	b = binary.BigEndian.AppendUint16(b, uint16(p.T>>32))
	b = binary.BigEndian.AppendUint32(b, uint32(p.T))
	b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(p.Lat*perDegree))))
	b = binary.BigEndian.AppendUint32(b, uint32(int32(math.Round(p.Lng*perDegree))))
	b = binary.AppendUvarint(b, uint64(math.Round(p.AccuracyM*perMetre)))
	b = binary.AppendVarint(b, int64(p.Level))
	return append(b, p.Zone...)
}

// decodePosition reads what append wrote; not ok for anything else, a blanking and other versions included.
func decodePosition(b []byte) (p Position, ok bool) {
	if len(b) < positionFixed || b[0] != positionVersion {
		return p, false
	}
	p.HasLevel, p.Likely = b[1]&flagLevel != 0, b[1]&flagLikely != 0
	p.T = int64(binary.BigEndian.Uint16(b[2:]))<<32 | int64(binary.BigEndian.Uint32(b[4:]))
	p.Lat = float64(int32(binary.BigEndian.Uint32(b[8:]))) / perDegree
	p.Lng = float64(int32(binary.BigEndian.Uint32(b[12:]))) / perDegree
	b = b[positionFixed:]
	accuracy, n := binary.Uvarint(b)
	if n <= 0 {
		return Position{}, false
	}
	level, m := binary.Varint(b[n:])
	if m <= 0 {
		return Position{}, false
	}
	p.AccuracyM, p.Level, p.Zone = float64(accuracy)/perMetre, int(level), string(b[n+m:])
	return p, true
}
