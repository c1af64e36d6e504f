// SPDX-License-Identifier: Apache-2.0

package mapjson

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

func nested(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }

// What is read, and what is refused for which place, at the exact limits.
func TestRead(t *testing.T) {
	long := strings.Repeat("n", 150)
	for _, c := range []struct {
		name, text string
		left       int
		says       string // of the error; empty: it is read
	}{
		{"a value of each kind", `{"a":[1.5,"x",true,null],"b":{}}`, 7, ""},
		{"one value too many", `{"a":[1.5,"x",true,null],"b":{}}`, 6, "the map holds more than 2000000 values"},
		{"as deep as it may be", nested(maxDepth), maxDepth, ""},
		{"one deeper", nested(maxDepth + 1), 100, "nested deeper than 24"},
		{"objects one deeper", strings.Repeat(`{"a":`, maxDepth) + "{}" + strings.Repeat("}", maxDepth), 100, "nested deeper than 24"},
		{"a byte order mark", "\ufeff{}", 1, ""},
		{"two of them", "\ufeff\ufeff{}", 1, "line 1, column 1: "},
		{"one later", "[1,\ufeff2]", 9, "line 1"},
		{"a mark does not move columns", "\ufeff[\n{\"a\":1,\"a\":2}]", 9, `line 2, column 11: member "a" is there twice`},
		{"a member twice, deep down", `{"a":{"b":[{"c":1,"d":2,"c":1}]}}`, 9, `member "c" is there twice`},
		{"a member twice, spelt differently", `{"\u0061":1,"a":1}`, 9, `member "a" is there twice`},
		{"a member of two objects", `[{"a":1},{"a":1}]`, 5, ""},
		{"two documents", "{} {}", 9, "something follows the document"},
		{"a bracket too many", "{}}", 9, "line 1, column "},
		{"nothing", "", 9, "line 1, column 1: the document ends too early"},
		{"half a list", "[1,\n2", 9, "line 2, column 2: the document ends too early"},
		{"half a text", `["ab`, 9, "the document ends too early"},
		{"half an object", `{"a"`, 9, "the document ends too early"},
		{"a name that is no text", `{1:2}`, 9, "line 1"},
		{"names that are as long as the file", `{"` + long + long + `":1,"` + long + long + `":1}`, 9, "nnn…"},
	} {
		t.Run(c.name, func(t *testing.T) {
			left := c.left
			v, err := Read([]byte(c.text), &left)
			if c.says == "" {
				if err != nil || left != 0 {
					t.Errorf("%v, %d values left", err, left)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.says) || len(err.Error()) > 300 || v != nil {
				t.Errorf("read %v, said %v, want %q", v, err, c.says)
			}
		})
	}
	left := 7
	v, _ := Read([]byte(`{"a":[1.5,"x",true,null],"b":{}}`), &left)
	if want := map[string]any{"a": []any{1.5, "x", true, nil}, "b": map[string]any{}}; !reflect.DeepEqual(v, want) {
		t.Errorf("read %v", v)
	}
}

func TestReadBoundsTheLength(t *testing.T) {
	left := 1
	if _, err := Read(append(bytes.Repeat([]byte(" "), MaxBytes-1), '1'), &left); err != nil {
		t.Errorf("%d bytes: %v", MaxBytes, err)
	}
	if _, err := Read(append(bytes.Repeat([]byte(" "), MaxBytes), '1'), &left); err == nil || err.Error() != "it is longer than 16 MB" {
		t.Errorf("one more: %v", err)
	}
}
