// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"sync"
)

// asked is a request's body as it is read.
type asked struct {
	io.ReadCloser
	schema string

	mu   sync.Mutex // owns the rest: a proxy may read on after it has answered
	body bytes.Buffer
}

// Read notes what was read.
func (q *asked) Read(b []byte) (int, error) {
	n, err := q.ReadCloser.Read(b)
	q.mu.Lock()
	defer q.mu.Unlock()
	q.body.Write(b[:n])
	return n, err
}

// all is the body, with what the server did not need of it.
func (q *asked) all() []byte {
	_, _ = io.Copy(io.Discard, q) // who asked is gone, if that fails: then it is no JSON
	q.mu.Lock()
	defer q.mu.Unlock()
	return bytes.Clone(q.body.Bytes())
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
