// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"doorstep/tracking/server/console/consoletest"
)

// keys presses keys, and fails if the focus is lost by it.
func keys(p *consoletest.Page, what ...string) {
	p.T.Helper()
	for _, k := range what {
		p.Do(chromedp.KeyEvent(k))
		if consoletest.JS[bool](p, `document.activeElement === null || document.activeElement === document.body`) {
			p.T.Errorf("%q lost the focus", k)
		}
	}
}

// command presses a key that stands for no letter where it is pressed: a browser types none once the page has taken it, and this must not either.
func command(p *consoletest.Page, key rune) {
	p.T.Helper()
	for _, k := range kb.Encode(key) {
		if k.Type != kb.KeyChar {
			p.Do(consoletest.Call(input.DispatchKeyEvent, *k))
		}
	}
}

const chosen = `document.querySelector('[data-testid="card"][data-selected]')?.dataset.alert`

// did waits for an action.
func (b *backend) did(action string) {
	b.t.Helper()
	for deadline := time.Now().Add(5 * time.Second); b.sent("action")["action"] != action; <-time.After(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.t.Fatalf("no %q came in, but %v", action, b.sent("action"))
		}
	}
}

// A whole shift's work without a pointer: every action that there is, every question that is asked, and the focus is never lost.
func TestKeyboardOnly(t *testing.T) {
	b := newBackend(t)
	b.alerts = someAlerts()
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	signIn(t, p, b)
	p.Until("six cards, and the map", `document.querySelectorAll('[data-testid="card"]').length === 6 && document.querySelectorAll('.floor .zone').length > 5`)
	keys(p, kb.ArrowDown)
	p.Until("what is escalated is first", chosen+` === 'a1'`)
	keys(p, "c")
	p.Until("mine", card("a1", `c.dataset.state === 'mine'`))
	keys(p, "d")
	p.Until("asked which desk", `document.querySelector('dialog [data-testid="desk"]') !== null`)
	p.Accessible("console, which desk")
	p.Shot("console-call")
	keys(p, kb.Tab, kb.Tab, kb.Enter)
	p.Until("none was chosen", `document.querySelector('dialog .problem')?.checkVisibility() && document.activeElement.dataset.testid === 'desk'`)
	keys(p, "Serv", kb.Tab, kb.Enter)
	p.Until("said", card("a1", `c.innerText.includes('Asked to come to Service Desk')`))
	if got := b.sent("call"); got["alert"] != "a1" || got["desk"] != "service" || got["key"] == "" {
		t.Errorf("called with %v", got)
	}
	keys(p, "k")
	b.did("keep")
	keys(p, "s")
	p.Until("asked how long", `document.querySelector('dialog .answers button') !== null`)
	keys(p, kb.Tab, kb.Enter)
	p.Until("snoozed", card("a1", `c.dataset.state === 'snoozed'`))
	keys(p, kb.ArrowUp, kb.ArrowUp, kb.ArrowUp, kb.ArrowUp, kb.ArrowUp)
	p.Until("the next one is first", chosen+` === 'a3'`)
	keys(p, "e")
	p.Until("escalated", card("a3", `c.dataset.state === 'escalated'`))
	keys(p, "e")
	keys(p, "m")
	p.Until("the menu does not offer it again", `document.querySelector('dialog') !== null && !document.querySelector('[data-testid="menu-escalate"]')`)
	keys(p, kb.Escape)
	p.Until("back on the card", `!document.querySelector('dialog') && document.activeElement.dataset.alert === 'a3'`)
	keys(p, "c")
	p.Until("mine", card("a3", `c.dataset.state === 'mine'`))
	keys(p, "h")
	p.Until("asked to whom", `document.querySelector('dialog .answers')?.innerText.trim() === 'Jonas'`)
	keys(p, kb.Tab, kb.Enter)
	p.Until("theirs", card("a3", `c.dataset.state === 'theirs'`))
	keys(p, "2")
	p.Until("another floor", `document.querySelector('[data-testid="level"][aria-pressed="true"]').dataset.level === '1'`)
	keys(p, "1", "f", kb.ArrowDown, "c")
	p.Until("mine", `document.querySelector('[data-testid="card"][data-selected]').dataset.state === 'mine'`)
	keys(p, "r")
	p.Until("resolved, and the focus is on another card", `document.querySelectorAll('[data-testid="card"]').length === 5 && document.activeElement.dataset.testid === 'card'`)
	command(p, '/')
	keys(p, "bags")
	p.Until("filtered", `document.querySelectorAll('[data-testid="card"]').length === 1`)
	keys(p, kb.Escape)
	p.Until("all again", `document.querySelectorAll('[data-testid="card"]').length === 5`)
	keys(p, "?")
	p.Until("every key is told", `document.querySelectorAll('dialog kbd').length === 15`)
	p.Shot("console-keys")
	keys(p, kb.Escape)
	p.Quiet()
}

