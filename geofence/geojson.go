// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"doorstep/geofence/internal/mapjson"
)

// feature is a GeoJSON feature that the loader has a use for.
type feature struct {
	where  Where
	id     string
	kind   string // boundary, zone, door or opening; empty if the map does not say
	props  map[string]any
	typ    string // of the geometry
	coords any

	read   bool // shape, traces and sound are set
	shape  MultiPolygon
	traces [][]trace // for each ring of shape
	sound  bool
}

const (
	maxFeatures = 20_000
	maxText     = 200 // bytes of a name or an id
)

// readFile takes a file apart.
func (l *loader) readFile(src Source) {
	w := inFile(src.Name)
	doc, err := mapjson.Read(src.Data, &l.values)
	if err != nil {
		l.fail(w, "is not JSON that can be read: "+err.Error(), "export the map again as GeoJSON")
		return
	}
	root, list, ok := l.collection(w, doc)
	if !ok {
		return
	}
	if len(list) > maxFeatures {
		l.fail(w, fmt.Sprintf("%d features are more than %d", len(list), maxFeatures), "leave out what is not a boundary, a unit or a door")
		return
	}
	l.readHeader(w, root)
	unused := map[string]int{}
	for i, v := range list {
		l.readFeature(w.feature(i, ""), v, unused)
	}
	for _, kind := range sortedKeys(unused) {
		l.unused = append(l.unused, Note{w, leftOut(kind, unused[kind])})
	}
}

// kindName is a kind as notes count it: not more of them than anybody reads.
func (l *loader) kindName(kind string, counted map[string]int) string {
	const most = 20
	if _, known := counted[kind]; !known && (len(counted) >= most || len(kind) > maxText) {
		return "…"
	}
	return kind
}

func leftOut(kind string, n int) string {
	if kind == "" {
		return fmt.Sprintf("features without a kind, left out: %d", n)
	}
	return fmt.Sprintf("features of kind %q, left out: %d", kind, n)
}

// collection finds the features of a document. A Feature or a geometry alone is taken as a collection
// of one.
func (l *loader) collection(w Where, doc any) (root map[string]any, list []any, ok bool) {
	root, ok = doc.(map[string]any)
	typ, _ := root["type"].(string)
	_, geometry := axes[typ]
	switch {
	case !ok:
		l.fail(w, "is not an object", wrapRemedy)
	case typ == "FeatureCollection":
		if list, ok = root["features"].([]any); !ok {
			l.fail(w, `is a FeatureCollection without a list of "features"`, wrapRemedy)
		}
	case typ == "Feature":
		l.note(w, "is a Feature alone; it is taken as a collection of one")
		root, list = map[string]any{"bbox": root["bbox"]}, []any{root}
	case geometry:
		l.note(w, "is a geometry alone; it is taken as a collection of one feature")
		root, list = map[string]any{"bbox": root["bbox"]}, []any{map[string]any{"type": "Feature", "geometry": root}}
	default:
		l.fail(w, fmt.Sprintf("type %s is not a FeatureCollection", brief(root["type"])), wrapRemedy)
		ok = false
	}
	return root, list, ok
}

const wrapRemedy = `wrap the features in {"type":"FeatureCollection","features":[…]}`

// readHeader reads the collection's foreign members.
func (l *loader) readHeader(w Where, root map[string]any) {
	for _, m := range []struct {
		name string
		into *string
	}{{"store_id", &l.storeID}, {"store_name", &l.storeName}} {
		v := root[m.name]
		if v == nil {
			continue
		}
		s, isText := l.text(w, m.name, v)
		if isText && *m.into != "" && *m.into != s {
			l.fail(w, fmt.Sprintf("%s %q differs from %q in another file", m.name, s, *m.into), "load the files of one store only")
		}
		*m.into = s
	}
	if v, ok := root["bearing"]; ok {
		l.readBearing(w, v)
	}
	l.checkBBox(w, root["bbox"])
}

