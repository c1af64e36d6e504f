// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"strconv"

	"doorstep/geofence"
)

// someplace is where the yardstick's phones are: nothing there reads it.
var someplace = geofence.LatLng{Lat: 56.5000123, Lng: 3.2000456}

// appendFix appends the frame of a fix as phones write it: in the foreground, precise.
func appendFix(b []byte, seq, t int64, at geofence.LatLng, level int, accuracyM int64) []byte {
	b = append(b, `{"type":"fix","seq":`...)
	b = strconv.AppendInt(b, seq, 10)
	b = append(b, `,"t":`...)
	b = strconv.AppendInt(b, t, 10)
	b = append(b, `,"lat":`...)
	b = strconv.AppendFloat(b, at.Lat, 'f', 7, 64)
	b = append(b, `,"lng":`...)
	b = strconv.AppendFloat(b, at.Lng, 'f', 7, 64)
	b = append(b, `,"level":`...)
	b = strconv.AppendInt(b, int64(level), 10)
	b = append(b, `,"accuracy_m":`...)
	b = strconv.AppendInt(b, accuracyM, 10)
	return append(b, `,"accuracy_basis":"p68","app_state":"foreground","precise":true}`...)
}
