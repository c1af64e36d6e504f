// SPDX-License-Identifier: Apache-2.0

// Package console serves the pages that are in the binary: the staff console, the shopper's page,
// the demonstration that shows both, and the way to them. They are plain ES modules without a build step: what is
// served is what is read here.
//
// The pages hold nothing secret and need no session; what they show, they ask for. Every answer
// carries a policy that allows scripts, styles and connections of this origin only, so that a
// mistake in a page cannot send anything anywhere else.
package console

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed pages
var pages embed.FS

// policy is the pages' content security policy. There is no inline script or style to allow, and
// trusted types keep it so: a string can never become markup. Pictures of cards come with the cards, as data: to fetch one would tell
// in which zone somebody is.
const policy = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; object-src 'none'; frame-ancestors 'self'; " +
	"require-trusted-types-for 'script'; trusted-types 'none'"

// permissions turns off what the pages never use; the location of the device is one of those,
// since the shopper's page only pretends.
const permissions = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"

// named are the addresses of whole pages.
var named = map[string]string{
	"/":         "pages/front.html",
	"/console/": "pages/console.html",
	"/shopper/": "pages/shopper.html",
	"/demo":     "pages/demo.html",
	"/demo/":    "pages/demo.html",
	"/stop":     "pages/stop.html",
	"/stop/":    "pages/stop.html",
}

// Handler serves /, /console/, /shopper/, /demo, /stop and /assets/…. The JavaScript client's files (with
// their folder "src" at the root of sdk) appear under /assets/sdk/. It panics if an embedded file
// cannot be read, which only a broken build can cause.
func Handler(sdk fs.FS) http.Handler {
	files := map[string]*file{}
	must(load(files, pages, "pages/assets", "/assets"))
	must(load(files, sdk, ".", "/assets/sdk"))
	for address, name := range named {
		b, err := pages.ReadFile(name)
		must(err)
		files[address] = newFile(name, b)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		guard(w.Header())
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		f, ok := files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		f.serve(w, r)
	})
}

// guard sets what every answer carries, errors included.
func guard(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", permissions)
}

// load takes the files below root into the table, with addresses below prefix.
func load(into map[string]*file, from fs.FS, root, prefix string) error {
	return fs.WalkDir(from, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || mimeOf(name) == "" {
			return err
		}
		b, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		rest := strings.TrimPrefix(strings.TrimPrefix(name, root), "/")
		into[path.Join(prefix, rest)] = newFile(name, b)
		return nil
	})
}

func must(err error) {
	if err != nil {
		panic("console: " + err.Error())
	}
}
