// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"math"
	"net/http"
	"strings"
	"sync"

	"doorstep/geofence"
)

// A store's map as phones draw it and pick cards by: every zone of every level. The fence has them too
// as long as they fit into its 64 KiB; a mall's do not. There is one address for the whole of it, on
// purpose: were levels fetched one by one, a fetch would say where somebody is going.

type (
	lngLat    [2]float64 // degrees, to a centimetre
	sheetZone struct {
		ID        string       `json:"id,omitempty"`
		Name      string       `json:"name,omitempty"`
		Class     string       `json:"class,omitempty"`
		Sensitive bool         `json:"sensitive,omitempty"`
		Polygon   [][][]lngLat `json:"polygon"`
	}
	sheetLevel struct {
		Ordinal int         `json:"ordinal"`
		Name    string      `json:"name"`
		Zones   []sheetZone `json:"zones"`
	}
	sheet struct {
		Store   string       `json:"store"`
		Version string       `json:"version"`
		Levels  []sheetLevel `json:"levels"`
	}
)

func (s *Server) storeMap(w http.ResponseWriter, r *http.Request) {
	x, err := s.versioned(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	m, err := packed(&s.sheets, x.Site(), sheetOf)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", immutable)
	m.write(w, r)
}

// pack is an encoded map, plain and compressed: a mall's is some 300 kB, and a seventh of that zipped.
// It holds nothing that only some may know, so compressing it gives nothing away.
type pack struct{ plain, zipped []byte }

// packed makes what is derived from a map once.
func packed[T any](made *sync.Map, site *geofence.Site, of func(*geofence.Site) T) (pack, error) {
	key := site.ID + "/" + site.Version
	if m, ok := made.Load(key); ok {
		return m.(pack), nil
	}
	plain, err := json.Marshal(of(site))
	if err != nil {
		return pack{}, err
	}
	zipped, err := zip(plain)
	if err != nil {
		return pack{}, err
	}
	m := pack{plain, zipped}
	made.Store(key, m)
	return m, nil
}

func (p pack) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Add("Vary", "Accept-Encoding")
	body := p.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = p.zipped
	}
	_, _ = w.Write(body) // whoever went away is not told
}

func sheetOf(site *geofence.Site) sheet {
	body := sheet{Store: site.ID, Version: site.Version, Levels: []sheetLevel{}}
	for _, l := range site.Levels {
		level := sheetLevel{Ordinal: l.Ordinal, Name: l.Name, Zones: []sheetZone{}}
		for _, z := range l.Zones {
			level.Zones = append(level.Zones, zoneOf(z))
		}
		body.Levels = append(body.Levels, level)
	}
	return body
}

// zoneOf is a zone as everyone may know it: a sensitive one is a shape and nothing else.
func zoneOf(z geofence.Zone) sheetZone {
	if z.Sensitive {
		return sheetZone{Sensitive: true, Polygon: degrees(z.Shape)}
	}
	return sheetZone{ID: z.ID, Name: z.Name, Class: z.Class, Polygon: degrees(z.Shape)}
}

func degrees(m geofence.MultiPolygon) [][][]lngLat {
	out := make([][][]lngLat, len(m))
	for i, part := range m {
		for _, ring := range part {
			points := make([]lngLat, len(ring))
			for k, p := range ring {
				points[k] = lngLat{to7(p.Lng), to7(p.Lat)}
			}
			out[i] = append(out[i], points)
		}
	}
	return out
}

func to7(degree float64) float64 { return math.Round(degree*1e7) / 1e7 }

func zip(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	err = w.Close()
	return out.Bytes(), err
}
