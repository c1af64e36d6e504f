// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"

	"doorstep/tracking/server/console/consoletest"
)

// many is a list of n alerts, with every kind and state in it.
func many(n int) (list []obj) {
	for i := range n {
		a := someAlerts()[i%6]
		a["id"] = fmt.Sprintf("m%d", i)
		list = append(list, a)
	}
	return list
}

// Every state of the console, at each size, in both themes, in each language and in one that is longer than any: nothing is cut off, nothing lies over anything
// else, everything can be hit, nothing scrolls sideways. DOORSTEP_SHOTS gets a picture of each, on one sheet.
func TestEveryStateCanBeReadAndHit(t *testing.T) {
	b := newBackend(t)
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	signIn(t, p, b)
	live := `document.querySelector('[data-testid="connection"]')?.dataset.state === 'live' && document.querySelectorAll('.floor .zone').length > 5`
	list := func(alerts ...obj) {
		b.mu.Lock()
		b.alerts = alerts
		b.mu.Unlock()
		p.Do(chromedp.Reload())
		p.Until("the list", fmt.Sprintf(`document.querySelectorAll('[data-testid="card"][data-alert]').length === %d && `, len(alerts))+live)
	}
	mine := someAlerts()[1]
	mine["state"], mine["mine"], mine["version"], mine["id"] = "claimed", true, 9, "mine"
	states := []struct {
		name  string
		wordy bool
		make  func()
	}{
		{"0-alerts", false, func() { list() }},
		{"1-alert", false, func() { list(many(1)...) }},
		{"8-alerts", true, func() { list(many(8)...) }},
		{"mine", true, func() {
			list(mine)
			b.position("mine", 5, -5)
			p.Until("a dot", `document.querySelector('[data-testid="dot"]') !== null`)
		}},
		{"dialog", true, func() {
			p.Do(consoletest.ClickIn("mine", "menu"))
			p.Until("asked", `document.querySelector('dialog') !== null`)
		}},
		{"gone", false, func() {
			p.Do(chromedp.KeyEvent("\x1b"))
			b.toScreens(obj{"type": "gone", "alert": "mine", "offset": 2, "reason": "withdrawn", "t": time.Now().UnixMilli()})
			p.Until("gone", `document.querySelector('[data-testid="card"][data-state="gone"]') !== null`)
		}},
		{"offline", false, func() {
			list(many(4)...)
			b.setMute(true)
			p.Until("lost", `document.querySelector('[data-testid="connection"]').dataset.state === 'lost'`)
		}},
	}
	for _, lang := range []string{"en", "zh", "ar", "pseudo"} {
		p.Do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', '` + lang + `')`))
		for _, s := range states {
			if short := lang == "zh" || lang == "ar"; short && !looking() && !s.wordy {
				continue // what has few words of its own is looked at where it is shortest and longest, and by whoever looks at all of it
			}
			s.make()
			for _, width := range []int64{1280, 1920, 820, 390, 320} {
				if width == 1920 && !looking() {
					continue // there is more room for everything than at 1280
				}
				p.Size(width, 800)
				for _, dark := range []bool{false, true} {
					p.Media(dark, false)
					name := fmt.Sprintf("state-%s-%s-%d-%v", s.name, lang, width, dark)
					if !dark { // a theme moves nothing
						p.Readable(name)
					}
					p.Shot(name)
				}
			}
			p.Media(false, false)
			p.Size(1280, 800)
			if lang == "en" {
				p.Accessible(s.name)
				p.Media(false, true)
				p.Readable(s.name + ", in colours of their own")
				p.Shot("state-" + s.name + "-forced")
				p.Media(false, false)
				p.Colourless(true)
				p.Shot("state-" + s.name + "-colourless")
				p.Colourless(false)
			}
		}
		b.setMute(false)
		p.Do(chromedp.KeyEvent("\x1b"))
		p.Until("live again", `document.querySelector('[data-testid="connection"]').dataset.state === 'live'`)
	}
	p.Quiet()
}

