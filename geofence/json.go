// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Bounds on what a map file may hold. They are far above any real floor.
const (
	maxFileBytes = 16 << 20
	maxDepth     = 24
	maxValues    = 4_000_000
)

// readJSON parses one document into maps, slices, float64, string, bool and nil. Unlike
// json.Unmarshal it bounds depth and count, and refuses an object that names a member twice: which
// of the two holds would depend on the reader.
func readJSON(data []byte) (any, error) {
	if len(data) > maxFileBytes {
		return nil, fmt.Errorf("%d bytes is more than %d", len(data), maxFileBytes)
	}
	r := jsonReader{dec: json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))}
	v, err := r.value(0)
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("byte %d: %w", r.dec.InputOffset(), err)
	}
	if _, err := r.dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("byte %d: something follows the document", r.dec.InputOffset())
	}
	return v, nil
}

type jsonReader struct {
	dec   *json.Decoder
	count int
}

func (r *jsonReader) value(depth int) (any, error) {
	tok, err := r.dec.Token()
	if err != nil {
		return nil, err
	}
	if r.count++; r.count > maxValues {
		return nil, fmt.Errorf("more than %d values", maxValues)
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

func (r *jsonReader) array(depth int) (any, error) {
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

func (r *jsonReader) object(depth int) (any, error) {
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
