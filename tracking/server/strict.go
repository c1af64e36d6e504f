// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
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

// repeatedField is a declared member that is there more than once. Which of them was meant nobody can tell.
type repeatedField string

func (f repeatedField) Error() string { return fmt.Sprintf("field %q is given twice", string(f)) }

// bundles reports that two purposes are decided on in one act.
func (f repeatedField) bundles() bool { return f == "purpose" }

// strict decodes one JSON object into a struct that holds no other: no undeclared member, none twice, nothing
// after it. Its errors name a field or an offset and never repeat a value.
func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	err := checkNames(d, declared(reflect.TypeOf(v).Elem()))
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("field %q must be a %s", wrong.Field, wrong.Type)
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("not JSON at byte %d", syntax.Offset)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the JSON ends too early")
	}
	return err
}

// checkNames reads one object and weighs its members by their names, letter by letter. encoding/json by itself takes
// "Choice" for "choice", and of two the last.
func checkNames(d *json.Decoder, declared map[string]bool) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	seen := make(map[string]bool, len(declared))
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		switch {
		case !declared[name]:
			return unknownField(strconv.Quote(name))
		case seen[name]:
			return repeatedField(name)
		}
		seen[name] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the JSON object")
	}
	return nil
}

// declared are the names of a struct's members in JSON.
func declared(body reflect.Type) map[string]bool {
	names := make(map[string]bool, body.NumField())
	for f := range body.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		names[name] = true
	}
	return names
}
