// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// Bounds on what is looked at before anything is known about the sender.
const (
	maxToken = 4 << 10 // bytes of a compact JWS; what is longer is not even split
	maxDepth = 4       // of nested objects and arrays in a header or a claims set
	maxNames = 64      // members of all objects together
)

// A JWS header member that makes the verifier fetch, trust or interpret something that the sender
// chose (RFC 8725, sections 3.9 and 3.10). None has a use here.
var hostileHeaders = []string{"jku", "x5u", "x5c", "crit", "b64", "zip", "enc"}

// compact is a JWS whose three parts were decoded strictly and whose JSON is unambiguous. Nothing
// about it is verified.
type compact struct {
	header map[string]any // numbers as json.Number
	claims map[string]any
}

// openCompact takes a compact JWS apart, refusing whatever two parsers could read differently:
// bytes outside the base64url alphabet (Go's decoder skips line breaks), stray trailing bits,
// duplicate or undecodable names, and JSON that is nested deeper than any real token.
func openCompact(raw string) (compact, error) {
	if len(raw) > maxToken {
		return compact{}, errors.New("longer than 4 KiB")
	}
	if strings.Count(raw, ".") != 2 {
		return compact{}, errors.New("not three parts")
	}
	head, rest, _ := strings.Cut(raw, ".")
	body, sig, _ := strings.Cut(rest, ".")
	if _, err := decodePart(sig); err != nil {
		return compact{}, err
	}
	var c compact
	var err error
	if c.header, err = decodeObject(head); err != nil {
		return compact{}, err
	}
	if c.claims, err = decodeObject(body); err != nil {
		return compact{}, err
	}
	for _, name := range hostileHeaders {
		if _, there := c.header[name]; there {
			return compact{}, errors.New("header carries " + name)
		}
	}
	return c, nil
}

var strictBase64 = base64.RawURLEncoding.Strict()

func decodePart(s string) ([]byte, error) {
	if s == "" || strings.ContainsAny(s, "\r\n") {
		return nil, errors.New("not base64url")
	}
	b, err := strictBase64.DecodeString(s)
	if err != nil {
		return nil, errors.New("not base64url")
	}
	return b, nil
}

func decodeObject(part string) (map[string]any, error) {
	b, err := decodePart(part)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(b) {
		return nil, errors.New("not UTF-8")
	}
	if err := unambiguous(b); err != nil {
		return nil, err
	}
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&m); err != nil || m == nil {
		return nil, errors.New("not a JSON object")
	}
	return m, nil
}

// unambiguous walks the JSON once and refuses a second value, a name given twice in one object
// (after undoing escapes), and too much nesting or too many names.
func unambiguous(b []byte) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	w := walker{d: d}
	if err := w.value(0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

type walker struct {
	d     *json.Decoder
	names int
}

func (w *walker) value(depth int) error {
	t, err := w.d.Token()
	if err != nil {
		return errors.New("not JSON")
	}
	open, nested := t.(json.Delim)
	if !nested {
		return nil
	}
	if depth++; depth > maxDepth {
		return errors.New("nested too deep")
	}
	seen := make(map[string]bool)
	for w.d.More() {
		if open == '{' {
			if err := w.name(seen); err != nil {
				return err
			}
		}
		if err := w.value(depth); err != nil {
			return err
		}
	}
	if _, err := w.d.Token(); err != nil { // the closing bracket
		return errors.New("not JSON")
	}
	return nil
}

func (w *walker) name(seen map[string]bool) error {
	t, err := w.d.Token()
	name, ok := t.(string)
	if err != nil || !ok {
		return errors.New("not JSON")
	}
	if w.names++; w.names > maxNames {
		return errors.New("too many names")
	}
	if seen[name] {
		return errors.New("a name twice")
	}
	seen[name] = true
	return nil
}