// looking reports whether somebody is to look at all states. CI keeps pictures of what it checks, and has no time for more.
func looking() bool { return os.Getenv("DOORSTEP_SHOTS") != "" && os.Getenv("CI") == "" }

func (b *backend) setMute(on bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.mute = on
}

// The first picture is there soon, and nothing moves when the rest comes.
func TestTheConsoleIsThereSoon(t *testing.T) {
	b := newBackend(t)
	b.alerts = someAlerts()
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	signIn(t, p, b)
	p.Do(chromedp.Reload())
	p.Until("six cards, and the map", `document.querySelectorAll('[data-testid="card"]').length === 6 && document.querySelectorAll('.floor .zone').length > 5`)
	p.Do(chromedp.Evaluate[chromedp.Void](`window.seen = {shift: 0, largest: 0}; new PerformanceObserver((l) => l.getEntries().forEach((e) => { window.seen.shift += e.value; })).observe({ type: 'layout-shift', buffered: true });
		new PerformanceObserver((l) => l.getEntries().forEach((e) => { window.seen.largest = e.startTime; })).observe({ type: 'largest-contentful-paint', buffered: true })`))
	p.Until("measured", `window.seen.largest > 0`)
	first := consoletest.JS[float64](p, `performance.getEntriesByName('first-contentful-paint')[0].startTime`)
	largest, shift := consoletest.JS[float64](p, `window.seen.largest`), consoletest.JS[float64](p, `window.seen.shift`)
	t.Logf("first paint after %.0f ms, the largest after %.0f ms, shifted by %.4f", first, largest, shift)
	if shift >= 0.02 {
		t.Errorf("the page shifted by %.4f while it came", shift)
	}
}

// What is gone is gone from what a screen reader is told too, and the focus that was on it is somewhere.
func TestGoneFromWhatIsReadAloud(t *testing.T) {
	b := newBackend(t)
	b.alerts = someAlerts()[:3]
	b.alerts[0]["zone"], b.alerts[0]["word"] = zone("shoes", "Canary zone", 0), "Canary ▲ green"
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	signIn(t, p, b)
	p.Until("three cards", `document.querySelectorAll('[data-testid="card"]').length === 3`)
	p.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-alert="a1"]').focus()`))
	if !readAloud(p, "Canary zone") {
		t.Fatal("the tree does not hold what is on the page: this proves nothing")
	}
	p.Do(chromedp.Evaluate[chromedp.Void](`new MutationObserver(() => { if (!document.documentElement.outerHTML.includes('Canary')) window.forgotten ??= Date.now(); }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true })`))
	sent := time.Now().UnixMilli()
	b.toScreens(obj{"type": "gone", "alert": "a1", "offset": 9, "reason": "withdrawn", "t": sent, "proof": "x"})
	p.Until("gone", `window.forgotten`)
	took := consoletest.JS[int64](p, `window.forgotten`) - sent
	t.Logf("nothing of it was left after %d ms", took)
	if readAloud(p, "Canary") {
		t.Error("a screen reader is still told of somebody who is gone")
	}
	if consoletest.JS[bool](p, `document.activeElement === document.body`) {
		t.Error("the focus that was on the card is nowhere")
	}
}

// readAloud reports whether what a screen reader is told has some words in it.
func readAloud(p *consoletest.Page, words string) bool {
	p.T.Helper()
	var tree accessibility.GetFullAXTreeResult
	p.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) (err error) {
		tree, err = cdp.Call(ctx, t, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
		return err
	}))
	all, err := json.Marshal(tree)
	if err != nil {
		p.T.Fatal(err)
	}
	return strings.Contains(string(all), words)
}

// No page asks to notify anybody: a notification would outlive what it is about, on a screen that this server cannot clear.
func TestNoPageNotifies(t *testing.T) {
	sources(t, func(name, text string) {
		if strings.HasSuffix(name, ".js") && (strings.Contains(text, "Notification(") || strings.Contains(text, "showNotification") || strings.Contains(text, "serviceWorker")) {
			t.Errorf("%s notifies", name)
		}
	})
}
