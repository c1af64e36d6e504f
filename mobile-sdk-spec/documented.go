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

// Documented names everything that a server may send, one name each, sorted: "GET /v1/time 200" for the statuses that
// openapi.json declares, "out-ack" for each frame to an app or a console, "out-ack.refused" for each of its members, and
// "out close 4501" for each close code of the protocol's own.
func Documented() ([]string, error) {
	d, err := openapi()
	if err != nil {
		return nil, err
	}
	var names []string
	for template, methods := range d.Paths {
		for method, op := range methods {
			for status := range op.Responses {
				if status != "default" && status != "101" {
					names = append(names, fmt.Sprintf("%s %s %s", strings.ToUpper(method), template, status))
				}
			}
		}
	}
	for _, direction := range []string{Out, StaffOut} {
		frames, err := framesTo(direction)
		if err != nil {
			return nil, err
		}
		names = append(names, frames...)
	}
	codes, err := closeCodes()
	names = append(names, codes...)
	slices.Sort(names)
	return names, err
}

// framesTo names the frames of a direction, and their members.
func framesTo(direction string) (names []string, err error) {
	files, err := fs.Glob(Files, "schemas/"+direction+"-*.json")
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		var schema struct{ Properties map[string]any }
		if err := read(file, &schema); err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(path.Base(file), ".json")
		names = append(names, name)
		for member := range maps.Keys(schema.Properties) {
			names = append(names, name+"."+member)
		}
	}
	return names, nil
}

// closeCodes names those that a Doorstep closes with by itself: from 4000 on, with a name.
func closeCodes() (names []string, err error) {
	var file struct {
		Cases []struct {
			Code int
			Name string
		}
	}
	if err := read("vectors/close-codes.json", &file); err != nil {
		return nil, err
	}
	for _, c := range file.Cases {
		if c.Code >= 4000 && c.Name != "unknown" {
			names = append(names, fmt.Sprintf("%s close %d", Out, c.Code))
		}
	}
	return names, nil
}

// Operation is one of openapi.json.
type Operation struct {
	Method, Template string
	Secured          bool // it takes a credential, whichever
	Socket           bool // it is answered by an upgrade
}

// Operations lists them all, in no order.
func Operations() (list []Operation, err error) {
	d, err := openapi()
	for template, methods := range d.Paths {
		for method, op := range methods {
			_, socket := op.Responses["101"]
			list = append(list, Operation{strings.ToUpper(method), template, len(op.Security) > 0, socket})
		}
	}
	return list, err
}

// Closes reports whether a server may close a socket of a direction, Out or StaffOut, with a code.
func Closes(direction string, code int) bool {
	codes, err := closes()
	return err == nil && codes[direction][code]
}

// closes are the codes of the vectors, by direction. Those that stand for a range are nobody's to send.
var closes = sync.OnceValues(func() (map[string]map[int]bool, error) {
	out := map[string]map[int]bool{Out: {}, StaffOut: {}}
	for direction, name := range map[string]string{Out: "vectors/close-codes.json", StaffOut: "vectors/close-codes-console.json"} {
		var file struct {
			Cases []struct {
				Code int
				Name string
			}
		}
		if err := read(name, &file); err != nil {
			return nil, err
		}
		for _, c := range file.Cases {
			out[direction][c.Code] = c.Name != "unknown"
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
