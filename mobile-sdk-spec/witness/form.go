// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// formOf is what a schema could tell a text by: its members and what kind of value each has, word for word where that may be
// one of a few. It is never written down.
func formOf(raw []byte) string {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return " none"
	}
	var b strings.Builder
	form(&b, v)
	return b.String()
}

func form(b *strings.Builder, v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b.WriteString("{" + name + ":")
			form(b, v[name])
		}
		b.WriteByte('}')
	case []any:
		inside := map[string]bool{}
		for _, x := range v {
			inside[formed(x)] = true
		}
		b.WriteString("[" + strings.Join(slices.Sorted(maps.Keys(inside)), ","))
		b.WriteByte(']')
	case string:
		b.WriteString(word(v))
	case float64:
		b.WriteString(number(v))
	case bool:
		b.WriteString(strconv.FormatBool(v))
	default:
		b.WriteString("null")
	}
}

func formed(v any) string {
	var b strings.Builder
	form(&b, v)
	return b.String()
}

// word is a string that may be one of an enumeration, or how long another one is, by powers of two.
func word(s string) string {
	if len(s) < 40 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '_' && r != '.' && r != ':'
	}) {
		return s
	}
	return "s" + strconv.Itoa(len(strconv.FormatInt(int64(len(s)), 2)))
}

// number tells whole from broken ones, and how large they are by powers of ten.
func number(n float64) string {
	whole := n == float64(int64(n))
	text := strconv.FormatInt(int64(n), 10)
	if whole {
		return "i" + sign(n) + strconv.Itoa(len(text))
	}
	return "f" + sign(n) + strconv.Itoa(len(text))
}

func sign(n float64) string {
	if n < 0 {
		return "-"
	}
	return ""
}
