// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"doorstep/tracking/server/console/consoletest"
)

func zone(id, name string, level int) obj {
	return obj{"id": id, "name": name, "level": level, "likely": false}
}

func someAlerts() []obj {
	now := time.Now()
	ago := func(m float64) int64 { return now.Add(-time.Duration(m * float64(time.Minute))).UnixMilli() }
	in := func(s int) int64 { return now.Add(time.Duration(s) * time.Second).UnixMilli() }
	return []obj{
		{"id": "a1", "kind": "help", "topic": "fitting", "state": "escalated", "version": 2, "mine": false, "raised_t": ago(4), "changed_t": ago(2), "due_t": in(900), "presence": "visible", "zone": zone("shoes", "Shoes", 0), "word": "Maple ▲ green"},
		{"id": "a2", "kind": "arrived", "topic": "appointment", "ref": "ORDER-4711", "state": "raised", "version": 1, "mine": false, "raised_t": ago(1.5), "changed_t": ago(1), "due_t": in(42), "presence": "visible",
			"booking": obj{"case": "early", "t": in(1800), "desk": "service", "proxy": true}, "zone": zone("beauty", "Beauty", 0), "word": "River ● blue"},
		{"id": "a3", "kind": "waiting", "priority": "high", "quiet": true, "state": "raised", "version": 1, "mine": false, "raised_t": ago(.3), "changed_t": ago(1), "due_t": in(71), "presence": "visible",
			"zone": obj{"id": "pickup", "name": "Pickup Counter", "level": 0, "likely": true}, "word": "Comet ★ orange"},
		{"id": "a4", "kind": "called", "desk": "service", "at_desk": "near", "state": "claimed", "version": 3, "mine": false, "holder_tag": "Jonas", "raised_t": ago(6), "changed_t": ago(1), "due_t": in(71), "presence": "visible", "zone": zone("service-desk", "Service Desk", 0), "word": "Olive ◆ teal"},
		{"id": "a5", "kind": "help", "topic": "question", "state": "raised", "version": 1, "mine": false, "raised_t": ago(.1), "changed_t": ago(1), "due_t": in(85), "presence": "hidden"},
		{"id": "a6", "kind": "rule", "rule": "Long among the bags", "priority": "low", "state": "snoozed", "version": 2, "mine": false, "raised_t": ago(9), "changed_t": ago(1), "due_t": in(200),
			"presence": "visible", "zone": zone("bags", "Bags & Accessories", 0), "word": "Pebble ■ violet"},
	}
}

func card(id, condition string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('[data-testid="card"][data-alert=%q]')].some(c => %s)`, id, condition)
}

func signIn(t *testing.T, p *consoletest.Page, b *backend) {
	t.Helper()
	p.Open(b.url + "/console/#code=" + goodCode)
	p.Until("live", `document.querySelector('[data-testid="connection"]')?.dataset.state === 'live'`)
	if got := consoletest.JS[string](p, "location.href"); strings.Contains(got, "code") || strings.Contains(got, "#") {
		t.Errorf("the code is still in the address: %s", got)
	}
}

func TestConsole(t *testing.T) {
	b := newBackend(t)
	b.alerts = someAlerts()
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	signIn(t, p, b)
	p.Until("six cards", `document.querySelectorAll('[data-testid="card"]').length === 6`)
	p.Until("map", `document.querySelectorAll('.floor .zone').length > 5`)
	for _, size := range [][2]int64{{1280, 800}, {1920, 1080}, {820, 1180}, {390, 844}, {360, 780}, {320, 640}} {
		for _, dark := range []bool{false, true} {
			p.Size(size[0], size[1])
			p.Dark(dark)
			name := fmt.Sprintf("console-%d-%v", size[0], dark)
			p.Fits(name)
			p.Shot(name)
		}
	}
	p.Accessible("console, dark")
	p.Dark(false)
	p.Accessible("console, list alone")
	p.Size(1280, 800)
	p.Accessible("console")
	for _, lang := range []string{"zh", "ar"} {
		p.Do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', '`+lang+`')`), chromedp.Reload())
		p.Until("six cards", `document.querySelectorAll('[data-testid="card"]').length === 6`)
		for _, size := range [][2]int64{{1280, 800}, {360, 780}} {
			p.Size(size[0], size[1])
			p.Fits("console-" + lang)
			p.Shot(fmt.Sprintf("console-%s-%d", lang, size[0]))
		}
	}
	p.Do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', 'en')`), chromedp.Reload())
	p.Until("live", `document.querySelector('[data-testid="connection"]')?.dataset.state === 'live'`)
	p.Size(1280, 800)
	t.Run("loses a claim", func(t *testing.T) { losesClaim(p, b) })
	t.Run("claims", func(t *testing.T) { claims(p, b) })
	t.Run("counts what came out of sight", func(t *testing.T) { comesOutOfSight(p, b) })
	t.Run("hands over", func(t *testing.T) { handsOver(p, b) })
	t.Run("hides at once", func(t *testing.T) { hides(p, b) })
	t.Run("forgets what is gone", func(t *testing.T) { forgets(p, b) })
	t.Run("blanks without a beat", func(t *testing.T) { blanks(p, b) })
	t.Run("says when it cannot confirm", func(t *testing.T) { unconfirmed(p, b) })
	t.Run("clears when signed out", func(t *testing.T) { signsOut(p) })
	p.Quiet("409", "the server responded with a status of 401")
}

