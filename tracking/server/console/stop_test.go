// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"doorstep/tracking/server/console/consoletest"
)

const outcome = `document.querySelector('[data-testid="outcome"]')?.dataset.state`

// Any other phone stops with what it scanned, by one tap and not before it, and the token is in no address.
func TestStopFromAnotherPhone(t *testing.T) {
	b := newBackend(t)
	p := consoletest.OpenPage(t, browser.Browser(t), 390, 844)
	for lang, title := range map[string]string{"en": "Stop sharing", "zh": "停止共享", "ar": "إيقاف المشاركة"} {
		p.Open(b.url + "/stop")
		p.Do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', '` + lang + `')`))
		p.Open("about:blank") // another fragment alone would not load the page again
		p.Open(b.url + "/stop#T0ken-" + lang)
		p.Until("the words", `document.querySelector('h1')?.innerText === '`+title+`' && document.title === '`+title+`'`)
		if at := consoletest.JS[string](p, `location.href + document.documentElement.outerHTML`); strings.Contains(at, "T0ken") {
			t.Error("the token is still in the address, or in the page")
		}
		for _, width := range []int64{1280, 390, 320} {
			p.Size(width, 844)
			p.Fits("stop")
			p.Shot(fmt.Sprintf("stop-%s-%d", lang, width))
		}
		p.Accessible("stop, " + lang)
		if len(b.take("withdrawal")) != 0 {
			t.Fatal("opening the page has stopped already: whatever follows an address would stop")
		}
		b.away.Store(lang == "zh") // the store does not answer at first
		p.Click("stop")
		p.Until("stopped", outcome+` === 'stopped' && document.querySelector('[data-testid="outcome"]').innerText.includes('84')`)
		p.Accessible("stopped, " + lang)
		sent := b.take("withdrawal")
		if len(sent) < 1 || sent[0]["by"] != "Stop T0ken-"+lang || sent[0]["scope"] != "all" {
			t.Errorf("sent %v", sent)
		}
		if lang == "zh" && (len(sent) != 2 || sent[0]["id"] != sent[1]["id"]) {
			t.Errorf("repeated as %v: another id would be another withdrawal", sent)
		}
	}
	p.Open("about:blank")
	p.Open(b.url + "/stop#unknown")
	p.Click("stop")
	p.Until("told that it stops nothing", outcome+` === 'unknown'`)
	p.Open("about:blank")
	p.Open(b.url + "/stop")
	p.Until("no button without a code", `document.querySelector('h1') !== null && document.querySelector('[data-testid="stop"]') === null`)
}

// take takes all that was sent of a kind, in order.
func (b *backend) take(kind string) (list []obj) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = slices.DeleteFunc(b.got, func(v obj) bool {
		if v["type"] == kind {
			list = append(list, v)
		}
		return v["type"] == kind
	})
	return list
}

// The shopper's page draws the code when it is asked to, and not before: whoever looks over a shoulder cannot stop.
func showsTheStopCode(p *consoletest.Page) {
	p.T.Helper()
	if consoletest.JS[bool](p, `document.querySelector('[data-testid="stop-qr"]') !== null`) {
		p.T.Error("the stop code is shown unasked")
	}
	p.Click("show-stop-code")
	p.Until("the picture", `document.querySelector('[data-testid="stop-qr"] .ink')?.getAttribute('d').length > 1000`)
	shots(p, "shopper-stop-code")
	p.Accessible("stop code")
	p.Click("show-stop-code")
	p.Until("put away", `document.querySelector('[data-testid="stop-qr"]') === null`)
}
