// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
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