func losesClaim(p *consoletest.Page, b *backend) {
	b.mu.Lock()
	b.claimBy = "Jonas"
	b.mu.Unlock()
	p.Do(consoletest.ClickIn("a2", "claim"))
	p.Until("the loser reads who won", card("a2", `c.innerText.includes('Jonas claimed it first')`))
	if !consoletest.JS[bool](p, card("a2", `c.dataset.state === 'raised'`)) {
		p.T.Error("a lost claim was shown as won")
	}
	b.mu.Lock()
	b.claimBy = ""
	b.mu.Unlock()
}

func claims(p *consoletest.Page, b *backend) {
	p.Do(consoletest.ClickIn("a1", "claim"))
	p.Until("mine", card("a1", `c.dataset.state === 'mine'`))
	if got := b.sent("look")["alert"]; got != "a1" {
		p.T.Errorf("looks at %v", got)
	}
	b.position("a1", -24, -12)
	p.Until("a dot", `document.querySelector('[data-testid="dot"][data-alert="a1"]') !== null`)
	p.Shot("console-mine")
	p.Accessible("console, with a dot")
}

// What comes while the list is shown and lies below its edge is counted until it is seen.
func comesOutOfSight(p *consoletest.Page, b *backend) {
	p.Size(1280, 460)
	p.Do(chromedp.Reload(), chromedp.MouseEvent(chromedp.MouseMoved, 900, 300)) // nothing holds the order
	p.Until("six cards, some out of sight", `document.querySelectorAll('[data-testid="card"]').length === 6`)
	if consoletest.JS[bool](p, `document.querySelector('[data-testid="new"]').checkVisibility()`) {
		p.T.Error("what was there from the beginning is called new")
	}
	b.toScreens(obj{"type": "alert", "offset": 2, "alert": obj{"id": "a7", "kind": "help", "state": "raised", "version": 1, "mine": false, "raised_t": time.Now().UnixMilli(), "changed_t": 1, "due_t": 0, "presence": "visible"}})
	p.Until("one is new", `document.querySelector('[data-testid="new"]').checkVisibility() && document.querySelector('[data-testid="new"]').innerText === '1 new'`)
	p.Click("new")
	p.Until("it is in sight", `!document.querySelector('[data-testid="new"]').checkVisibility() && document.querySelector('[data-alert="a7"]').getBoundingClientRect().bottom <= innerHeight`)
	b.toScreens(obj{"type": "gone", "alert": "a7", "offset": 3, "reason": "withdrawn", "t": time.Now().UnixMilli(), "proof": "x"})
	p.Until("gone", `![...document.querySelectorAll('[data-testid="card"]')].some(c => c.dataset.alert === 'a7')`)
	p.Do(chromedp.MouseEvent(chromedp.MouseMoved, 900, 300), chromedp.Evaluate[chromedp.Void](`document.activeElement.blur()`))
	p.Until("what is over gives up its room once nobody points at the list", `document.querySelector('[data-testid="card"][data-state="gone"]')?.getBoundingClientRect().height === 56`)
	p.Size(1280, 800)
}

