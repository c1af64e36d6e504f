// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"doorstep/tracking/server/console/consoletest"
)

const (
	live   = `document.querySelector('[data-testid="connection"]')?.dataset.state === 'live'`
	people = `[...document.querySelectorAll('[data-testid="who"] .tag')].map((e) => e.innerText).join()`
	field  = `document.activeElement?.dataset.testid === 'pin'`
)

func at(testid string) string {
	return `document.querySelector('[data-testid="` + testid + `"]') !== null`
}

func is(tag string) string {
	return live + ` && document.querySelector('[data-testid="person"]').innerText.includes('` + tag + `')`
}

// types is what somebody types, or a badge reader does, and Enter.
func types(p *consoletest.Page, text string) {
	p.T.Helper()
	p.Until("the field has the focus", field+` && document.activeElement.value === ''`)
	p.Do(chromedp.KeyEvent(text + "\r"))
}

// dark fails if anything of the alerts, or of any shopper, is on the page, in what is read aloud or kept in the browser.
func dark(p *consoletest.Page, why string) {
	p.T.Helper()
	all := consoletest.JS[string](p, `document.documentElement.outerHTML + document.title + location.href + JSON.stringify({...localStorage}) + JSON.stringify({...sessionStorage})`)
	for _, of := range []string{"Maple", "Shoes", "ORDER-4711", "Long among", "data-alert", "<svg class=\"floor", "dialog", "(3)"} {
		if strings.Contains(all, of) {
			p.T.Errorf("%s: %q is still on the page", why, of)
		}
	}
	if readAloud(p, "Maple") || readAloud(p, "Shoes") {
		p.T.Errorf("%s: a screen reader is still told of somebody", why)
	}
}

// onTablet is a page on which somebody has said that several people use the device, and Mei has chosen a PIN.
func onTablet(t *testing.T, lockMS int64) (b *backend, p *consoletest.Page) {
	b = newBackend(t)
	b.alerts = someAlerts()
	b.tablet.lockMS = lockMS
	p = consoletest.OpenPage(t, browser.Browser(t), 820, 1180)
	p.Open(b.url + "/console/")
	p.Until("the sign-in", at("gate"))
	p.Readable("sign-in")
	p.Accessible("sign-in")
	p.Click("shared")
	p.Shot("tablet-sign-in")
	p.Do(chromedp.SendKeys(chromedp.CSS(`[data-testid="code"]`), goodCode+"\r"))
	types(p, "1234")
	p.Until("too easy", `document.querySelector('[data-testid="message"]')?.innerText.includes('4 to 12 digits')`)
	types(p, "4711")
	p.Until("asked again", `document.querySelector('form').innerText.includes('once more')`)
	p.Shot("tablet-pin-again")
	types(p, "4712")
	p.Until("not the same", `document.querySelector('[data-testid="message"]')?.innerText.includes('not the same')`)
	p.Accessible("choosing a PIN")
	types(p, "4711")
	p.Until("asked again", `document.querySelector('form').innerText.includes('once more')`)
	types(p, "4711")
	p.Until("the console", is("Mei")+` && document.querySelectorAll('[data-testid="card"]').length === 6`)
	return b, p
}

