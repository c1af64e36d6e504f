// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os/exec"
	"testing"

	"github.com/chromedp/chromedp"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/console/consoletest"
)

const helpCard = `document.querySelector('[data-testid="card"][data-kind="help"]')`

// comeToTablet signs somebody in on a tablet that several people use, with a PIN.
func comeToTablet(t *testing.T, p *consoletest.Page, r *running, tag, pin string) {
	t.Helper()
	p.Until("a code is asked for", `document.querySelector('[data-testid="code"]') !== null`)
	if !consoletest.JS[bool](p, `document.querySelector('[data-testid="shared"]').checked`) {
		p.Click("shared")
	}
	p.Do(chromedp.SendKeys(chromedp.CSS(`[data-testid="code"]`), r.staffCode(t, demostore.ID, tag, auth.RoleFloor)+"\r"))
	for _, asked := range []string{"Next", "Set"} {
		p.Until("asked for a PIN", `document.querySelector('[data-testid="pin-done"]')?.innerText === '`+asked+`'`)
		p.Do(chromedp.SendKeys(chromedp.CSS(`[data-testid="pin"]`), pin+"\r"))
	}
	p.Until("the console", `document.querySelector('[data-testid="connection"]')?.dataset.state === 'live'`)
}

// Two people on one tablet, at two servers of which one goes: whoever leaves is locked, with their claim; it is theirs when they come
// back, at the other server, and until then nobody else has it and nothing of it is on the screen.
func TestOneTabletTwoPeopleTwoServers(t *testing.T) {
	_, err := exec.LookPath("chromium")
	needs(t, err == nil, "chromium")
	a, b := twoServers(t)
	var shared consoletest.Shared
	t.Cleanup(shared.Close)
	p := consoletest.OpenPage(t, shared.Browser(t), 820, 1180)
	p.Open(a.address() + "/console/")
	comeToTablet(t, p, a, "Kim", "4711")
	desk := middleOf(t, b.indexes[0], "pickup")
	_, session := b.visit(t, desk)
	phone := follow(t, session, desk)
	if _, err := phone.Help("question", false); err != nil {
		t.Fatal(err)
	}
	p.Until("somebody asks for help", helpCard+` !== null`)
	p.Do(chromedp.Click(chromedp.CSS(`[data-kind="help"] [data-testid="claim"]`)))
	p.Until("the dot", helpCard+`.dataset.state === 'mine' && document.querySelector('[data-testid="dot"]') !== null`)
	word := consoletest.JS[string](p, helpCard+`.querySelector('.word').dataset.word`)
	alert := consoletest.JS[string](p, helpCard+`.dataset.alert`)
	p.Click("lock")
	p.Until("locked", `document.querySelector('[data-testid="who"]')?.innerText.includes('Kim')`)
	forgotten(p, word, alert)

	p.Open(b.address() + "/console/")
	p.Until("locked there too", `document.querySelector('[data-testid="who"]')?.innerText.includes('Kim')`)
	p.Click("someone")
	comeToTablet(t, p, b, "Ida", "9514")
	p.Until("Kim has it", helpCard+`?.dataset.state === 'theirs' && `+helpCard+`.innerText.includes('Kim has it') && document.querySelector('[data-testid="dot"]') === null`)
	p.Click("lock")
	p.Until("locked, with both", `document.querySelectorAll('[data-testid="who"]').length === 2`)
	a.stop()
	p.Do(chromedp.Evaluate[chromedp.Void](`[...document.querySelectorAll('[data-testid="who"]')].find((e) => e.innerText.includes('Kim')).click()`))
	p.Do(chromedp.SendKeys(chromedp.CSS(`[data-testid="pin"]`), "9514\r"))
	p.Until("not Ida's to open", `document.querySelector('[data-testid="message"]')?.innerText === 'Not this PIN. Tries left: 4.'`)
	p.Do(chromedp.SendKeys(chromedp.CSS(`[data-testid="pin"]`), "4711\r"))
	p.Until("theirs still, with the dot", helpCard+`?.dataset.state === 'mine' && document.querySelector('[data-testid="dot"]') !== null`)
	p.Quiet("401", "ERR_", "WebSocket")
}
