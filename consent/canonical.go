// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Canonical is v as canonical JSON (RFC 8785), for hashing. Numbers must be integers of at most 53
// bits, which is all the ledger uses and where the standard needs no number formatting of its own.
func Canonical(v any) ([]byte, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, fmt.Errorf("canonical JSON: %w", err)
	}
	return appendCanonical(nil, tree)
}

// digest is the SHA-256 of the canonical form, in hex.
func digest(v any) (string, error) {
	data, err := Canonical(v)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

func appendCanonical(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		return appendString(b, v)
	case json.Number:
		return appendInteger(b, v)
	case []any:
		return appendArray(b, v)
	case map[string]any:
		return appendObject(b, v)
	}
	return nil, fmt.Errorf("canonical JSON: a %T cannot be in it", v)
}

func appendInteger(b []byte, n json.Number) ([]byte, error) {
	i, err := n.Int64()
	if err != nil || i > 1<<53 || i < -(1<<53) {
		return nil, fmt.Errorf("canonical JSON: %s is not an integer of at most 53 bits", n)
	}
	return strconv.AppendInt(b, i, 10), nil
}

func appendArray(b []byte, list []any) (_ []byte, err error) {
	b = append(b, '[')
	for i, v := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendCanonical(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendObject(b []byte, m map[string]any) (_ []byte, err error) {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareUTF16)
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendString(b, k); err != nil {
			return nil, err
		}
		if b, err = appendCanonical(append(b, ':'), m[k]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

// compareUTF16 orders keys as RFC 8785 §3.2.3 wants: by UTF-16 code units. Up to U+DFFF that is the order of
// their bytes.
func compareUTF16(a, b string) int {
	if lowUTF8(a) && lowUTF8(b) {
		return strings.Compare(a, b)
	}
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// lowUTF8 reports whether there is nothing above U+DFFF in a string.
func lowUTF8(s string) bool {
	for i := range len(s) {
		if s[i] >= 0xEE {
			return false
		}
	}
	return true
}

var errUTF8 = errors.New("canonical JSON: a string is not valid UTF-8")

// appendString escapes as ECMAScript's JSON.stringify does: quote, backslash and control
// characters only. (encoding/json also escapes U+2028 and, by default, <, > and &.)
func appendString(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, errUTF8
	}
	b = append(b, '"')
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c >= 0x20:
			b = append(b, c)
		default:
			b = appendControl(b, c)
		}
	}
	return append(b, '"'), nil
}

func appendControl(b []byte, c byte) []byte {
	if i := strings.IndexByte("\b\t\n\f\r", c); i >= 0 {
		return append(b, '\\', "btnfr"[i])
	}
	return fmt.Appendf(b, `\u%04x`, c)
}