// An alert goes to a colleague who is there, and to nobody else.
func handsOver(p *consoletest.Page, b *backend) {
	p.Do(consoletest.ClickIn("a3", "claim"))
	p.Until("mine", card("a3", `c.dataset.state === 'mine'`))
	p.Do(consoletest.ClickIn("a3", "menu"))
	p.Click("menu-hand-over")
	p.Until("asked to whom", `document.querySelector('dialog .answers')?.innerText.trim() === 'Jonas'`)
	p.Accessible("console, a question")
	p.Do(chromedp.Click(chromedp.CSS("dialog .answers button")))
	p.Until("theirs", card("a3", `c.dataset.state === 'theirs' && c.innerText.includes('Jonas')`))
	if got := b.sent("action"); got["action"] != "hand_over" || got["to"] != "sh2" || got["to_tag"] != "Jonas" {
		p.T.Errorf("handed over with %v", got)
	}
}

func hides(p *consoletest.Page, b *backend) {
	b.toScreens(obj{"type": "presence", "alert": "a1", "presence": "hidden", "t": time.Now().UnixMilli()})
	p.Until("hidden", card("a1", `c.dataset.presence === 'hidden' && !c.innerText.includes('Shoes')`))
	if consoletest.JS[bool](p, `document.querySelector('[data-testid="dot"]') !== null`) {
		p.T.Error("the dot outlived the hiding")
	}
	p.Shot("console-hidden")
	b.toScreens(obj{"type": "presence", "alert": "a1", "presence": "visible", "t": time.Now().UnixMilli()})
	b.toScreens(obj{"type": "live", "alert": "a1", "zone": zone("shoes", "Shoes", 0), "word": "Maple ▲ green"})
	p.Until("back", card("a1", `c.dataset.presence === 'visible' && c.innerText.includes('Shoes')`))
}

func forgets(p *consoletest.Page, b *backend) {
	b.toScreens(obj{"type": "live", "alert": "a1", "zone": obj{"id": "canary-zone", "name": "Canary zone", "level": 0}, "word": "Canary ▲ green"})
	b.position("a1", -24, -12)
	p.Until("everything is there", `document.body.innerHTML.includes('Canary zone') && document.querySelector('[data-testid="dot"]') !== null`)
	b.toScreens(obj{"type": "gone", "alert": "a1", "offset": 9, "reason": "left_store", "t": time.Now().UnixMilli(), "proof": "x"})
	p.Until("gone", `[...document.querySelectorAll('[data-testid="card"][data-state="gone"]')].some(c => c.innerText.includes('Left the store'))`)
	left := consoletest.JS[string](p, `(() => {
		const all = document.documentElement.outerHTML + location.href + document.title + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + JSON.stringify(history.state);
		return ['Canary', 'a1"', 'canary-zone'].filter(w => all.includes(w)).join(' ');
	})()`)
	if left != "" {
		p.T.Errorf("after gone the page still holds: %s", left)
	}
	if consoletest.JS[int](p, `document.querySelectorAll('[data-testid="dot"]').length`) != 0 {
		p.T.Error("a dot outlived its shopper")
	}
	b.toScreens(obj{"type": "live", "alert": "a1", "zone": zone("shoes", "Canary again", 0), "word": "Canary ▲ green"})
	b.position("a1", 1, 1)
	b.toScreens(obj{"type": "alert", "offset": 10, "alert": obj{"id": "a9", "kind": "help", "state": "raised", "version": 1, "raised_t": time.Now().UnixMilli(), "changed_t": 1, "due_t": 0, "presence": "visible"}})
	p.Until("a later alert", card("a9", "true"))
	if consoletest.JS[bool](p, `document.documentElement.outerHTML.includes('Canary')`) {
		p.T.Error("what came late about somebody gone was shown")
	}
	p.Shot("console-gone")
	p.Accessible("console, gone")
}