// Two people on one tablet, by keyboard alone from the first lock on: it shows nothing while it is locked, each comes back by their own PIN or
// badge, and a wrong one is said.
func TestTwoPeopleOnOneTablet(t *testing.T) {
	b, p := onTablet(t, 180_000)
	p.Readable("console on a tablet")
	p.Do(consoletest.ClickIn("a1", "menu"))
	p.Until("asked", `document.querySelector('dialog') !== null`)
	p.Do(chromedp.KeyEvent("\x1b"))
	p.Click("lock")
	p.Until("locked, with Mei", people+` === 'Mei' && document.activeElement.dataset.testid === 'who'`)
	dark(p, "locked by hand")
	p.Do(chromedp.KeyEvent("\t"), chromedp.KeyEvent("\r")) // somebody else
	p.Until("the sign-in, with a way back", at("back"))
	p.Do(chromedp.Focus(chromedp.CSS(`[data-testid="code"]`)), chromedp.KeyEvent(otherCode+"\r"))
	types(p, "badge jonas")
	p.Until("asked again", `document.querySelector('form')?.innerText.includes('once more')`)
	types(p, "badge jonas")
	p.Until("Jonas", is("Jonas"))
	p.Do(chromedp.Focus(chromedp.CSS(`[data-testid="lock"]`)), chromedp.KeyEvent("\r"))
	p.Until("locked, with both", people+` === 'Mei,Jonas'`)
	for _, lang := range []string{"en", "zh", "ar", "pseudo"} {
		if !looking() && (lang == "zh" || lang == "ar") {
			continue // shorter than one and longer than the other
		}
		p.Do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', '`+lang+`')`), chromedp.Reload())
		p.Until("locked still", people+` === 'Mei,Jonas'`)
		everyWidth(p, "tablet-locked-"+lang)
		p.Do(chromedp.KeyEvent("\r"))
		types(p, "0815")
		p.Until("a wrong one", at("message"))
		everyWidth(p, "tablet-wrong-"+lang)
		if lang == "en" {
			p.Accessible("a wrong PIN")
		}
		p.Click("back")
		p.Until("back", people+` === 'Mei,Jonas'`)
		b.set(func(t *fakeTablet) { t.wrong = 0 })
	}
	p.Do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', 'en')`), chromedp.Reload())
	p.Until("locked still", people+` === 'Mei,Jonas'`)
	p.Accessible("locked")
	p.Do(chromedp.KeyEvent("\t"), chromedp.KeyEvent("\r"))
	types(p, "4711")
	p.Until("not hers to use", `document.querySelector('[data-testid="message"]')?.innerText === 'Not this PIN. Tries left: 4.'`)
	types(p, "badge jonas")
	p.Until("Jonas", is("Jonas")+` && document.querySelectorAll('[data-testid="card"]').length === 6`)
	p.Do(chromedp.KeyEvent("?"))
	p.Until("one help", `document.querySelectorAll('dialog').length === 1`) // keys go to one console, however many there were
	p.Do(chromedp.KeyEvent("\x1b"))
	p.Click("sign-out")
	p.Until("Mei is left", people+` === 'Mei'`)
	dark(p, "signed out")
	p.Do(chromedp.KeyEvent("\r"))
	for range 5 {
		types(p, "9999")
	}
	p.Until("ended", at("gate")+` && document.querySelector('[data-testid="message"]').innerText.includes('has ended')`)
	p.Quiet("401")
}

// everyWidth looks at a state where it is narrow and where it is wide, and for whoever looks at all of it at each size, light and dark.
func everyWidth(p *consoletest.Page, name string) {
	p.T.Helper()
	for _, width := range []int64{390, 1280, 320, 820} {
		if !looking() && width != 320 && width != 820 {
			continue
		}
		p.Size(width, 800)
		for _, dark := range []bool{false, true} {
			if dark && !looking() {
				continue
			}
			p.Media(dark, false)
			named := fmt.Sprintf("%s-%d-%v", name, width, dark)
			if !dark {
				p.Readable(named)
			}
			p.Shot(named)
		}
	}
	p.Media(false, false)
}

// A tablet that nobody touches goes dark by itself, with no server to be heard too, and when the server says so; one that
// is touched stays, and tells the server.
func TestATabletGoesDark(t *testing.T) {
	b, p := onTablet(t, 2_000)
	for range 12 {
		p.Do(chromedp.KeyEvent("ArrowDown"))
		<-time.After(250 * time.Millisecond)
	}
	if !consoletest.JS[bool](p, live) {
		t.Fatal("locked, though it was touched")
	}
	b.mu.Lock()
	touches := b.tablet.touches
	b.mu.Unlock()
	if touches < 5 {
		t.Errorf("the server was told of %d touches", touches)
	}
	b.set(func(t *fakeTablet) { t.away = true })
	p.Until("dark, and no way to find out who is there", at("again"))
	dark(p, "untouched, and offline")
	p.Shot("tablet-unreachable")
	b.set(func(t *fakeTablet) { t.away, t.lockMS = false, 180_000 })
	p.Click("again")
	p.Until("locked", people+` === 'Mei'`)
	p.Do(chromedp.KeyEvent("\r"))
	types(p, "4711")
	p.Until("back", is("Mei")+` && document.querySelectorAll('[data-testid="card"]').length === 6`)
	b.lockTablet()
	p.Until("locked by the server", people+` === 'Mei'`)
	dark(p, "locked by the server")
	p.Quiet("401", "503")
}
