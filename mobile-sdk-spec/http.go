// SPDX-License-Identifier: Apache-2.0

package spec

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// document is the part of openapi.json that says which body belongs where.
type document struct {
	Paths map[string]map[string]operation `json:"paths"`
}

type operation struct {
	RequestBody struct {
		Content content `json:"content"`
	} `json:"requestBody"`
	Responses map[string]struct {
		Content content `json:"content"`
	} `json:"responses"`
	Security []map[string][]string `json:"security"`
}

type content map[string]struct {
	Schema struct {
		Ref  string `json:"$ref"`
		Type string `json:"type"`
	} `json:"schema"`
}

// What stands for a body without a schema of ours.
const (
	text    = "text/plain"
	another = "*" // of a form that is written down elsewhere
)

// schema is the name of the content's schema, "" when there is no body.
func (c content) schema() string {
	for _, m := range c {
		switch {
		case m.Schema.Type == "string":
			return text
		case m.Schema.Ref == "":
			return another
		}
		return strings.TrimSuffix(path.Base(m.Schema.Ref), ".json")
	}
	return ""
}

// named is the schema of that name, "" for what stands for none.
func named(schema string) string {
	if schema == text || schema == another {
		return ""
	}
	return schema
}

var openapi = sync.OnceValues(func() (d document, err error) {
	return d, read("openapi.json", &d)
})

// HTTP checks an answer of the server: that the path and method exist, that the status is declared
// for them, and that the body fits. path has no query; {…} parts match any one segment.
func HTTP(method, path string, status int, body []byte) error {
	op, err := find(method, path)
	if err != nil {
		return err
	}
	r, ok := op.Responses[strconv.Itoa(status)]
	if !ok {
		if r, ok = op.Responses["default"]; !ok || !anywhere(status, body) {
			return fmt.Errorf("spec: %s %s does not declare status %d: declare it, with the codes that it comes with", method, path, status)
		}
	}
	return fits(r.Content.schema(), body)
}

// anywhere reports whether a failure is one that any path may answer with, which only its default declares: a request that cannot be
// read, from a place or of a size or kind that is not taken, too many of them, or a fault of the server's own.
func anywhere(status int, body []byte) bool {
	switch status {
	case http.StatusForbidden:
		var p struct{ Code string }
		return json.Unmarshal(body, &p) == nil && p.Code == "origin"
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType,
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable:
		return true
	}
	return false
}

// AnswerSchema names the schema of an answer that HTTP has nothing against, RequestSchema that of a request's body; "" if it has none.
func AnswerSchema(method, path string, status int) string {
	op, err := find(method, path)
	if err != nil {
		return ""
	}
	r, ok := op.Responses[strconv.Itoa(status)]
	if !ok {
		r = op.Responses["default"]
	}
	return named(r.Content.schema())
}

// RequestSchema is told of at AnswerSchema.
func RequestSchema(method, path string) string {
	op, err := find(method, path)
	if err != nil {
		return ""
	}
	return named(op.RequestBody.Content.schema())
}

// Request checks the body of a request to the server.
func Request(method, path string, body []byte) error {
	op, err := find(method, path)
	if err != nil {
		return err
	}
	return fits(op.RequestBody.Content.schema(), body)
}

func fits(schema string, body []byte) error {
	switch schema {
	case another:
		return nil
	case text:
		if len(body) == 0 || !utf8.Valid(body) {
			return errors.New("spec: no text where text is declared")
		}
		return nil
	}
	if schema != "" {
		return validate(schema, body)
	}
	if len(body) > 0 {
		return fmt.Errorf("spec: a body of %d bytes where none is declared", len(body))
	}
	return nil
}

func find(method, path string) (operation, error) {
	d, err := openapi()
	if err != nil {
		return operation{}, fmt.Errorf("spec: openapi.json: %w", err)
	}
	for template, methods := range d.Paths {
		if !matches(template, path) {
			continue
		}
		if op, ok := methods[strings.ToLower(method)]; ok {
			return op, nil
		}
	}
	return operation{}, fmt.Errorf("spec: %s %s is not in openapi.json", method, path)
}

// matches compares a path with a template segment by segment.
func matches(template, path string) bool {
	want, got := strings.Split(template, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && (!strings.HasPrefix(want[i], "{") || got[i] == "") {
			return false
		}
	}
	return true
}
