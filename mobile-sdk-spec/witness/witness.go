// SPDX-License-Identifier: Apache-2.0

// Package witness is for tests: it stands between a server and its network and holds every answer and every frame that is
// really sent against the specification, both ways. What is not documented fails the test that brought it about. What was
// seen is noted by its name, never by a value, in the folder that DOORSTEP_TEST_LOGS names; at the end of a whole run the
// command in folder account says what is documented and was never seen.
package witness

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"maps"
	"net"
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
		h.ServeHTTP(a, r)
		if !a.hijacked {
			w.answered(r, a)
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

// count notes a name.
func (w *Witness) count(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen[name] = true
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
	if err := spec.HTTP(r.Method, r.URL.Path, a.status, body); err != nil {
		w.t.Errorf("%s %s was answered with %d, not as documented: %v", r.Method, template, a.status, err)
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
	names := slices.Sorted(maps.Keys(members))
	name := direction + "-" + kind + " " + strings.Join(names, " ")
	w.count(name)
	if !w.fresh(name + formOf(raw)) {
		return
	}
	if err := spec.Frame(direction, raw); err != nil {
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

// answer is a response as it is written.
type answer struct {
	http.ResponseWriter
	witness   *Witness
	direction string
	status    int
	body      bytes.Buffer
	hijacked  bool
}

// plain is the body as it was before it was compressed.
func (a *answer) plain() []byte {
	if a.Header().Get("Content-Encoding") != "gzip" {
		return a.body.Bytes()
	}
	z, err := gzip.NewReader(&a.body)
	if err != nil {
		return nil // no schema takes it
	}
	raw, _ := io.ReadAll(z) // nor what was cut off
	return raw
}

// Unwrap lets http.ResponseController through.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader notes the status.
func (a *answer) WriteHeader(status int) {
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

// Write notes the body.
func (a *answer) Write(b []byte) (int, error) {
	a.body.Write(b)
	return a.ResponseWriter.Write(b)
}

// Hijack hands out a connection whose frames are noted.
func (a *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := http.NewResponseController(a.ResponseWriter).Hijack()
	if err != nil {
		return conn, buffered, err
	}
	a.hijacked = true
	w := &wire{Conn: conn, witness: a.witness, direction: a.direction}
	return w, bufio.NewReadWriter(buffered.Reader, bufio.NewWriter(w)), nil
}