func blanks(p *consoletest.Page, b *backend) {
	p.Do(consoletest.ClickIn("a2", "claim"))
	p.Until("mine", card("a2", `c.dataset.state === 'mine'`))
	b.position("a2", 5, -5)
	p.Until("a dot", `document.querySelector('[data-testid="dot"]') !== null`)
	b.mu.Lock()
	b.mute = true
	b.mu.Unlock()
	p.Until("blanked", `document.querySelector('[data-testid="dot"]') === null`)
	p.Until("lost", `document.querySelector('[data-testid="connection"]').dataset.state === 'lost'`)
	p.Until("places are gone", `!document.querySelector('[data-testid="cards"]').innerText.includes('Beauty') && !document.querySelector('.badge')`)
	if !strings.Contains(p.Text(), "Positions hidden") {
		p.T.Error("the page does not say that positions are hidden")
	}
	p.Shot("console-lost")
	p.Accessible("console, lost")
	b.mu.Lock()
	b.mute = false
	b.mu.Unlock()
	p.Until("live again", `document.querySelector('[data-testid="connection"]').dataset.state === 'live'`)
}

func unconfirmed(p *consoletest.Page, b *backend) {
	b.mu.Lock()
	b.serving = false
	b.mu.Unlock()
	p.Until("unconfirmed", `document.querySelector('[data-testid="connection"]').dataset.state === 'unconfirmed'`)
	p.Until("said", `document.querySelector('[data-testid="banner"]').innerText === 'Cannot confirm consent. Positions hidden.'`)
	b.mu.Lock()
	b.serving = true
	b.mu.Unlock()
	p.Until("live again", `document.querySelector('[data-testid="connection"]').dataset.state === 'live'`)
}

func signsOut(p *consoletest.Page) {
	p.Click("sign-out")
	p.Until("cleared", `document.querySelector('[data-testid="message"]')?.innerText.includes('signed out') && !document.querySelector('[data-testid="card"]')`)
	p.Shot("console-signed-out")
	p.Accessible("console, signed out")
}

func TestShopper(t *testing.T) {
	b := newBackend(t)
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 900)
	p.Open(b.url + "/shopper/#code=" + goodCode)
	p.Until("off", indicator("off"))
	if got := consoletest.JS[string](p, "location.href"); strings.Contains(got, "code") {
		t.Errorf("the code is still in the address: %s", got)
	}
	for _, lang := range []string{"zh", "ar", "en"} {
		p.Do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', '`+lang+`')`), chromedp.Reload())
		p.Until("off", indicator("off"))
		shots(p, "shopper-off-"+lang)
	}
	t.Run("refuses, and keeps the shop", func(t *testing.T) { refuses(p, b) })
	t.Run("asks", func(t *testing.T) { asks(p, b) })
	t.Run("says when nobody is there", func(t *testing.T) { nobody(p, b) })
	t.Run("is helped", func(t *testing.T) { helped(p, b) })
	t.Run("stops in one tap", func(t *testing.T) { stops(p, b) })
	t.Run("says that the store could not take a stop", func(t *testing.T) { isMisread(p, b) })
	p.Quiet("409", "422")
}

// What anybody may ask for about themselves: all of it in a file; that all of it goes, after being told what that means.
func TestShopperRights(t *testing.T) {
	b := newBackend(t)
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 900)
	p.Open(b.url + "/shopper/#code=" + goodCode)
	p.Until("off", indicator("off"))
	for _, lang := range []string{"ar", "en"} {
		p.Do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', '`+lang+`')`), chromedp.Reload())
		p.Until("off", indicator("off"))
		p.Click("erase")
		p.Until("it is said what goes and what stays", `document.querySelectorAll('[data-testid="erase-terms"] li').length === 7`)
		p.Size(320, 640)
		p.Fits("shopper-erase-" + lang)
		p.Shot("shopper-erase-" + lang)
		p.Size(1280, 900)
		p.Do(chromedp.KeyEvent("\x1b"))
		p.Until("put away, and back where one was", `!document.querySelector('.sheet') && document.activeElement?.dataset.testid === 'erase'`)
	}
	p.Click("begin")
	p.Click("choice-visit")
	p.Until("given", `document.querySelector('[data-testid="decision-receipt"]') !== null`)
	t.Run("takes everything along", func(t *testing.T) { exports(p) })
	t.Run("has everything erased", func(t *testing.T) { erases(p, b) })
	p.Quiet("503")
}

