// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"
)

// members reads a JSON file into a value by its declared members, and remembers where each stood. What
// the decoder of the standard library would stop at is collected instead: a member that is not declared
// (a misspelt one would switch something off silently), one that is there twice, one of another kind.
type members struct {
	file  string
	data  []byte
	dec   *json.Decoder
	lines map[string]int    // by path, such as "purposes[1].term_days"
	ids   map[string]string // of the objects of a list, by their path
	found []Finding
}

func readMembers(file string, data []byte, into any) *members {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // which some editors put before UTF-8
	m := &members{file: file, data: data, dec: json.NewDecoder(bytes.NewReader(data)), lines: map[string]int{}, ids: map[string]string{}}
	m.dec.UseNumber()
	if !utf8.Valid(data) {
		m.report("", "is not UTF-8 text", "Save it as UTF-8; editors call UTF-16 \"Unicode\"")
		return m
	}
	if err := m.value("", reflect.TypeOf(into).Elem()); err != nil {
		m.report("", fmt.Sprintf("not JSON: %s", m.broken(err)), "Correct it there; a comma too many or too few, or a missing quotation mark, is the usual cause")
		return m
	}
	if _, err := m.dec.Token(); !errors.Is(err, io.EOF) {
		m.report("", "something follows the closing brace", "Keep one JSON object in this file")
	}
	if len(m.found) == 0 {
		if err := json.Unmarshal(data, into); err != nil {
			m.report("", err.Error(), "Correct it")
		}
	}
	return m
}

// broken says what a syntax error is and moves the place of the report to it.
func (m *members) broken(err error) string {
	at := m.dec.InputOffset()
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		at = syntax.Offset
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		m.lines[""] = m.lineAt(int64(len(m.data)))
		return "the file ends too early"
	}
	m.lines[""] = m.lineAt(at)
	return err.Error()
}

func (m *members) lineAt(offset int64) int {
	return 1 + bytes.Count(m.data[:min(int(offset), len(m.data))], []byte("\n"))
}

func (m *members) report(path, says, remedy string) {
	m.found = append(m.found, Finding{File: m.file, Line: m.line(path), Field: m.name(path), Says: says, Remedy: remedy})
}

// line is where a member stands; of one that is missing, where the object begins that wants it.
func (m *members) line(path string) int {
	for {
		if n, ok := m.lines[path]; ok {
			return n
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return m.lines[""]
		}
		path = path[:i]
	}
}

// name is a path as people read it: "purposes[1].term_days" is "purposes pickup term_days".
func (m *members) name(path string) string {
	for p, id := range m.ids {
		if list, _, ok := strings.Cut(p, "["); ok && (path == p || strings.HasPrefix(path, p+".")) {
			return strings.TrimSpace(list + " " + id + " " + strings.TrimPrefix(strings.TrimPrefix(path, p), "."))
		}
	}
	return path
}

// value reads one value of a kind and reports what does not fit.
func (m *members) value(path string, kind reflect.Type) error {
	t, err := m.dec.Token()
	if err != nil {
		return err
	}
	if _, known := m.lines[path]; !known {
		m.lines[path] = m.lineAt(m.dec.InputOffset())
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '{' {
			return m.object(path, kind)
		}
		return m.list(path, kind)
	case string:
		m.expect(path, kind, reflect.String)
		for _, names := range []string{".id", ".store"} {
			if entry, ok := strings.CutSuffix(path, names); ok && t != "" {
				m.ids[entry] = t
			}
		}
	case bool:
		m.expect(path, kind, reflect.Bool)
	case json.Number:
		m.expect(path, kind, reflect.Int)
		if _, err := t.Int64(); err != nil && kind != nil && kind.Kind() == reflect.Int {
			m.report(path, fmt.Sprintf("%s is not a whole number", t), "Write a whole number")
		}
	case nil:
		if kind != nil {
			m.report(path, "null is no value", "Write the value, or leave the member out")
		}
	}
	return nil
}

var kindNames = map[reflect.Kind]string{
	reflect.String: "text in quotation marks", reflect.Int: "a number", reflect.Bool: "true or false",
	reflect.Struct: "an object in braces", reflect.Map: "an object in braces", reflect.Slice: "a list in brackets",
}

// expect reports a value of another kind; a nil kind is one that was refused already.
func (m *members) expect(path string, kind reflect.Type, got ...reflect.Kind) {
	if kind != nil && !slices.Contains(got, kind.Kind()) {
		m.report(path, "must be "+kindNames[kind.Kind()], "Write it like that")
	}
}

func (m *members) list(path string, kind reflect.Type) error {
	m.expect(path, kind, reflect.Slice)
	var elem reflect.Type
	if kind != nil && kind.Kind() == reflect.Slice {
		elem = kind.Elem()
	}
	for i := 0; m.dec.More(); i++ {
		if err := m.value(fmt.Sprintf("%s[%d]", path, i), elem); err != nil {
			return err
		}
	}
	_, err := m.dec.Token()
	return err
}

func (m *members) object(path string, kind reflect.Type) error {
	m.expect(path, kind, reflect.Struct, reflect.Map)
	declared, elem := memberKinds(kind)
	seen := map[string]bool{}
	for m.dec.More() {
		t, err := m.dec.Token()
		if err != nil {
			return err
		}
		key, _ := t.(string)
		inner := strings.TrimPrefix(path+"."+key, ".")
		if seen[key] {
			m.report(inner, "is there twice", "Keep one of them")
		}
		seen[key], m.lines[inner] = true, m.lineAt(m.dec.InputOffset())
		of, ok := declared[key]
		switch {
		case !ok && elem != nil:
			of = elem
		case !ok && declared != nil:
			m.report(inner, fmt.Sprintf("%q is not a member of this object", key), "Take it out, or write it as one of: "+strings.Join(sortedKeys(declared), ", "))
		}
		if err := m.value(inner, of); err != nil {
			return err
		}
	}
	_, err := m.dec.Token()
	return err
}

// memberKinds are the members of a struct by their JSON names, or the kind of a map's values.
func memberKinds(kind reflect.Type) (declared map[string]reflect.Type, elem reflect.Type) {
	switch {
	case kind == nil:
		return nil, nil
	case kind.Kind() == reflect.Map:
		return nil, kind.Elem()
	case kind.Kind() != reflect.Struct:
		return nil, nil
	}
	declared = map[string]reflect.Type{}
	for f := range kind.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			declared[name] = f.Type
			if f.Type.Kind() == reflect.Pointer { // a member that may be left out, which says something
				declared[name] = f.Type.Elem()
			}
		}
	}
	return declared, nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
