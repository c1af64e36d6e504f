// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
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