// narrow checks a state of the page on the smallest screen.
func narrow(p *consoletest.Page, name string) {
	p.T.Helper()
	p.Size(320, 640)
	p.Fits(name)
	p.Shot(name)
	p.Accessible(name)
	p.Size(1280, 900)
}

func exports(p *consoletest.Page) {
	var file struct {
		Subject   string
		Decisions []obj
	}
	content := p.Saved("my-data-*.json", func() { p.Click("export") })
	if err := json.Unmarshal(content, &file); err != nil || len(file.Decisions) != 1 || len(file.Subject) != 32 {
		p.T.Errorf("the file holds %s", content)
	}
	p.Until("it is said", `document.querySelector('[data-testid="export-said"]').innerText.startsWith('Saved as my-data-')`)
	p.Shot("shopper-exported")
	p.Accessible("shopper, exported")
}

func erases(p *consoletest.Page, b *backend) {
	b.mu.Lock()
	b.slow = true
	for _, f := range b.got {
		if f["type"] == "erasure" {
			p.T.Error("erased before anybody said so")
		}
	}
	b.mu.Unlock()
	p.Click("erase")
	narrow(p, "shopper-erase")
	p.Click("erase-all")
	p.Until("it is on its way", `document.querySelector('[data-testid="erasing"]')?.innerText.includes('waiting') && document.querySelector('[data-testid="erase"]').ariaDisabled === 'true'`)
	id := b.sent("erasure")["id"]
	p.Until("it is late, and says so", `document.querySelector('[data-testid="erasing"]').innerText.includes('asked again until it confirms')`)
	p.Shot("shopper-erasing")
	p.Accessible("shopper, erasing")
	b.mu.Lock()
	b.slow = false
	b.mu.Unlock()
	p.Until("erased", `document.querySelector('[data-testid="erased"]')?.innerText.includes('entries erased: 5') && document.querySelector('[data-testid="erased"]').innerText.includes('November 22, 2029')`)
	if again := b.sent("erasure")["id"]; again != id {
		p.T.Error("repeated with another id: another erasure")
	}
	p.Until("nothing is left here", `document.querySelector('[data-testid="decision-receipt"]') === null && document.querySelector('[data-testid="indicator"]').innerText.includes('your data was erased')`)
	proof := string(p.Saved("erasure-proof-*.jws", func() { p.Click("save-proof") }))
	if len(strings.Split(proof, ".")) != 3 {
		p.T.Errorf("the file holds %q", proof)
	}
	p.Click("check-proof")
	p.Until("checked", `document.querySelector('[data-testid="verdict"]')?.dataset.verdict === 'valid'`)
	narrow(p, "shopper-erased")
	p.Do(chromedp.Reload())
	p.Until("the proof outlives a reload", `document.querySelector('[data-testid="erased"]') !== null`)
	p.Click("forget-proof")
	p.Until("gone too", `document.querySelector('[data-testid="erased"]') === null`)
}

func indicator(state string) string {
	return `document.querySelector('[data-testid="indicator"]')?.dataset.state === '` + state + `'`
}

// shots checks a state of the page at each size, in both themes.
func shots(p *consoletest.Page, name string) {
	p.T.Helper()
	for _, size := range [][2]int64{{1280, 900}, {820, 1180}, {390, 844}, {360, 780}, {320, 640}} {
		for _, dark := range []bool{false, true} {
			p.Size(size[0], size[1])
			p.Dark(dark)
			full := fmt.Sprintf("%s-%d-%v", name, size[0], dark)
			p.Fits(full)
			p.Shot(full)
		}
	}
	p.Accessible(name + ", dark, narrow")
	p.Dark(false)
	p.Size(1280, 900)
	p.Accessible(name)
}

