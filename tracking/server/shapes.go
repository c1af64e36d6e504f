// SPDX-License-Identifier: Apache-2.0

package server

import (
	"math"

	"doorstep/geofence"
)

// bounds is minx, miny, maxx, maxy in metres.
type bounds [4]float64

func newBounds() bounds {
	return bounds{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
}

func (b *bounds) add(x, y float64) {
	b[0], b[1] = min(b[0], x), min(b[1], y)
	b[2], b[3] = max(b[2], x), max(b[3], y)
}

func (b *bounds) middle() xy { return xy{round((b[0] + b[2]) / 2), round((b[1] + b[3]) / 2)} }

// localShape is a shape in the store's own metres, to the centimetre; b grows to hold it.
func localShape(f geofence.Frame, m geofence.MultiPolygon, b *bounds) [][][]xy {
	shape := make([][][]xy, len(m))
	for i, part := range m {
		shape[i] = make([][]xy, len(part))
		for j, ring := range part {
			shape[i][j] = make([]xy, len(ring))
			for k, p := range ring {
				x, y := f.XY(p)
				shape[i][j][k] = xy{round(x), round(y)}
				b.add(x, y)
			}
		}
	}
	return shape
}

func round(m float64) float64 { return math.Round(m*100) / 100 }
