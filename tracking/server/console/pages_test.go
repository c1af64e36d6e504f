// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
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
		{"id": "a2", "kind": "arrived", "topic": "appointment", "ref": "4711", "state": "raised", "version": 1, "mine": false, "raised_t": ago(1.5), "changed_t": ago(1), "due_t": in(42), "presence": "visible", "zone": zone("beauty", "Beauty", 0), "word": "River ● blue"},
		{"id": "a3", "kind": "waiting", "state": "raised", "version": 1, "mine": false, "raised_t": ago(.3), "changed_t": ago(1), "due_t": in(71), "presence": "visible",
			"zone": obj{"id": "pickup", "name": "Pickup Counter", "level": 0, "likely": true}, "word": "Comet ★ orange"},
		{"id": "a4", "kind": "called", "state": "claimed", "version": 3, "mine": false, "holder_tag": "Jonas", "raised_t": ago(6), "changed_t": ago(1), "due_t": in(71), "presence": "visible", "zone": zone("service-desk", "Service Desk", 0), "word": "Olive ◆ teal"},
		{"id": "a5", "kind": "help", "topic": "question", "state": "raised", "version": 1, "mine": false, "raised_t": ago(.1), "changed_t": ago(1), "due_t": in(85), "presence": "hidden"},
		{"id": "a6", "kind": "rule", "state": "snoozed", "version": 2, "mine": false, "raised_t": ago(9), "changed_t": ago(1), "due_t": in(200), "presence": "off"},
	}
}

func card(id, condition string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('[data-testid="card"][data-alert=%q]')].some(c => %s)`, id, condition)
}

func signIn(t *testing.T, p *page, b *backend) {
	t.Helper()
	p.open(b.url + "/console/#code=" + goodCode)
	p.until("live", `document.querySelector('[data-testid="connection"]')?.dataset.state === 'live'`)
	if got := js[string](p, "location.href"); strings.Contains(got, "code") || strings.Contains(got, "#") {
		t.Errorf("the code is still in the address: %s", got)
	}
}

func TestConsole(t *testing.T) {
	b := newBackend(t)
	b.alerts = someAlerts()
	p := openPage(t, browser(t), 1280, 800)
	signIn(t, p, b)
	p.until("six cards", `document.querySelectorAll('[data-testid="card"]').length === 6`)
	p.until("map", `document.querySelectorAll('.floor .zone').length > 5`)
	for _, size := range [][2]int64{{1280, 800}, {1920, 1080}, {820, 1180}, {390, 844}, {360, 780}, {320, 640}} {
		for _, dark := range []bool{false, true} {
			p.size(size[0], size[1])
			p.dark(dark)
			name := fmt.Sprintf("console-%d-%v", size[0], dark)
			p.fits(name)
			p.shot(name)
		}
	}
	p.dark(false)
	p.size(1280, 800)
	for _, lang := range []string{"zh", "ar"} {
		p.do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', '`+lang+`')`), chromedp.Reload())
		p.until("six cards", `document.querySelectorAll('[data-testid="card"]').length === 6`)
		for _, size := range [][2]int64{{1280, 800}, {360, 780}} {
			p.size(size[0], size[1])
			p.fits("console-" + lang)
			p.shot(fmt.Sprintf("console-%s-%d", lang, size[0]))
		}
	}
	p.do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', 'en')`), chromedp.Reload())
	p.until("live", `document.querySelector('[data-testid="connection"]')?.dataset.state === 'live'`)
	p.size(1280, 800)
	t.Run("loses a claim", func(t *testing.T) { losesClaim(p, b) })
	t.Run("claims", func(t *testing.T) { claims(p, b) })
	t.Run("hides at once", func(t *testing.T) { hides(p, b) })
	t.Run("forgets what is gone", func(t *testing.T) { forgets(p, b) })
	t.Run("blanks without a beat", func(t *testing.T) { blanks(p, b) })
	t.Run("says when it cannot confirm", func(t *testing.T) { unconfirmed(p, b) })
	t.Run("clears when signed out", func(t *testing.T) { signsOut(p) })
	p.quiet("409", "the server responded with a status of 401")
}