// Who refuses has the same cards as anybody, as a list, and none is picked for them.
func refuses(p *consoletest.Page, b *backend) {
	p.Click("begin")
	p.Click("choice-no")
	p.Until("refused", `document.querySelector('[data-testid="prompt"]') === null`)
	if got := b.sent("decision"); got["choice"] != "no" {
		p.T.Errorf("the decision was %v", got)
	}
	p.Until("every card, and where one leads to", `document.querySelectorAll('[data-testid="context-card"]').length === 3 && document.querySelectorAll('[data-testid="context-card"] a[href="https://shop.example/service"]').length === 1 && !document.querySelector('.near')`)
	b.mu.Lock()
	n := len(b.phones)
	b.mu.Unlock()
	if n != 0 {
		p.T.Errorf("who refused has opened %d sockets", n)
	}
	p.Until("the picture came with its card", `(() => { const i = document.querySelector('[data-testid="context-card"][data-zone="shoes"] img'); return i?.naturalWidth === 640 && i.alt === 'Shelves of shoes'; })()`)
	p.Do(chromedp.Click(chromedp.CSS(`[data-testid="quiet"] summary`)))
	p.Until("quiet times, of the zones that have some today", `[...document.querySelectorAll('[data-testid="quiet"] li')].map(l => l.innerText.replace(/\s+/g, ' ')).join('|') === 'Shoes 10:00 – 12:00 · 15:00 – 16:00|Beauty 10:00 – 12:00 · 15:00 – 16:00'`)
	p.Do(chromedp.Evaluate[chromedp.Void](`document.querySelector('[data-testid="quiet"]').scrollIntoView()`))
	narrow(p, "shopper-quiet")
}

func asks(p *consoletest.Page, b *backend) {
	p.Click("begin")
	p.Until("the question", `document.querySelectorAll('[data-testid="prompt"] .choices button').length === 4`)
	boxes := consoletest.JS[string](p, `(() => { const all = [...document.querySelectorAll('.choices button')].map(b => { const r = b.getBoundingClientRect(), s = getComputedStyle(b);
		return [Math.round(r.width), Math.round(r.height), s.color, s.backgroundColor, s.fontWeight, s.borderColor, s.fontSize].join('|'); });
		return new Set(all).size === 1 ? all[0] : all.join('\n'); })()`)
	if !strings.Contains(boxes, "|48|") || strings.Contains(boxes, "\n") {
		p.T.Errorf("the four answers are not alike, or not 48 px high:\n%s", boxes)
	}
	if consoletest.JS[bool](p, `document.activeElement instanceof HTMLButtonElement`) {
		p.T.Error("an answer was focused beforehand")
	}
	shots(p, "shopper-prompt")
	p.Click("choice-visit")
	p.Until("local", `document.querySelector('[data-testid="indicator"]').innerText.includes('starts inside')`)
	if got := b.sent("decision"); got["choice"] != "visit" || len(got["digest"].(string)) != 64 {
		p.T.Errorf("the decision was %v", got)
	}
}

// On a phone the drawer is shut: the first step is said, and there to be taken, all the same.
func walksInFromAPhone(p *consoletest.Page) {
	p.T.Helper()
	p.Size(390, 844)
	p.Until("the step is said", `document.querySelector('[data-testid="hint"]')?.innerText.includes('Walk in')`)
	if consoletest.JS[bool](p, `document.querySelector('[data-testid="walk-in"]').checkVisibility()`) {
		p.T.Error("the drawer is open: this proves nothing")
	}
	p.Shot("shopper-first-step")
	p.Click("quick-walk")
	p.Until("inside, and the way out is offered", `document.querySelector('[data-testid="quick-walk"]').innerText === 'Walk out'`)
	p.Size(1280, 900)
}

func nobody(p *consoletest.Page, b *backend) {
	b.mu.Lock()
	b.onDuty = false
	b.mu.Unlock()
	p.Click("speed-10")
	walksInFromAPhone(p)
	p.Until("nobody", `document.querySelector('[data-testid="obstacle"]')?.innerText.includes('Nobody is at the desk now')`)
	p.Shot("shopper-nobody")
	p.Accessible("shopper, nobody on duty")
	b.mu.Lock()
	if len(b.phones) != 0 {
		p.T.Errorf("nobody is on duty, and %d sockets were opened", len(b.phones))
	}
	b.onDuty = true
	b.mu.Unlock()
	p.Click("stop")
	p.Until("stopped", indicator("stopped"))
	p.Click("ok")
	p.Click("begin")
	p.Click("choice-visit")
}

