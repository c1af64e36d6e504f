// SPDX-License-Identifier: Apache-2.0

// Package spec carries the specification's machine-readable part (schemas, vectors, OpenAPI and
// AsyncAPI documents) and checks frames and HTTP answers against it. It is for tests and the
// conformance run: its errors quote the offending values, so they must not reach a log.
package spec

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Files holds schemas/*.json, vectors/**, openapi.json, asyncapi.json and SPEC.md under those names.
//
//go:embed schemas vectors openapi.json asyncapi.json SPEC.md
var Files embed.FS

// The directions of a frame. They are the prefixes of the schemas' names.
const (
	In       = "in"        // from the app
	Out      = "out"       // to the app
	StaffIn  = "staff-in"  // from a console
	StaffOut = "staff-out" // to a console
)

// base is where the schemas pretend to live, so that their relative references resolve.
const base = "https://doorstep.invalid/"

// schemas compiles every schema once, by its file name without the extension.
var schemas = sync.OnceValues(func() (map[string]*jsonschema.Schema, error) {
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	names, err := fs.Glob(Files, "schemas/*.json")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := addResource(c, name); err != nil {
			return nil, err
		}
	}
	out := make(map[string]*jsonschema.Schema, len(names))
	for _, name := range names {
		s, err := c.Compile(base + name)
		if err != nil {
			return nil, fmt.Errorf("spec: %s: %w", name, err)
		}
		out[strings.TrimSuffix(path.Base(name), ".json")] = s
	}
	return out, nil
})

func addResource(c *jsonschema.Compiler, name string) error {
	raw, err := Files.ReadFile(name)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("spec: %s is not JSON: %w", name, err)
	}
	return c.AddResource(base+name, doc)
}

// Schemas lists the names of all schemas, or says which one does not compile.
func Schemas() ([]string, error) {
	all, err := schemas()
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	return names, nil
}

// Frame checks one frame of a socket. direction is In, Out, StaffIn or StaffOut. It picks the
// schema by the frame's type, so that the error speaks about that one.
func Frame(direction string, raw []byte) error {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return fmt.Errorf("spec: a frame is a JSON object: %w", err)
	}
	return validate(direction+"-"+head.Type, raw)
}

// Body checks a body against the schema of that name, such as "http-ticket".
func Body(schema string, raw []byte) error { return validate(schema, raw) }

func validate(name string, raw []byte) error {
	all, err := schemas()
	if err != nil {
		return err
	}
	s, ok := all[name]
	if !ok {
		return fmt.Errorf("spec: there is no schema %q", name)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return fmt.Errorf("spec: %s: not one JSON value: %w", name, err)
	}
	if err := s.Validate(doc); err != nil {
		var bad *jsonschema.ValidationError
		if errors.As(err, &bad) {
			return fmt.Errorf("spec: %s: %w", name, bad)
		}
		return err
	}
	return nil
}