func losesClaim(p *page, b *backend) {
	b.mu.Lock()
	b.claimBy = "Jonas"
	b.mu.Unlock()
	p.do(clickIn("a2", "claim"))
	p.until("the loser reads who won", card("a2", `c.innerText.includes('Jonas claimed it first')`))
	if !js[bool](p, card("a2", `c.dataset.state === 'raised'`)) {
		p.t.Error("a lost claim was shown as won")
	}
	b.mu.Lock()
	b.claimBy = ""
	b.mu.Unlock()
}

func claims(p *page, b *backend) {
	p.do(clickIn("a1", "claim"))
	p.until("mine", card("a1", `c.dataset.state === 'mine'`))
	if got := b.sent("look")["alert"]; got != "a1" {
		p.t.Errorf("looks at %v", got)
	}
	b.position("a1", -24, -12)
	p.until("a dot", `document.querySelector('[data-testid="dot"][data-alert="a1"]') !== null`)
	p.shot("console-mine")
}

func hides(p *page, b *backend) {
	b.toScreens(obj{"type": "presence", "alert": "a1", "presence": "hidden", "t": time.Now().UnixMilli()})
	p.until("hidden", card("a1", `c.dataset.presence === 'hidden' && !c.innerText.includes('Shoes')`))
	if js[bool](p, `document.querySelector('[data-testid="dot"]') !== null`) {
		p.t.Error("the dot outlived the hiding")
	}
	p.shot("console-hidden")
	b.toScreens(obj{"type": "presence", "alert": "a1", "presence": "visible", "t": time.Now().UnixMilli()})
	b.toScreens(obj{"type": "live", "alert": "a1", "zone": zone("shoes", "Shoes", 0), "word": "Maple ▲ green"})
	p.until("back", card("a1", `c.dataset.presence === 'visible' && c.innerText.includes('Shoes')`))
}

func forgets(p *page, b *backend) {
	b.toScreens(obj{"type": "live", "alert": "a1", "zone": obj{"id": "canary-zone", "name": "Canary zone", "level": 0}, "word": "Canary ▲ green"})
	b.position("a1", -24, -12)
	p.until("everything is there", `document.body.innerHTML.includes('Canary zone') && document.querySelector('[data-testid="dot"]') !== null`)
	b.toScreens(obj{"type": "gone", "alert": "a1", "offset": 9, "reason": "left_store", "t": time.Now().UnixMilli(), "proof": "x"})
	p.until("gone", `[...document.querySelectorAll('[data-testid="card"][data-state="gone"]')].some(c => c.innerText.includes('Left the store'))`)
	left := js[string](p, `(() => {
		const all = document.documentElement.outerHTML + location.href + document.title + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + JSON.stringify(history.state);
		return ['Canary', 'a1"', 'canary-zone'].filter(w => all.includes(w)).join(' ');
	})()`)
	if left != "" {
		p.t.Errorf("after gone the page still holds: %s", left)
	}
	if js[int](p, `document.querySelectorAll('[data-testid="dot"]').length`) != 0 {
		p.t.Error("a dot outlived its shopper")
	}
	b.toScreens(obj{"type": "live", "alert": "a1", "zone": zone("shoes", "Canary again", 0), "word": "Canary ▲ green"})
	b.position("a1", 1, 1)
	b.toScreens(obj{"type": "alert", "offset": 10, "alert": obj{"id": "a9", "kind": "help", "state": "raised", "version": 1, "raised_t": time.Now().UnixMilli(), "changed_t": 1, "due_t": 0, "presence": "visible"}})
	p.until("a later alert", card("a9", "true"))
	if js[bool](p, `document.documentElement.outerHTML.includes('Canary')`) {
		p.t.Error("what came late about somebody gone was shown")
	}
	p.shot("console-gone")
}

