// SPDX-License-Identifier: Apache-2.0

package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// types are the kinds of file that the pages are made of. Nothing else is served, and nothing is
// ever guessed from content or from what the machine thinks of a suffix.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
}

func mimeOf(name string) string { return types[path.Ext(name)] }

// file is one embedded file, plain and compressed, with its content's hash.
type file struct {
	mime    string
	plain   []byte
	zipped  func() []byte // compressed when it is first asked for
	etag    string
	zipETag string
}

func newFile(name string, b []byte) *file {
	sum := sha256.Sum256(b)
	tag := hex.EncodeToString(sum[:12])
	return &file{mime: mimeOf(name), plain: b, zipped: sync.OnceValue(func() []byte { return zip(b) }), etag: `"` + tag + `"`, zipETag: `"` + tag + `-gz"`}
}

func zip(b []byte) []byte {
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	must(err)
	_, err = w.Write(b)
	must(err)
	must(w.Close())
	return out.Bytes()
}

// serve answers with the file, or with 304 if the browser has it. Addresses carry no version, so a
// browser asks each time; the answer is then empty.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	body, tag := f.plain, f.etag
	h := w.Header()
	h.Add("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		body, tag = f.zipped(), f.zipETag
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.mime)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // a browser that went away is not told
}