func helped(p *consoletest.Page, b *backend) {
	p.Until("active", indicator("active"))
	p.Until("the word", `document.querySelector('[data-testid="word"]')?.innerText.trim() === 'Maple'`)
	fix := b.sent("fix")
	if fix["source"] != "sim" || fix["mocked"] != false {
		p.T.Errorf("a pretended fix says %v", fix)
	}
	p.Click("call-staff")
	p.Shot("shopper-call")
	p.Click("topic-fitting")
	if got := b.sent("help"); got["topic"] != "fitting" || got["show_me"] != false {
		p.T.Errorf("asked for %v", got)
	}
	p.Until("heard", `document.querySelector('[data-testid="request"]')?.dataset.state === 'seen'`)
	p.Until("the card of this department, picked here", `document.querySelectorAll('[data-testid="context-card"].near').length === 1 && document.querySelectorAll('[data-testid="context-card"]').length === 1`)
	p.Click("all-cards")
	p.Until("all of them", `document.querySelectorAll('[data-testid="context-card"]').length === 3`)
	isCalled(p, b)
	shots(p, "shopper-active")
	showsTheStopCode(p)
	b.toPhones(obj{"type": "seen", "by": "floor", "team": "Shoes", "since": time.Now().UnixMilli()})
	p.Until("seen", indicator("seen"))
	shots(p, "shopper-seen")
	b.toPhones(obj{"type": "seen", "by": "floor", "emergency": true, "since": time.Now().UnixMilli()})
	p.Until("an emergency is called one", `document.querySelector('[data-testid="indicator"]').innerText.includes('Emergency')`)
	p.Until("the journal tells its reason, and who received what", `document.querySelector('[data-testid="journal"]').innerText.includes('She has fallen') && document.querySelector('[data-testid="journal"]').innerText.includes('Given to District court')`)
	b.toPhones(obj{"type": "unseen"})
	p.Until("unseen", indicator("active"))
	p.Click("lock")
	p.Until("locked", `document.querySelector('.locked') !== null`)
	if got := b.sent("pause")["reason"]; got != "background" {
		p.T.Errorf("paused because of %v", got)
	}
	p.Shot("shopper-locked")
	p.Click("unlock")
	p.Until("active again", indicator("active"))
	p.Click("walk-out")
	p.Until("outside", indicator("stopped"))
	b.sent("outside")
	p.Until("still inside?", `document.querySelector('[data-testid="still"]') !== null`)
	shots(p, "shopper-left")
	p.Click("still")
	p.Click("walk-in")
	p.Until("active again", indicator("active"))
}

// Help is on its way, the desk is ready: said in words, until it was read or is over.
func isCalled(p *consoletest.Page, b *backend) {
	p.T.Helper()
	help := b.sent("help")["id"]
	b.toPhones(obj{"type": "help_update", "id": help, "state": "coming"})
	p.Until("on its way", `document.querySelector('[data-testid="request"]').innerText === 'Help is on its way.'`)
	call := func(id string, until time.Duration) {
		b.toPhones(obj{"type": "call", "id": id, "text": "We are ready for you: come to Service Desk", "until": time.Now().Add(until).UnixMilli()})
		p.Until("asked to come", `document.querySelector('[data-testid="called"]')?.innerText.includes('come to Service Desk')`)
	}
	call("c1", 5*time.Minute)
	shots(p, "shopper-called")
	p.Click("come-ok")
	p.Until("read", `document.querySelector('[data-testid="called"]') === null`)
	call("c2", time.Second)
	p.Until("over by itself", `document.querySelector('[data-testid="called"]') === null`)
	p.Click("here-for")
	p.Until("asked what for", `document.querySelector('.sheet input') !== null`)
	p.Accessible("shopper, here for")
	p.Do(chromedp.SendKeys(chromedp.CSS(".sheet input"), "ORDER-4711"))
	p.Click("here-pickup")
	if got := b.sent("checkin"); got["kind"] != "pickup" || got["ref"] != "ORDER-4711" {
		p.T.Errorf("came for %v", got)
	}
	b.toPhones(obj{"type": "help_update", "id": b.sent("checkin")["id"], "state": "seen"})
	p.Until("they know", `[...document.querySelectorAll('[data-testid="request"]')].some(r => r.innerText === 'They know that you are here.')`)
	b.toPhones(obj{"type": "help_update", "id": help, "state": "done"})
	p.Until("done", `document.querySelector('[data-testid="request"]').innerText === 'Done. Thank you.'`)
}