func blanks(p *page, b *backend) {
	p.do(clickIn("a2", "claim"))
	p.until("mine", card("a2", `c.dataset.state === 'mine'`))
	b.position("a2", 5, -5)
	p.until("a dot", `document.querySelector('[data-testid="dot"]') !== null`)
	b.mu.Lock()
	b.mute = true
	b.mu.Unlock()
	p.until("blanked", `document.querySelector('[data-testid="dot"]') === null`)
	p.until("lost", `document.querySelector('[data-testid="connection"]').dataset.state === 'lost'`)
	p.until("places are gone", `!document.querySelector('[data-testid="cards"]').innerText.includes('Beauty') && !document.querySelector('.badge')`)
	if !strings.Contains(p.text(), "Positions hidden") {
		p.t.Error("the page does not say that positions are hidden")
	}
	p.shot("console-lost")
	b.mu.Lock()
	b.mute = false
	b.mu.Unlock()
	p.until("live again", `document.querySelector('[data-testid="connection"]').dataset.state === 'live'`)
}

func unconfirmed(p *page, b *backend) {
	b.mu.Lock()
	b.serving = false
	b.mu.Unlock()
	p.until("unconfirmed", `document.querySelector('[data-testid="connection"]').dataset.state === 'unconfirmed'`)
	p.until("said", `document.querySelector('[data-testid="banner"]').innerText === 'Cannot confirm consent. Positions hidden.'`)
	b.mu.Lock()
	b.serving = true
	b.mu.Unlock()
	p.until("live again", `document.querySelector('[data-testid="connection"]').dataset.state === 'live'`)
}

func signsOut(p *page) {
	p.click("sign-out")
	p.until("cleared", `document.querySelector('[data-testid="message"]')?.innerText.includes('signed out') && !document.querySelector('[data-testid="card"]')`)
	p.shot("console-signed-out")
}

func TestShopper(t *testing.T) {
	b := newBackend(t)
	p := openPage(t, browser(t), 1280, 900)
	p.open(b.url + "/shopper/#code=" + goodCode)
	p.until("off", indicator("off"))
	if got := js[string](p, "location.href"); strings.Contains(got, "code") {
		t.Errorf("the code is still in the address: %s", got)
	}
	for _, lang := range []string{"zh", "ar", "en"} {
		p.do(chromedp.Evaluate[chromedp.Void](`localStorage.setItem('doorstep-lang', '`+lang+`')`), chromedp.Reload())
		p.until("off", indicator("off"))
		shots(p, "shopper-off-"+lang)
	}
	t.Run("asks", func(t *testing.T) { asks(p, b) })
	t.Run("says when nobody is there", func(t *testing.T) { nobody(p, b) })
	t.Run("is helped", func(t *testing.T) { helped(p, b) })
	t.Run("stops in one tap", func(t *testing.T) { stops(p, b) })
	p.quiet("409")
}

func indicator(state string) string {
	return `document.querySelector('[data-testid="indicator"]')?.dataset.state === '` + state + `'`
}

// shots checks a state of the page at each size, in both themes.
func shots(p *page, name string) {
	p.t.Helper()
	for _, size := range [][2]int64{{1280, 900}, {820, 1180}, {390, 844}, {360, 780}, {320, 640}} {
		for _, dark := range []bool{false, true} {
			p.size(size[0], size[1])
			p.dark(dark)
			full := fmt.Sprintf("%s-%d-%v", name, size[0], dark)
			p.fits(full)
			p.shot(full)
		}
	}
	p.dark(false)
	p.size(1280, 900)
}

func asks(p *page, b *backend) {
	p.click("begin")
	p.until("the question", `document.querySelectorAll('[data-testid="prompt"] .choices button').length === 4`)
	boxes := js[string](p, `(() => { const all = [...document.querySelectorAll('.choices button')].map(b => { const r = b.getBoundingClientRect(), s = getComputedStyle(b);
		return [Math.round(r.width), Math.round(r.height), s.color, s.backgroundColor, s.fontWeight, s.borderColor, s.fontSize].join('|'); });
		return new Set(all).size === 1 ? all[0] : all.join('\n'); })()`)
	if !strings.Contains(boxes, "|48|") || strings.Contains(boxes, "\n") {
		p.t.Errorf("the four answers are not alike, or not 48 px high:\n%s", boxes)
	}
	if js[bool](p, `document.activeElement instanceof HTMLButtonElement`) {
		p.t.Error("an answer was focused beforehand")
	}
	shots(p, "shopper-prompt")
	p.click("choice-visit")
	p.until("local", `document.querySelector('[data-testid="indicator"]').innerText.includes('starts inside')`)
	if got := b.sent("decision"); got["choice"] != "visit" || len(got["digest"].(string)) != 64 {
		p.t.Errorf("the decision was %v", got)
	}
}

