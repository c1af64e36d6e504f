// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// unknownField is a member that is not declared; its name, in quotation marks.
type unknownField string

func (f unknownField) Error() string { return "unknown field " + string(f) }

// bundles reports a member by which something else would be agreed to in the same act (brief, 3).
func (f unknownField) bundles() bool {
	switch f {
	case `"purposes"`, `"terms"`, `"consents"`, `"grants"`:
		return true
	}
	return false
}

// strict decodes one JSON value: no undeclared field, nothing after it. Its errors name a field or
// an offset and never repeat a value.
func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return fmt.Errorf("field %q must be a %s", wrong.Field, wrong.Type)
		}
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return fmt.Errorf("not JSON at byte %d", syntax.Offset)
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("the JSON ends too early")
		}
		if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
			return unknownField(name)
		}
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON value")
	}
	return nil
}