// Whoever has an alert is warned before it goes back to everybody, once, and keeps it with one key; whoever was called is seen to come.
func TestWhatIsMineGoesBackUnlessKept(t *testing.T) {
	b := newBackend(t)
	b.alerts = someAlerts()[:3]
	b.alerts[0]["state"], b.alerts[0]["mine"], b.alerts[0]["due_t"] = "claimed", true, time.Now().Add(50*time.Second).UnixMilli()
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	signIn(t, p, b)
	p.Until("warned on the card, and aloud", card("a1", `/Goes back in 00:\d\d/.test(c.innerText)`)+` && document.querySelector('[aria-live="assertive"]').innerText.includes('goes back to everybody in a minute')`)
	p.Shot("console-goes-back")
	p.Do(consoletest.ClickIn("a1", "menu"))
	p.Click("menu-keep")
	p.Until("kept", card("a1", `c.dataset.state === 'mine' && c.innerText.includes('You have it')`))
	p.Do(consoletest.ClickIn("a1", "menu"))
	p.Click("menu-look-away")
	if got := b.sent("look_away")["alert"]; got != "a1" {
		t.Errorf("looked away from %v", got)
	}
	b.take("look")
	called := obj{"id": "a8", "kind": "called", "state": "raised", "version": 1, "mine": false, "desk": "service", "raised_t": time.Now().UnixMilli(), "changed_t": 1,
		"due_t": time.Now().Add(5 * time.Minute).UnixMilli(), "presence": "visible", "zone": zone("shoes", "Shoes", 0), "word": "Maple ▲ green"}
	b.toScreens(obj{"type": "alert", "offset": 2, "alert": called})
	p.Until("called", card("a8", `c.innerText.includes('Asked to come to Service Desk') && !c.querySelector('[data-testid="at-desk"]')`))
	live := func(at string) {
		b.toScreens(obj{"type": "live", "alert": "a8", "zone": zone("service", "Service Desk", 0), "word": "Maple ▲ green", "at_desk": at})
		p.Until(at, card("a8", `c.querySelector('[data-testid="at-desk"]')?.dataset.at === '`+at+`'`))
		p.Shot("console-" + at + "-the-desk")
	}
	live("near")
	live("at")
	p.Until("and said", `document.querySelector('[aria-live="polite"]').innerText.includes('is at the desk: Service Desk')`)
	p.Accessible("console, at the desk")
	b.toScreens(obj{"type": "alert", "offset": 3, "alert": obj{"id": "a1", "kind": "help", "topic": "find", "state": "claimed", "version": 9, "mine": true, "raised_t": 1, "changed_t": 1,
		"due_t": time.Now().Add(5 * time.Minute).UnixMilli(), "presence": "visible", "zone": zone("shoes", "Shoes", 0), "word": "Maple ▲ green"}})
	p.Until("it has changed", card("a1", `c.innerText.includes('Finding something')`))
	if again := b.take("look"); len(again) != 0 {
		t.Errorf("somebody who said that they do not want to look looks again: %v", again)
	}
	p.Quiet()
}

// A sound is made once somebody has asked for sounds, and not for what others are told of.
func TestWhatOthersAreToldOfIsSilentHere(t *testing.T) {
	b := newBackend(t)
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	signIn(t, p, b)
	p.Do(chromedp.Evaluate[chromedp.Void](`window.notes = 0; { const make = AudioContext.prototype.createOscillator; AudioContext.prototype.createOscillator = function () { window.notes++; return make.call(this); }; }`))
	alert := func(id string, quiet bool) {
		b.toScreens(obj{"type": "alert", "offset": 2, "alert": obj{"id": id, "kind": "help", "state": "raised", "version": 1, "mine": false, "quiet": quiet, "raised_t": time.Now().UnixMilli(), "changed_t": 1, "due_t": 0, "presence": "visible"}})
		p.Until(id, card(id, "true"))
	}
	notes := func() int { return consoletest.JS[int](p, "window.notes") }
	alert("s1", false)
	if notes() != 0 {
		t.Error("a sound before anybody asked for sounds")
	}
	p.Click("sound")
	p.Until("it says that it can be heard", `document.querySelector('[data-testid="sound"]').ariaPressed === 'true' && window.notes === 2`)
	alert("s2", true)
	if notes() != 2 {
		t.Error("a sound for what others are told of")
	}
	alert("s3", false)
	if notes() != 5 {
		t.Errorf("%d notes: no sound for what is everybody's", notes())
	}
	alert("s4", false)
	if notes() != 5 {
		t.Error("two sounds within twenty seconds")
	}
	p.Quiet()
}

