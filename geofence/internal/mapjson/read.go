// SPDX-License-Identifier: Apache-2.0

// Package mapjson reads the JSON of map files within bounds, so that no file, however made, costs
// more memory or depth than a large real one.
package mapjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds on what a map may hold. They are far above any real floor.
const (
	MaxBytes  = 16 << 20  // of one file
	MaxValues = 2_000_000 // numbers, texts, lists and objects of all files of a map together
	maxDepth  = 24
)

// Read parses one document into maps, slices, float64, string, bool and nil. Unlike json.Unmarshal
// it bounds depth and count, and refuses an object that names a member twice: which of the two holds
// would depend on the reader. What it reads is taken from left, which starts at MaxValues and may be
// shared by several files. An error names the line and column where reading stopped.
func Read(data []byte, left *int) (any, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("it is longer than %d MB", MaxBytes>>20)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // some editors' mark, which is no part of JSON
	r := reader{dec: json.NewDecoder(bytes.NewReader(data)), left: left}
	v, err := r.value(0)
	if err == nil {
		if _, err = r.dec.Token(); errors.Is(err, io.EOF) {
			return v, nil
		}
		err = errors.New("something follows the document")
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the document ends too early")
	}
	return nil, fmt.Errorf("%s: %s", place(data, r.dec.InputOffset()), brief(err.Error()))
}

// brief cuts what the file's own text can make as long as the file.
func brief(text string) string {
	const most = 200
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// place counts lines and columns from 1, as editors do; columns in bytes.
func place(data []byte, offset int64) string {
	before := data[:min(int(offset), len(data))]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Sprintf("line %d, column %d", line, len(before)-bytes.LastIndexByte(before, '\n'))
}

type reader struct {
	dec  *json.Decoder
	left *int
}

func (r *reader) value(depth int) (any, error) {
	tok, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	if *r.left--; *r.left < 0 {
		return nil, fmt.Errorf("the map holds more than %d values", MaxValues)
	}
	open, ok := tok.(json.Delim)
	if !ok {
		return tok, nil
	}
	if depth == maxDepth {
		return nil, fmt.Errorf("nested deeper than %d", maxDepth)
	}
	if open == '[' {
		return r.array(depth + 1)
	}
	return r.object(depth + 1)
}

func (r *reader) array(depth int) (any, error) {
	list := []any{}
	for r.dec.More() {
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	_, err := r.dec.Token() // the closing bracket
	return list, err
}

func (r *reader) object(depth int) (any, error) {
	members := map[string]any{}
	for r.dec.More() {
		tok, err := r.dec.Token()
		if err != nil {
			return nil, err
		}
		name, _ := tok.(string)
		if _, twice := members[name]; twice {
			return nil, fmt.Errorf("member %q is there twice", name)
		}
		if members[name], err = r.value(depth); err != nil {
			return nil, err
		}
	}
	_, err := r.dec.Token()
	return members, err
}