func (l *loader) readBearing(w Where, v any) {
	b, ok := v.(float64)
	switch {
	case !ok || b < 0 || b >= 360:
		l.fail(w, fmt.Sprintf("bearing %s is not an angle", brief(v)), "give degrees clockwise from north, 0 up to 360")
	case l.bearing != nil && *l.bearing != b:
		l.fail(w, fmt.Sprintf("bearing %v differs from %v in another file", b, *l.bearing), "give all levels the same bearing")
	default:
		l.bearing = &b
	}
}

func (l *loader) checkBBox(w Where, v any) {
	list, _ := v.([]any)
	if v == nil || (len(list) == 4 || len(list) == 6) && allNumbers(list) {
		return
	}
	l.fail(w, "bbox is not a list of four or six numbers", "write [west, south, east, north], or leave it out")
}

func allNumbers(list []any) bool {
	for _, v := range list {
		if _, ok := v.(float64); !ok {
			return false
		}
	}
	return true
}

func (l *loader) readFeature(w Where, v any, unused map[string]int) {
	m, _ := v.(map[string]any)
	if t, _ := m["type"].(string); t != "Feature" {
		l.fail(w, fmt.Sprintf("type %s is not Feature", brief(m["type"])), `each entry of "features" needs "type":"Feature"`)
		return
	}
	id, ok := featureID(m["id"])
	if !ok {
		l.fail(w, "its id is neither text nor a number", "give it an id such as \"shoes\", or leave the id out")
		return
	}
	w = w.feature(w.Feature, id[:min(len(id), maxText)])
	props, ok := m["properties"].(map[string]any)
	if !ok && m["properties"] != nil {
		l.fail(w, "properties is not an object", `write "properties":{"kind":"unit","floor":0}`)
		return
	}
	kind, _ := props["kind"].(string)
	if kind == "unit" {
		kind = "zone"
	}
	typ, coords, ok := l.geometry(w, m["geometry"])
	if !ok {
		return
	}
	id, _ = l.text(w, "id", id)
	f := &feature{where: w, id: id, kind: kind, props: props, typ: typ, coords: coords}
	switch kind {
	case "boundary", "zone", "door", "opening":
		l.features = append(l.features, f)
		return
	case "":
		if isArea(typ) {
			l.plain = append(l.plain, f)
		}
	default:
		l.kinds = true
	}
	unused[l.kindName(kind, unused)]++
	l.positions(w, coords, axes[typ])
}

// featureID accepts what RFC 7946 §3.2 does: a string, a number, or nothing.
func featureID(v any) (string, bool) {
	switch id := v.(type) {
	case nil:
		return "", true
	case string:
		return id, true
	case float64:
		return strconv.FormatFloat(id, 'f', -1, 64), true
	}
	return "", false
}

// text takes a short line of text from a map. Control characters and line separators go: names end
// up in pages, logs and canonical JSON.
func (l *loader) text(w Where, member string, v any) (string, bool) {
	if v == nil {
		return "", true
	}
	s, ok := v.(string)
	if !ok {
		l.fail(w, fmt.Sprintf("%s is not text", member), "put it in quotes")
		return "", false
	}
	clean := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, s)
	clean = strings.TrimSpace(clean)
	for len(clean) > maxText {
		_, n := utf8.DecodeLastRuneInString(clean)
		clean = strings.TrimSpace(clean[:len(clean)-n])
	}
	if clean != s {
		l.note(w, member+" was cleaned of control characters, spaces around it or excess length")
	}
	return clean, true
}

// floor is the feature's level; has is false when the map does not say.
func (l *loader) floor(f *feature) (floor int, has, ok bool) {
	v := f.props["floor"]
	if v == nil {
		return 0, false, true
	}
	n, isNumber := v.(float64)
	if !isNumber || n != math.Trunc(n) || math.Abs(n) > 200 {
		l.fail(f.where, fmt.Sprintf("floor %s is not a level", brief(v)), "give a whole number, such as 0 or -1")
		return 0, true, false
	}
	return int(n), true, true
}

// flag reads an optional true or false.
func (l *loader) flag(f *feature, member string) (value, has bool) {
	v := f.props[member]
	if v == nil {
		return false, false
	}
	b, ok := v.(bool)
	if !ok {
		l.fail(f.where, fmt.Sprintf("%s is %s", member, brief(v)), "write true or false")
	}
	return b, true
}