func nobody(p *page, b *backend) {
	b.mu.Lock()
	b.onDuty = false
	b.mu.Unlock()
	p.click("speed-10")
	p.click("walk-in")
	p.until("nobody", `document.querySelector('[data-testid="obstacle"]')?.innerText.includes('Nobody is at the desk now')`)
	p.shot("shopper-nobody")
	b.mu.Lock()
	b.onDuty = true
	b.mu.Unlock()
	p.click("stop")
	p.until("stopped", indicator("stopped"))
	p.click("ok")
	p.click("begin")
	p.click("choice-visit")
}

func helped(p *page, b *backend) {
	p.until("active", indicator("active"))
	p.until("the word", `document.querySelector('[data-testid="word"]')?.innerText.trim() === 'Maple'`)
	fix := b.sent("fix")
	if fix["source"] != "sim" || fix["mocked"] != false {
		p.t.Errorf("a pretended fix says %v", fix)
	}
	p.click("call-staff")
	p.shot("shopper-call")
	p.click("topic-fitting")
	if got := b.sent("help"); got["topic"] != "fitting" || got["show_me"] != false {
		p.t.Errorf("asked for %v", got)
	}
	p.until("heard", `document.querySelector('[data-testid="request"]')?.dataset.state === 'seen'`)
	shots(p, "shopper-active")
	b.toPhones(obj{"type": "seen", "by": "floor", "team": "Shoes", "since": time.Now().UnixMilli()})
	p.until("seen", indicator("seen"))
	shots(p, "shopper-seen")
	b.toPhones(obj{"type": "unseen"})
	p.until("unseen", indicator("active"))
	p.click("lock")
	p.until("locked", `document.querySelector('.locked') !== null`)
	if got := b.sent("pause")["reason"]; got != "background" {
		p.t.Errorf("paused because of %v", got)
	}
	p.shot("shopper-locked")
	p.click("unlock")
	p.until("active again", indicator("active"))
	p.click("walk-out")
	p.until("outside", indicator("stopped"))
	b.sent("outside")
	p.until("still inside?", `document.querySelector('[data-testid="still"]') !== null`)
	shots(p, "shopper-left")
	p.click("still")
	p.click("walk-in")
	p.until("active again", indicator("active"))
}

func stops(p *page, b *backend) {
	p.click("stop")
	p.until("confirmed", `document.querySelector('[data-testid="receipt"]')?.innerText.includes('Removed from 2 servers and 3 screens in 84 ms')`)
	if got := b.sent("withdrawal")["scope"]; got != "store" {
		p.t.Errorf("withdrew from %v", got)
	}
	if js[bool](p, `document.querySelector('.near') !== null`) {
		p.t.Error("location is off, and the phone still picks by it")
	}
	p.click("check")
	p.until("checked", `document.querySelector('[data-testid="verdict"]')?.dataset.verdict === 'valid'`)
	shots(p, "shopper-stopped")
}

func TestDemo(t *testing.T) {
	b := newBackend(t)
	b.alerts = someAlerts()
	p := openPage(t, browser(t), 1280, 800)
	p.open(b.url + "/demo#shopper=" + goodCode + "&staff=" + goodCode)
	inside := func(side, what string) string {
		return `document.querySelector('iframe.` + side + `')?.contentDocument?.querySelector('` + what + `')`
	}
	p.until("both sides", inside("shopper", `[data-testid="indicator"]`)+" && "+inside("staff", `[data-testid="card"]`))
	if html := js[string](p, `document.documentElement.outerHTML + location.href + [...document.querySelectorAll('iframe')].map(f => f.contentWindow.location.href + f.outerHTML).join()`); strings.Contains(html, goodCode) {
		t.Error("a code stands in the page or in an address")
	}
	for _, size := range [][2]int64{{1280, 800}, {1920, 1080}, {820, 1180}, {390, 844}} {
		p.size(size[0], size[1])
		p.fits("demo")
		p.shot(fmt.Sprintf("demo-%d", size[0]))
	}
	p.quiet()
}
