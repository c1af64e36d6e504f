// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"doorstep/tracking/server/console/consoletest"
)

const glassReason = "She has fallen and does not answer"

// Who asks to look in an emergency says why, sees that it waits, has the shopper on their list when it is approved, with the
// time that is left, and can end it.
func TestAskingToLookInAnEmergency(t *testing.T) {
	b := newBackend(t)
	b.alerts = someAlerts()
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	signIn(t, p, b)
	p.Until("six cards", `document.querySelectorAll('[data-testid="card"]').length === 6`)
	p.Do(consoletest.ClickIn("a4", "menu")) // a colleague has it, and does not answer
	p.Click("menu-glass-ask")
	p.Do(chromedp.SendKeys(chromedp.CSS(`[data-testid="glass-reason"]`), "why not"))
	p.Click("glass-send")
	p.Until("a reason is asked for", `document.querySelector('.problem').innerText.includes('10 characters') && document.activeElement.dataset.testid === 'glass-reason'`)
	p.Accessible("console, asking why")
	p.Size(320, 640)
	p.Fits("asking why")
	p.Shot("glass-ask")
	p.Size(1280, 800)
	p.Do(chromedp.SetValue(chromedp.CSS(`[data-testid="glass-reason"]`), " "+glassReason+" "))
	p.Click("glass-send")
	p.Until("it waits", `document.querySelector('[data-testid="glass-mine"]')?.innerText.includes('`+glassReason+`') && /waits 14:\d\d/.test(document.querySelector('[data-testid="glass-mine"]').innerText)`)
	if got := b.sent("glass"); got["alert"] != "a4" || got["reason"] != glassReason {
		t.Errorf("asked with %v", got)
	}
	p.Shot("glass-waits")
	emergency := obj{"id": "e1", "kind": "emergency", "state": "claimed", "version": 1, "mine": true, "holder_tag": "Mei", "raised_t": time.Now().UnixMilli(), "changed_t": 1,
		"due_t": time.Now().Add(15 * time.Minute).UnixMilli(), "presence": "visible", "zone": zone("service-desk", "Service Desk", 0), "word": "Olive ◆ teal"}
	b.mu.Lock()
	b.glasses = []obj{}
	b.alerts = append(b.alerts, emergency)
	b.mu.Unlock()
	b.toScreens(obj{"type": "alert", "offset": 2, "alert": emergency})
	p.Until("it is on the list, with the time that is left", card("e1", `c.dataset.state === 'mine' && /ends in 14:\d\d/.test(c.innerText)`))
	if got := b.sent("look")["alert"]; got != "e1" {
		t.Errorf("looks at %v", got)
	}
	p.Until("waits no more", `document.querySelector('[data-testid="glass"]').hidden`)
	b.position("e1", 5, -5)
	p.Until("a dot", `document.querySelector('[data-testid="dot"][data-alert="e1"]') !== null`)
	p.Shot("glass-broken")
	p.Do(consoletest.ClickIn("e1", "resolve"))
	if got := b.sent("action")["action"]; got != "resolve" {
		t.Errorf("ended with %v", got)
	}
	p.Until("over", `!document.querySelector('[data-testid="dot"]')`)
	p.Quiet()
}

// Who is in charge is told at once, reads who asks and why, and approves it or lets it lapse; a refusal is said.
func TestApprovingALookInAnEmergency(t *testing.T) {
	b := newBackend(t)
	b.alerts, b.role = someAlerts(), "lead"
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	signIn(t, p, b)
	p.Until("six cards", `document.querySelectorAll('[data-testid="card"]').length === 6`)
	asked := obj{"id": "g1", "alert": "a4", "reason": glassReason, "by": "Jonas", "mine": false, "until_t": time.Now().Add(14 * time.Minute).UnixMilli()}
	short := obj{"id": "g2", "alert": "gone", "reason": "A child is looked for", "by": "Ida", "mine": false, "until_t": time.Now().Add(4 * time.Second).UnixMilli()}
	b.mu.Lock()
	b.glasses, b.broken = []obj{asked, short}, "no_visit"
	b.mu.Unlock()
	p.Until("it is there, and read out", `document.querySelector('[data-testid="glass"]').innerText.includes('Jonas') && document.querySelector('[aria-live="assertive"]').innerText.startsWith('Emergency')`)
	for _, lang := range []string{"ar", "en"} {
		p.Do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', '`+lang+`')`), chromedp.Reload())
		p.Until("asked", `document.querySelector('[data-testid="glass-asked"]') !== null`)
		p.Click("glass-decide")
		p.Until("what it means", `document.querySelector('dialog blockquote').innerText === '`+glassReason+`'`)
		p.Size(320, 640)
		p.Fits("deciding " + lang)
		p.Shot("glass-decide-" + lang)
		p.Size(1280, 800)
		if lang != "en" {
			p.Do(chromedp.KeyEvent("\x1b"))
			p.Until("left as it was", `!document.querySelector('dialog')`)
		}
	}
	p.Accessible("console, deciding")
	p.Click("glass-approve")
	p.Until("a refusal is said", `document.querySelector('[data-testid="glass-asked"] .said').innerText.includes('not here any more')`)
	p.Shot("glass-asked")
	p.Accessible("console, asked")
	p.Until("what ran out is gone", `document.querySelectorAll('[data-testid="glass-asked"]').length === 1`)
	b.mu.Lock()
	b.broken = ""
	b.mu.Unlock()
	p.Click("glass-decide")
	p.Click("glass-approve")
	p.Until("approved", `document.querySelector('[data-testid="glass"]').hidden`)
	if got := b.sent("approval")["id"]; got != "g1" {
		t.Errorf("approved %v", got)
	}
	if strings.Contains(p.Text(), glassReason) {
		t.Error("the reason is still on the screen")
	}
	p.Quiet("409")
}
