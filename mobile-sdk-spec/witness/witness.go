// SPDX-License-Identifier: Apache-2.0

// Package witness is for tests: it stands between a server and its network and holds every answer and every frame that is
// really sent, and every body that is taken, against the specification, both ways. What is not documented fails the test that
// brought it about. What was seen is noted by names out of the specification, never by anything that was said, in the folder that
// DOORSTEP_TEST_LOGS names; at the end of a whole run the command in folder account says what is documented and was never seen.
package witness

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	spec "doorstep/mobile-sdk-spec"
)

// Folder is the variable that names the folder of a whole run; shapes are in a folder of their own beneath.
const (
	Folder = "DOORSTEP_TEST_LOGS"
	shapes = "shapes"
)

// Witness remembers what a test's server has sent.
type Witness struct {
	t testing.TB

	mu    sync.Mutex
	seen  map[string]bool // names
	forms map[string]int  // how often, by name and form
	over  bool            // the test has ended: what a server still says is nobody's
}

// Before puts a witness before a handler, until the test ends.
func Before(t testing.TB, h http.Handler) http.Handler {
	w := &Witness{t: t, seen: map[string]bool{}, forms: map[string]int{}}
	t.Cleanup(w.save)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if !documented(r) {
			h.ServeHTTP(rw, r)
			return
		}
		a := &answer{ResponseWriter: rw, status: http.StatusOK, direction: direction(r)}
		a.witness = w
		q := &asked{ReadCloser: r.Body, schema: spec.RequestSchema(r.Method, r.URL.Path)}
		if q.schema != "" {
			r.Body = q
		}
		h.ServeHTTP(a, r)
		if a.hijacked {
			return
		}
		w.answered(r, a)
		if q.schema != "" && a.status < http.StatusMultipleChoices {
			w.took(r, q)
		}
	})
}

// documented reports whether a request asks for what OpenAPI is to describe. Pages, files and what operators read are not.
func documented(r *http.Request) bool {
	api := strings.HasPrefix(r.URL.Path, "/v1/") || strings.HasPrefix(r.URL.Path, "/.well-known/")
	return api && r.Method != http.MethodHead && r.Method != http.MethodOptions
}

func direction(r *http.Request) string {
	if r.URL.Path == "/v1/session" {
		return spec.Out
	}
	return spec.StaffOut
}

// often is how many times a form is held against its schema; after that one in as many.
const often = 50

// count notes names.
func (w *Witness) count(names ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, name := range names {
		w.seen[name] = true
	}
}

// shown notes what a text shows of its schema, after a word. Its error is a member that the schema does not speak of.
func (w *Witness) shown(before, schema string, raw []byte) error {
	if schema == "" {
		return nil
	}
	names, err := spec.Shown(schema, raw)
	for i := range names {
		names[i] = before + names[i]
	}
	w.count(names...)
	return err
}

// fresh reports whether what was sent in a form is to be looked at: often enough of the same kind say nothing new.
func (w *Witness) fresh(form string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forms[form]++
	n := w.forms[form]
	return !w.over && (n <= often || n%often == 0)
}

// answered holds an answer against OpenAPI. Paths that there are not are answered by a problem.
func (w *Witness) answered(r *http.Request, a *answer) {
	template, known := spec.Template(r.Method, r.URL.Path)
	if !known {
		if err := spec.Body("http-problem", a.body.Bytes()); err != nil || a.status < 400 {
			w.t.Errorf("%s %s is not documented and was answered with %d: %v", r.Method, r.URL.Path, a.status, err)
		}
		return
	}
	name, body := r.Method+" "+template+" "+strconv.Itoa(a.status), a.plain()
	w.count(name)
	if !w.fresh(name + formOf(body)) {
		return
	}
	err := spec.HTTP(r.Method, r.URL.Path, a.status, body)
	if err == nil {
		err = errors.Join(w.shown("", spec.AnswerSchema(r.Method, r.URL.Path, a.status), body), w.receipts(body))
	}
	if err != nil {
		w.t.Errorf("%s %s was answered with %d, not as documented: %v", r.Method, template, a.status, err)
	}
}

// took holds a body that the server took against OpenAPI: what it does not declare is refused.
func (w *Witness) took(r *http.Request, q *asked) {
	body := q.all()
	if !w.fresh(spec.Asked + q.schema + formOf(body)) {
		return
	}
	err := spec.Body(q.schema, body)
	if err == nil {
		err = w.shown(spec.Asked, q.schema, body)
	}
	if err != nil {
		w.t.Errorf("%s %s took a body that is not as documented: %v", r.Method, r.URL.Path, err)
	}
}

// said holds a frame against its schema.
func (w *Witness) said(direction string, raw []byte) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		w.t.Errorf("a frame that is no object: %v", err)
		return
	}
	var kind string
	_ = json.Unmarshal(members["type"], &kind) // its schema says what it must be
	name := direction + "-" + kind
	w.count(name)
	if !w.fresh(name + formOf(raw)) {
		return
	}
	err := spec.Frame(direction, raw)
	if err == nil {
		err = errors.Join(w.shown("", name, raw), w.receipts(raw))
	}
	if err != nil {
		w.t.Errorf("a frame that is not documented: %v", err)
	}
}

// closed holds a close code against what is documented. What a peer closes with is said back to it (RFC 6455, 5.5.1): a page
// that is left says 1001.
func (w *Witness) closed(direction string, code int) {
	w.count(direction + " close " + strconv.Itoa(code))
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over && code != goingAway && !spec.Closes(direction, code) {
		w.t.Errorf("a socket of %s was closed with %d, which is not documented: see close-codes*.json", direction, code)
	}
}

const goingAway = 1001

// save notes what was seen.
func (w *Witness) save() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
	dir := os.Getenv(Folder)
	if dir == "" {
		return
	}
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(w.seen)) {
		b.WriteString(name + "\n")
	}
	dir = filepath.Join(dir, shapes)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		w.t.Error(err)
		return
	}
	f, err := os.CreateTemp(dir, "*.txt")
	if err != nil {
		w.t.Error(err)
		return
	}
	defer func() { _ = f.Close() }()
	if _, err := f.Write(b.Bytes()); err != nil {
		w.t.Error(err)
	}
}
