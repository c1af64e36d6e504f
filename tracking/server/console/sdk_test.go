// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"doorstep/mobile-sdk-spec/conformance"
)

// told are stories in which the JavaScript client meets a browser's own sockets, fetch, clock and cryptography.
var told = []string{"visit", "refusal", "edge", "out-and-back", "resume", "background", "stop", "stop-restart", "clock-skew", "auth", "close-1006", "close-4501", "no-subprotocol"}

// TestTheClientConformsInABrowser has Chromium carry out a conformance run, four stories side by side.
func TestTheClientConformsInABrowser(t *testing.T) {
	suite, err := conformance.New(told...)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(suite)
	defer server.Close()
	files := httptest.NewServer(http.FileServer(http.Dir("../../../mobile-sdk-spec/js")))
	defer files.Close()
	tab := browser.Browser(t)
	script := fmt.Sprintf(`import("/test/hands.js").then(({ hands }) => Promise.all([0, 1, 2, 3].map((i) => hands(%q, "browser-" + i, WebSocket)))).then(() => "done", String)`, server.URL)
	if err := chromedp.Do(tab, chromedp.Navigate(files.URL+"/README.md")); err != nil {
		t.Fatal(err)
	}
	said, err := chromedp.Run(tab, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	if err != nil || said != "done" {
		t.Errorf("%v: %s", err, said)
	}
	var text bytes.Buffer
	if r := suite.Report(); r.Text(&text) != nil || !r.OK {
		t.Error(text.String())
	}
}

// browserTests are those of the client's own tests that need no server; the stories above are told where one is needed.
var browserTests = []string{"parts.test.js", "vectors.test.js", "browser/kept.test.js"}

// inPlaceOf says what a browser has in place of Node's own modules.
const inPlaceOf = `<!doctype html><script type="importmap">{"imports": {"node:test": "/js/test/browser/test.js",
	"node:assert/strict": "/js/test/browser/assert.js", "node:fs": "/js/test/browser/fs.js"}}</script>`

// TestTheClientsOwnTestsInABrowser: what holds in Node holds where the client will be.
func TestTheClientsOwnTestsInABrowser(t *testing.T) {
	site := http.NewServeMux()
	site.Handle("/", http.FileServer(http.Dir("../../../mobile-sdk-spec")))
	site.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(inPlaceOf))
	})
	server := httptest.NewServer(site)
	defer server.Close()
	tab := browser.Browser(t)
	if err := chromedp.Do(tab, chromedp.Navigate(server.URL+"/page")); err != nil {
		t.Fatal(err)
	}
	files := `["` + strings.Join(browserTests, `","`) + `"]`
	script := `import("node:fs").then(() => Promise.all(` + files + `.map((f) => import("/js/test/" + f)))).then(() => import("node:test")).then(({ runAll }) => runAll())
		.catch((e) => ({ ran: 0, failed: [String(e)] }))`
	said, err := chromedp.Run(tab, chromedp.Evaluate[struct {
		Ran    int
		Failed []string
	}](script, chromedp.EvalAwaitPromise))
	if err != nil || len(said.Failed) > 0 || said.Ran < 25 {
		t.Errorf("%v: %d ran; failed:\n%s", err, said.Ran, strings.Join(said.Failed, "\n"))
	}
}