// A console whose socket breaks says how far it had come, is told what changed, looks again at what is its own, and says nothing twice.
func TestAConsoleThatComesBack(t *testing.T) {
	b := newBackend(t)
	b.alerts = someAlerts()
	b.alerts[3]["holder_tag"], b.alerts[3]["mine"] = "Mei", true
	b.offset = 7
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	signIn(t, p, b)
	p.Until("six cards", `document.querySelectorAll('[data-testid="card"]').length === 6`)
	if first := b.take("hello"); len(first) != 1 || first[0]["since"] != 0.0 || first[0]["epoch"] != nil {
		t.Errorf("began with %v", first)
	}
	b.sent("look")
	b.take("look")
	resolved := someAlerts()[1]
	resolved["state"], resolved["version"] = "resolved", 2
	fresh := obj{"id": "b1", "kind": "help", "state": "raised", "version": 1, "mine": false, "raised_t": time.Now().UnixMilli(), "changed_t": 1, "due_t": 0, "presence": "visible"}
	b.mu.Lock()
	b.missed = obj{"type": "resumed", "since": 7, "offset": 9, "alerts": []obj{resolved, fresh}, "open": []string{"a1", "a4", "a5", "a6", "b1"}}
	b.mu.Unlock()
	b.each(func(pipe *pipe) { _ = pipe.ws.Close() })
	p.Until("back, with what changed", card("b1", "true")+` && document.querySelectorAll('[data-testid="card"][data-alert]').length === 5`)
	if back := b.take("hello"); len(back) != 1 || back[0]["since"] != 7.0 || back[0]["epoch"] != "e1" {
		t.Errorf("came back with %v", back)
	}
	if got := b.sent("look")["alert"]; got != "a4" {
		t.Errorf("looks at %v", got)
	}
	p.Until("one thing is new, and is said", `document.querySelector('[aria-live="polite"]').innerText.includes('New: Help. 5 open.')`)
	p.Click("tab-ended")
	p.Until("what was over in between says how", `document.querySelector('[data-testid="card"][data-state="resolved"]') !== null && document.querySelectorAll('[data-testid="card"]').length === 2`)
	p.Quiet()
}

// 200 alerts and 50 people on the map: the list is there, nothing stands still for long, and what took long is told.
func TestTwoHundredAlertsAndFiftyDots(t *testing.T) {
	b := newBackend(t)
	zones := []string{"shoes", "bags", "beauty", "jewellery", "gifts", "coffee", "pickup", "service", "electronics"}
	for i := range 200 {
		a := someAlerts()[i%3]
		z := zones[i%len(zones)]
		a["id"], a["zone"], a["mine"], a["show_me"] = fmt.Sprintf("n%d", i), zone(z, z, 0), i < 50, i < 50
		if i < 50 {
			a["state"] = "claimed"
		}
		b.alerts = append(b.alerts, a)
	}
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	signIn(t, p, b)
	p.Until("all cards", `document.querySelectorAll('[data-testid="card"]').length === 200`)
	p.Do(consoletest.Call(emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: 4}),
		chromedp.Evaluate[chromedp.Void](`window.long = []; new PerformanceObserver((l) => window.long.push(...l.getEntries().map((e) => e.duration))).observe({ type: 'longtask' });
			window.redrawn = 0; new MutationObserver((l) => { window.redrawn += l.length; }).observe(document.querySelector('[data-testid="card"]').parentElement, { childList: true })`))
	moves := 0 // each moves fifty people, for long enough that the page draws itself anew twice, and until all of them are there
	for ; moves < 12 || moves < 100 && consoletest.JS[int](p, `document.querySelectorAll('[data-testid="dot"]').length`) < 50; moves++ {
		for i := range 50 {
			b.position(fmt.Sprintf("n%d", i), -30+float64(i%10)*7+float64(moves%12)/4, -20+float64(i/10)*7)
		}
		<-time.After(100 * time.Millisecond)
	}
	p.Do(consoletest.Call(emulation.SetCPUThrottlingRate, emulation.SetCPUThrottlingRateParams{Rate: 1}))
	if moves == 100 {
		t.Error("there never were fifty dots")
	}
	long := consoletest.JS[[]float64](p, `window.long`)
	worst := 0.0
	for _, ms := range long {
		worst = max(worst, ms)
	}
	t.Logf("200 alerts, 50 dots, a fourth of this processor: %d tasks over 50 ms, the longest %.0f ms", len(long), worst)
	if n := consoletest.JS[int](p, `window.redrawn`); n > 0 {
		t.Errorf("%d changes to the list of cards for who only moved", n)
	}
	for _, width := range []int64{1280, 820, 390} {
		p.Size(width, 800)
		p.Shot(fmt.Sprintf("state-200-alerts-%d", width))
		p.Readable(fmt.Sprintf("200 alerts at %d", width))
	}
	p.Size(1280, 800)
	p.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-alert="n60"]').scrollIntoView()`))
	took, err := chromedp.Run(p.Ctx, chromedp.Evaluate[float64](`new Promise((done) => { const c = document.querySelector('[data-alert="n60"]'), from = performance.now();
		new MutationObserver(() => { if (c.dataset.state === 'mine') requestAnimationFrame(() => done(performance.now() - from)); }).observe(c, { attributes: true }); c.querySelector('[data-testid="claim"]').click(); })`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Error(err)
	}
	t.Logf("from the claim to its paint, with the server's answer: %.0f ms", took)
	p.Quiet()
}
