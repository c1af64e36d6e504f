// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// made compiles a schema and what it refers to.
func made(t *testing.T, text string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	for name, raw := range map[string]string{"s.json": text, "shared.json": `{"$defs":{"colour":{"enum":["red","blue"]}}}`} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(base+"schemas/"+name, v); err != nil {
			t.Fatal(err)
		}
	}
	s, err := c.Compile(base + "schemas/s.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestEverythingThatASchemaSaysHasAName, and a value shows what it has of that: one that shows all is named here part by part.
func TestEverythingThatASchemaSaysHasAName(t *testing.T) {
	for text, c := range map[string]struct {
		says   string
		values map[string]string // what each shows; "!" before what no schema speaks of
	}{
		`{"properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"required":["a"]}`: {
			"s.a, s.b, s without b",
			map[string]string{`{"a":1,"b":1}`: "s.a, s.b", `{"a":1}`: "s without b, s.a", `{"a":1,"c":1}`: "!s.c", `[]`: ""}},
		`{"properties":{"k":{"enum":["x","y",{"z":1}]}},"required":["k"]}`: {
			`s.k, s.k = x, s.k = y, s.k = {"z":1}`,
			map[string]string{`{"k":"y"}`: "s.k, s.k = y", `{"k":{"z":1}}`: `s.k, s.k = {"z":1}`}},
		`{"type":"array","items":{"properties":{"a":{"$ref":"shared.json#/$defs/colour"}}}}`: {
			"colour = blue, colour = red, s without a, s.a",
			map[string]string{`[{"a":"red"},{}]`: "colour = red, s without a, s.a", `[]`: ""}},
		`{"properties":{"o":{"oneOf":[{"type":"null"},{"properties":{"in":true},"required":["in"]}]}},"required":["o"]}`: {
			"s.o, s.o = null, s.o.in",
			map[string]string{`{"o":null}`: "s.o, s.o = null", `{"o":{"in":1}}`: "s.o, s.o.in", `{"o":{"in":1,"by":2}}`: "!s.o.by"}},
		`{"properties":{"a":true,"b":true},"oneOf":[{"required":["a"]},{"required":["b"]}]}`: {
			"s without a, s without b, s.a, s.b", map[string]string{`{"a":1}`: "s without b, s.a"}},
		`{"additionalProperties":{"properties":{"a":true},"required":["a"]}}`: {"s.*, s.*.a", map[string]string{`{"secret":{"a":1}}`: "s.*, s.*.a", `{}`: ""}},
		`{"propertyNames":{"enum":["p","q"]},"additionalProperties":{"type":"integer"}}`: {
			"s.p, s.q", map[string]string{`{"q":1}`: "s.q"}},
		`{"properties":{"d":false}}`: {"", map[string]string{`{}`: ""}},
		`{"const":{"a":{"b":1}}}`:    {"", map[string]string{`{"a":{"b":1}}`: ""}},
		`{"type":"object"}`:          {"", map[string]string{`{"a":1}`: "!s.a"}},
	} {
		s := made(t, text)
		all := tour{names: map[string]bool{}, been: map[string]bool{}}
		all.declare(s, "s")
		says := strings.Split(c.says, ", ")
		slices.Sort(says)
		if got := slices.Sorted(maps.Keys(all.names)); c.says != strings.Join(got, ", ") && !slices.Equal(got, says) {
			t.Errorf("%s says %v, want %v", text, got, says)
		}
		for raw, want := range c.values {
			v, err := jsonschema.UnmarshalJSON(strings.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			one := tour{names: map[string]bool{}}
			one.show(s, "s", v)
			got := strings.Join(slices.Sorted(maps.Keys(one.names)), ", ")
			if len(one.unspoken) > 0 {
				got = "!" + strings.Join(one.unspoken, ", ")
			}
			if strings.HasPrefix(want, "!") && !strings.HasPrefix(got, "!") || got != want {
				t.Errorf("%s shows %q of %s, want %q", raw, got, text, want)
			}
		}
	}
}

// TestWhatIsAskedFor: of a real schema each kind of name, and of a request's under its own word.
func TestWhatIsAskedFor(t *testing.T) {
	all, err := Documented()
	if err != nil || len(all) < 1000 {
		t.Fatal(len(all), err)
	}
	for _, name := range []string{"GET /v1/time 200", "http-time.t", "http-prompt without title", "alert.kind = help", "alert.booking.case = again", "out-ack.refused.speed", "restart = opens",
		"staff-out-live.zone = null", "staff-out close 4006", "out close 1000", "out close 4501", "out-throttle.min_ms", "request http-ticket-request.store", "request http-prompt-request without opened",
		"request http-withdrawal-request.scope = all", "record.event.event_state = deferred", "http-notice.texts.ends.*"} {
		if !slices.Contains(all, name) {
			t.Errorf("%s is not asked for", name)
		}
	}
	for _, name := range []string{"http-time without t", "out close 1006", "out close 4007", "staff-out close 4501", "http-jwks.keys.d", "http-ticket-request.store"} {
		if slices.Contains(all, name) {
			t.Errorf("%s is asked for", name)
		}
	}
}
