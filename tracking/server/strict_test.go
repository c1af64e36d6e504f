// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
)

// rewritten changes the text of decisions, which no map could hold.
type rewritten struct {
	next http.RoundTripper
	edit func(body string) string
}

func (w rewritten) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Path != "/v1/decisions" {
		return w.next.RoundTrip(r)
	}
	b, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	b = []byte(w.edit(string(b)))
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(b))), int64(len(b))
	return w.next.RoundTrip(r)
}

// A body says one thing, or nothing: a "no" that a second member turns into a yes is neither, and a member is known by
// its very letters.
func TestABodySaysOneThing(t *testing.T) {
	last := func(member string) func(string) string {
		return func(body string) string { return strings.TrimSuffix(strings.TrimSpace(body), "}") + "," + member + "}" }
	}
	first := func(member string) func(string) string {
		return func(body string) string { return "{" + member + "," + strings.TrimPrefix(body, "{") }
	}
	renamed := func(from, to string) func(string) string {
		return func(body string) string { return strings.Replace(body, from, to, 1) }
	}
	h := newHouse(t)
	for name, c := range map[string]struct {
		edit   func(string) string
		status int
		code   string
	}{
		"no, then yes":             {last(`"choice":"term"`), 400, "request"},
		"yes, then no":             {first(`"choice":"term"`), 400, "request"},
		"no, then yes in escapes":  {last(`"ch\u006fice":"term"`), 400, "request"},
		"no, then yes in capitals": {last(`"Choice":"term"`), 422, "undeclared"},
		"yes in capitals, then no": {first(`"CHOICE":"term"`), 422, "undeclared"},
		"capitals alone":           {renamed(`"choice"`, `"CHOICE"`), 422, "undeclared"},
		"a long s":                 {renamed(`"store"`, `"ſtore"`), 422, "undeclared"},
		"two purposes":             {first(`"purpose":"pickup"`), 422, "bundled"},
		"one purpose twice":        {last(`"purpose":"assist"`), 422, "bundled"},
		"a list":                   {func(body string) string { return "[" + body + "]" }, 400, "request"},
		"null":                     {func(string) string { return "null" }, 400, "request"},
		"two bodies":               {func(body string) string { return body + body }, 400, "request"},
		"half a body":              {func(body string) string { return body[:len(body)/2] }, 400, "request"},
		"no time shown":            {renamed(`"shown_t":`, `"shown_t":-`), 400, "request"},
		"no time decided":          {renamed(`"decided_t":`, `"decided_t":-`), 400, "request"},
		"decided after all years":  {renamed(`"decided_t":`, `"decided_t":99`), 400, "request"},
	} {
		t.Run(name, func(t *testing.T) {
			a := h.app(name, &http.Client{Transport: rewritten{h.web.Transport, c.edit}}, nil)
			_, err := h.decide(a, "no")
			if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != c.status || p.Code != c.code {
				t.Errorf("%v, want %d %s", err, c.status, c.code)
			}
			me, err := a.Me(t.Context(), demostore.ID)
			if err != nil || len(me.Grants) != 0 {
				t.Errorf("granted: %+v, %v", me.Grants, err)
			}
		})
	}
}
