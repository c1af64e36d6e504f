// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// What a schema says has names, so that a whole test run can be asked for each of them: "http-ticket.url" is a member, "http-prompt without
// title" a body that left that one out, "alert.kind = help" one of the values that there are, ".*" whatever is under names that are not fixed.
// A form that several schemas refer to has a name of its own, and is asked for once.

// Shown names what a body or frame shows of a schema that it fits. The error names a member that the schema does not speak of: it
// is not documented, even where other members are allowed.
func Shown(schema string, raw []byte) ([]string, error) {
	all, err := schemas()
	if err != nil {
		return nil, err
	}
	s, ok := all[schema]
	if !ok {
		return nil, fmt.Errorf("spec: there is no schema %q", schema)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("spec: %s: not one JSON value: %w", schema, err)
	}
	t := tour{names: map[string]bool{}}
	t.show(s, schema, v)
	if len(t.unspoken) > 0 {
		slices.Sort(t.unspoken)
		return nil, fmt.Errorf("spec: %s is sent, and its schema does not speak of it: declare it there", strings.Join(t.unspoken, ", "))
	}
	return slices.Sorted(maps.Keys(t.names)), nil
}

// declares names everything that a schema says.
func declares(schema string) ([]string, error) {
	all, err := schemas()
	if err != nil {
		return nil, err
	}
	s, ok := all[schema]
	if !ok {
		return nil, fmt.Errorf("spec: there is no schema %q", schema)
	}
	t := tour{names: map[string]bool{}, been: map[string]bool{}}
	t.declare(s, schema)
	return slices.Sorted(maps.Keys(t.names)), nil
}

// tour goes through a schema, with a value or without.
type tour struct {
	names    map[string]bool
	been     map[string]bool // where, so that a form which refers to itself has an end
	unspoken []string        // members of the value
}

// form is what a schema refers to, under its own name, or the schema itself.
func form(s *jsonschema.Schema, name string) (*jsonschema.Schema, string) {
	if s.Ref == nil {
		return s, name
	}
	file, within, _ := strings.Cut(s.Ref.Location, "#")
	if within == "" {
		within = strings.TrimSuffix(file, ".json")
	}
	return form(s.Ref, path.Base(within))
}

func member(name, of string) string  { return name + "." + of }
func without(name, of string) string { return name + " without " + of }
func oneOf(name string, v any) string {
	if text, ok := v.(string); ok {
		return name + " = " + text
	}
	raw, _ := json.Marshal(v) // out of a schema
	return name + " = " + string(raw)
}

// isNull reports whether an alternative is that there is nothing.
func isNull(s *jsonschema.Schema) bool {
	return s.Types != nil && slices.Equal(s.Types.ToStrings(), []string{"null"})
}

// barred reports whether a member is declared as one that must not be there.
func barred(s *jsonschema.Schema) bool { return s.Bool != nil && !*s.Bool }

func (t *tour) declare(s *jsonschema.Schema, name string) {
	s, name = form(s, name)
	if t.been[name+"\n"+s.Location] {
		return
	}
	t.been[name+"\n"+s.Location] = true
	for of, p := range s.Properties {
		if barred(p) {
			continue
		}
		t.names[member(name, of)] = true
		if !slices.Contains(s.Required, of) {
			t.names[without(name, of)] = true
		}
		t.declare(p, member(name, of))
	}
	if s.Enum != nil {
		for _, v := range s.Enum.Values {
			t.names[oneOf(name, v)] = true
		}
	}
	for _, a := range slices.Concat(s.OneOf, s.AnyOf) {
		if isNull(a) {
			t.names[oneOf(name, nil)] = true
			continue
		}
		t.declare(a, name)
	}
	if s.Items2020 != nil {
		t.declare(s.Items2020, name)
	}
	if s.PropertyNames != nil && s.PropertyNames.Enum != nil {
		for _, of := range s.PropertyNames.Enum.Values {
			t.names[member(name, fmt.Sprint(of))] = true
		}
	} else if p, ok := s.AdditionalProperties.(*jsonschema.Schema); ok {
		t.names[member(name, "*")] = true
		t.declare(p, member(name, "*"))
	}
}

func (t *tour) show(s *jsonschema.Schema, name string, v any) {
	s, name = form(s, name)
	if s.Enum != nil {
		t.names[oneOf(name, v)] = true
	}
	if s.Enum != nil || s.Const != nil {
		return // all of it is fixed
	}
	if i := slices.IndexFunc(slices.Concat(s.OneOf, s.AnyOf), func(a *jsonschema.Schema) bool { return a.Validate(v) == nil }); i >= 0 {
		if a := slices.Concat(s.OneOf, s.AnyOf)[i]; isNull(a) {
			t.names[oneOf(name, nil)] = true
		} else if s.Properties == nil {
			t.show(a, name, v)
			return
		}
	}
	switch v := v.(type) {
	case map[string]any:
		t.members(s, name, v)
	case []any:
		for _, x := range v {
			if s.Items2020 != nil {
				t.show(s.Items2020, name, x)
			}
		}
	}
}

// members of a value, and those that it may have and has not.
func (t *tour) members(s *jsonschema.Schema, name string, v map[string]any) {
	for of, p := range s.Properties {
		if _, there := v[of]; !there && !slices.Contains(s.Required, of) && !barred(p) {
			t.names[without(name, of)] = true
		}
	}
	more, _ := s.AdditionalProperties.(*jsonschema.Schema)
	for of, x := range v {
		p, known := s.Properties[of]
		switch {
		case known:
			t.names[member(name, of)] = true
			t.show(p, member(name, of), x)
		case s.PropertyNames != nil && s.PropertyNames.Enum != nil:
			t.names[member(name, of)] = true
		case more != nil:
			t.names[member(name, "*")] = true
			t.show(more, member(name, "*"), x)
		default:
			t.unspoken = append(t.unspoken, member(name, of))
		}
	}
}
