// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"encoding/json"
	"strconv"
)

// append writes the position as JSON, without reflection: once per accepted fix.
func (p *Position) append(b []byte) []byte {
	b = append(b, `{"t":`...)
	b = strconv.AppendInt(b, p.T, 10)
	b = append(b, `,"lat":`...)
	b = strconv.AppendFloat(b, p.Lat, 'f', 7, 64)
	b = append(b, `,"lng":`...)
	b = strconv.AppendFloat(b, p.Lng, 'f', 7, 64)
	b = append(b, `,"accuracy_m":`...)
	b = strconv.AppendFloat(b, p.AccuracyM, 'f', 1, 64)
	b = append(b, `,"level":`...)
	b = strconv.AppendInt(b, int64(p.Level), 10)
	if p.HasLevel {
		b = append(b, `,"has_level":true`...)
	}
	if p.Zone != "" {
		b = append(b, `,"zone":`...)
		b = appendString(b, p.Zone)
	}
	if p.Likely {
		b = append(b, `,"likely":true`...)
	}
	return append(b, '}')
}

func decodePosition(b []byte) (Position, bool) {
	var p Position
	return p, len(b) > 0 && json.Unmarshal(b, &p) == nil
}

// appendString quotes an id from a map: nearly always plain, so the general case may be slow.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(s) // a string always marshals
			return append(b, quoted...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}