func stops(p *consoletest.Page, b *backend) {
	b.mu.Lock()
	b.ended = 3
	b.mu.Unlock()
	p.Click("stop")
	p.Until("confirmed", `document.querySelector('[data-testid="receipt"]')?.innerText.includes('Removed from 2 servers and 3 screens in 84\u00a0ms')`)
	p.Until("who looked is complete soon, not at the next reading", `document.querySelector('[data-testid="journal"]').innerText.includes('41 positions')`)
	if got := b.sent("withdrawal")["scope"]; got != "store" {
		p.T.Errorf("withdrew from %v", got)
	}
	if consoletest.JS[bool](p, `document.querySelector('.near') !== null`) {
		p.T.Error("location is off, and the phone still picks by it")
	}
	p.Click("check")
	p.Until("checked", `document.querySelector('[data-testid="verdict"]')?.dataset.verdict === 'valid'`)
	shots(p, "shopper-stopped")
}

// A stop that the store refuses for what it says is not waited for as if it were on its way: it is told that a yes still stands there, and
// everything can be taken back with a tap.
func isMisread(p *consoletest.Page, b *backend) {
	p.Click("begin")
	p.Click("choice-visit")
	p.Until("active", indicator("active"))
	b.mu.Lock()
	b.misread = true
	b.mu.Unlock()
	p.Click("stop")
	p.Until("it is told", `document.querySelector('[data-testid="stop-refused"][role="alert"]')?.innerText.includes('still stands')`)
	if consoletest.JS[bool](p, `document.querySelector('[data-testid="stopping"]') !== null`) {
		p.T.Error("it is shown as if it were on its way")
	}
	narrow(p, "shopper-stop-refused")
	p.Click("withdraw-all")
	p.Until("confirmed", `document.querySelector('[data-testid="receipt"]') !== null && document.querySelector('[data-testid="stop-refused"]') === null`)
	if got := b.sent("withdrawal")["scope"]; got != "all" {
		p.T.Errorf("withdrew %v", got)
	}
}

func TestDemo(t *testing.T) {
	b := newBackend(t)
	b.alerts = someAlerts()
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	p.Open(b.url + "/demo#shopper=" + goodCode + "&staff=" + goodCode)
	inside := func(side, what string) string {
		return `document.querySelector('iframe.` + side + `')?.contentDocument?.querySelector('` + what + `')`
	}
	p.Until("both sides", inside("shopper", `[data-testid="indicator"]`)+" && "+inside("staff", `[data-testid="card"]`))
	if html := consoletest.JS[string](p, `document.documentElement.outerHTML + location.href + [...document.querySelectorAll('iframe')].map(f => f.contentWindow.location.href + f.outerHTML).join()`); strings.Contains(html, goodCode) {
		t.Error("a code stands in the page or in an address")
	}
	for _, size := range [][2]int64{{1280, 800}, {1920, 1080}, {820, 1180}, {390, 844}} {
		p.Size(size[0], size[1])
		p.Fits("demo")
		p.Shot(fmt.Sprintf("demo-%d", size[0]))
	}
	p.Quiet()
}

// The way to the pages, in each language and without horizontal scrolling.
func TestFront(t *testing.T) {
	b := newBackend(t)
	p := consoletest.OpenPage(t, browser.Browser(t), 1280, 800)
	p.Open(b.url + "/")
	for lang, title := range map[string]string{"en": "Both sides", "zh": "双方视角", "ar": "الجانبان معاً"} {
		p.Do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', '`+lang+`')`), chromedp.Reload())
		p.Until("the words", `document.querySelector('.doors b').innerText === '`+title+`'`)
		for _, w := range []int64{1280, 390, 320} {
			p.Size(w, 800)
			p.Fits("front")
			p.Shot(fmt.Sprintf("front-%s-%d", lang, w))
		}
		p.Accessible("front")
	}
	if n := consoletest.JS[int](p, `[...document.querySelectorAll('[data-word]')].filter(e => e.innerText === e.dataset.word).length`); n > 0 {
		t.Errorf("%d words are missing", n)
	}
	p.Quiet()
}
