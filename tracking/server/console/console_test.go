// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"doorstep/mobile-sdk-spec/js"
	"doorstep/tracking/server/console"
)

func get(t *testing.T, h http.Handler, method, path string, headers ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func TestAnswers(t *testing.T) {
	h := console.Handler(sdkjs.Files)
	for _, c := range []struct {
		method, path string
		status       int
		mime         string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8"},
		{"GET", "/console/", 200, "text/html; charset=utf-8"},
		{"GET", "/shopper/", 200, "text/html; charset=utf-8"},
		{"GET", "/demo", 200, "text/html; charset=utf-8"},
		{"GET", "/stop", 200, "text/html; charset=utf-8"},
		{"GET", "/assets/vendor/qr.js", 200, "text/javascript; charset=utf-8"},
		{"HEAD", "/console/", 200, "text/html; charset=utf-8"},
		{"GET", "/assets/console.css", 200, "text/css; charset=utf-8"},
		{"GET", "/assets/console/main.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/assets/sdk/src/index.js", 200, "text/javascript; charset=utf-8"},
		{"GET", "/assets/icon.svg", 200, "image/svg+xml"},
		{"POST", "/console/", 405, ""},
		{"GET", "/assets/", 404, ""},
		{"GET", "/assets/console", 404, ""},
		{"GET", "/assets/../console.go", 404, ""},
		{"GET", "/assets/sdk/files.go", 404, ""},
		{"GET", "/console/index.html", 404, ""},
	} {
		res := get(t, h, c.method, c.path)
		if res.StatusCode != c.status {
			t.Errorf("%s %s: %d, want %d", c.method, c.path, res.StatusCode, c.status)
		}
		if got := res.Header.Get("Content-Type"); c.mime != "" && got != c.mime {
			t.Errorf("%s %s: type %q, want %q", c.method, c.path, got, c.mime)
		}
		guarded(t, c.path, res.Header)
		if b, err := io.ReadAll(res.Body); err != nil || (c.method == "HEAD" && len(b) > 0) {
			t.Errorf("%s %s: body of %d bytes, %v", c.method, c.path, len(b), err)
		}
	}
}

// guarded checks what every answer must carry, errors included.
func guarded(t *testing.T, path string, h http.Header) {
	t.Helper()
	policy := h.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'self';") || !strings.Contains(policy, "frame-ancestors 'self'") ||
		strings.Contains(policy, "unsafe") || strings.Contains(policy, "*") {
		t.Errorf("%s: policy %q", path, policy)
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %s is %q, want %q", path, name, got, want)
		}
	}
}

func TestBrowserKeepsWhatItHas(t *testing.T) {
	h := console.Handler(sdkjs.Files)
	plain := get(t, h, "GET", "/assets/base.css")
	zipped := get(t, h, "GET", "/assets/base.css", "Accept-Encoding", "gzip")
	if plain.Header.Get("ETag") == zipped.Header.Get("ETag") {
		t.Error("two forms of a file share one tag")
	}
	r, err := gzip.NewReader(zipped.Body)
	if err != nil {
		t.Fatal(err)
	}
	a, _ := io.ReadAll(plain.Body)
	b, err := io.ReadAll(r)
	if err != nil || string(a) != string(b) {
		t.Errorf("the compressed form is not the plain one: %v", err)
	}
	again := get(t, h, "GET", "/assets/base.css", "If-None-Match", plain.Header.Get("ETag"))
	if again.StatusCode != http.StatusNotModified {
		t.Errorf("a file that the browser has: %d", again.StatusCode)
	}
}

// What the pages are made of, from the source folder, so that a new file is looked at too.
func sources(t *testing.T, see func(name, text string)) {
	t.Helper()
	n := 0
	err := filepath.WalkDir("pages", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(name)
		n++
		see(name, string(b))
		return err
	})
	if err != nil || n < 20 {
		t.Fatalf("looked at %d files: %v", n, err)
	}
}

var (
	inline   = regexp.MustCompile(`(?i)<script(?:[^>]*)>[^<]|<style|\son[a-z]+=|\sstyle=|javascript:`)
	external = regexp.MustCompile(`https?://[a-z0-9.-]+`)
	markup   = regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function`)
)

func TestPagesHoldNothingInlineOrExternal(t *testing.T) {
	sources(t, func(name, text string) {
		if strings.HasSuffix(name, ".html") && inline.MatchString(text) {
			t.Errorf("%s: inline script or style: %q", name, inline.FindString(text))
		}
		for _, url := range external.FindAllString(text, -1) {
			if url != "http://www.w3.org" { // the name of SVG's namespace, not an address
				t.Errorf("%s names %s: no page may ask anything of another host", name, url)
			}
		}
		if strings.HasSuffix(name, ".js") && markup.MatchString(text) {
			t.Errorf("%s makes markup or code out of text: %s", name, markup.FindString(text))
		}
		theirs := strings.Contains(filepath.ToSlash(name), "/vendor/") && strings.Contains(text, "SPDX-License-Identifier: MIT OR Apache-2.0")
		if strings.HasSuffix(name, ".js") && !theirs && !strings.HasPrefix(text, "// SPDX-License-Identifier: Apache-2.0") {
			t.Errorf("%s has no licence line", name)
		}
	})
}

// A page and all that could come with it stay within the budget of 300 kB, compressed.
func TestWeight(t *testing.T) {
	h := console.Handler(sdkjs.Files)
	total := 0
	sources(t, func(name, _ string) {
		path := strings.TrimPrefix(filepath.ToSlash(name), "pages")
		if strings.HasSuffix(path, ".html") {
			path = strings.TrimSuffix(strings.TrimSuffix(path, ".html")+"/", "front/")
		}
		res := get(t, h, "GET", path, "Accept-Encoding", "gzip")
		b, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 {
			t.Errorf("%s: %d %v", path, res.StatusCode, err)
		}
		total += len(b)
	})
	if total > 300<<10 {
		t.Errorf("all pages together weigh %d bytes", total)
	}
	t.Logf("all pages together: %d bytes compressed", total)
}

// A word that is missing in one language would be shown as its key.
func TestEveryWordInThreeLanguages(t *testing.T) {
	entry := regexp.MustCompile(`(?m)^  (\w+): \[(.*)\],`)
	words := 0
	sources(t, func(name, text string) {
		if !strings.HasSuffix(name, "strings.js") {
			return
		}
		for _, m := range entry.FindAllStringSubmatch(text, -1) {
			words++
			if n := strings.Count(m[2], `", "`); n != 2 {
				t.Errorf("%s: %s has %d languages", name, m[1], n+1)
			}
		}
	})
	if words < 100 {
		t.Errorf("only %d words were looked at", words)
	}
}
