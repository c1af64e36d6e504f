// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
)

// Template is the path of openapi.json that a request's path fits, and whether there is one with this method.
func Template(method, path string) (template string, ok bool) {
	d, err := openapi()
	if err != nil {
		return "", false
	}
	for template, methods := range d.Paths {
		if _, has := methods[strings.ToLower(method)]; has && matches(template, path) {
			return template, true
		}
	}
	return "", false
}

// Asked goes before the names of what a request's body shows.
const Asked = "request "

// Documented names everything that a server may send and whatever it takes by HTTP, one name each, sorted: "GET /v1/time 200" for the statuses
// that openapi.json declares, "out close 4501" and "staff-out close 4006" for each code that a socket is closed with, "out-ack" for each frame to
// an app or a console, and for those and for every body what [Shown] names of it; of a request's after Asked.
func Documented() ([]string, error) {
	d, err := openapi()
	if err != nil {
		return nil, err
	}
	names, bodies := map[string]bool{}, map[string]bool{}
	for template, methods := range d.Paths {
		for method, op := range methods {
			bodies[Asked+op.RequestBody.Content.schema()] = true
			for status, r := range op.Responses {
				bodies[r.Content.schema()] = true
				if status != "default" && status != "101" {
					names[fmt.Sprintf("%s %s %s", strings.ToUpper(method), template, status)] = true
				}
			}
		}
	}
	for _, direction := range []string{Out, StaffOut} {
		files, err := fs.Glob(Files, "schemas/"+direction+"-*.json")
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			frame := strings.TrimSuffix(path.Base(file), ".json")
			names[frame], bodies[frame] = true, true
		}
	}
	if err := declared(bodies, names); err != nil {
		return nil, err
	}
	codes, err := closes()
	for direction, of := range codes {
		for code := range of {
			names[fmt.Sprintf("%s close %d", direction, code)] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), err
}

// declared adds what the schemas of bodies declare.
func declared(bodies, names map[string]bool) error {
	for body := range bodies {
		schema, asked := strings.CutPrefix(body, Asked)
		if named(schema) == "" {
			continue
		}
		list, err := declares(schema)
		if err != nil {
			return err
		}
		for _, name := range list {
			if asked {
				name = Asked + name
			}
			names[name] = true
		}
	}
	return nil
}

// Operation is one of openapi.json.
type Operation struct {
	Method, Template string
	Takes            [][]string // schemes: all of one of the sets. None: it is public. An empty set: it can do without
	Socket           bool       // it is answered by an upgrade
}

// Scheme is how a credential is carried, as openapi.json has it.
type Scheme struct {
	Type   string // http or apiKey
	Scheme string // of http
	Name   string // of apiKey: of the header or cookie
	In     string
}

// Operations lists them all, in no order.
func Operations() (list []Operation, err error) {
	d, err := openapi()
	for template, methods := range d.Paths {
		for method, op := range methods {
			_, socket := op.Responses["101"]
			o := Operation{Method: strings.ToUpper(method), Template: template, Socket: socket}
			for _, set := range op.Security {
				o.Takes = append(o.Takes, slices.Sorted(maps.Keys(set)))
			}
			list = append(list, o)
		}
	}
	return list, err
}

// Schemes are the credentials of openapi.json, by name.
func Schemes() (map[string]Scheme, error) {
	var d struct {
		Components struct{ SecuritySchemes map[string]Scheme }
	}
	return d.Components.SecuritySchemes, read("openapi.json", &d)
}

// Closes reports whether a server may close a socket of a direction, Out or StaffOut, with a code.
func Closes(direction string, code int) bool {
	codes, err := closes()
	return err == nil && codes[direction][code]
}

// closes are the codes of the vectors that a server closes with, by direction. Those that stand for a range are nobody's to send, nor are those
// that are never on the wire or that no server of this protocol has a use for.
var closes = sync.OnceValues(func() (map[string]map[int]bool, error) {
	out := map[string]map[int]bool{Out: {}, StaffOut: {}}
	for direction, name := range map[string]string{Out: "vectors/close-codes.json", StaffOut: "vectors/close-codes-console.json"} {
		var file struct {
			Cases []struct {
				Code   int
				Name   string
				Unsent bool
			}
		}
		if err := read(name, &file); err != nil {
			return nil, err
		}
		for _, c := range file.Cases {
			if c.Name != "unknown" && !c.Unsent {
				out[direction][c.Code] = true
			}
		}
	}
	return out, nil
})

func read(name string, into any) error {
	raw, err := Files.ReadFile(name)
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, into)
}
