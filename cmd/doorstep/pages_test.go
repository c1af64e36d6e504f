// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/geofence"
	spec "doorstep/mobile-sdk-spec"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking/server"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/console/consoletest"
)

func indicator(state string) string {
	return fmt.Sprintf(`document.querySelector('[data-testid="indicator"]')?.dataset.state === %q`, state)
}

// Both pages, in a real browser, against the whole server: asked, granted, walked in, an alert seen and
// claimed, a dot shown and the phone saying so, withdrawn, gone; and the receipt checked by the page. On
// the store in the binary, and on a real mall: many levels, no doors, and a fence too small for its zones.
func TestPages(t *testing.T) {
	_, err := exec.LookPath("chromium")
	needs(t, err == nil, "chromium")
	t.Run("own store", func(t *testing.T) {
		helpedAndGone(t, serveStores(t), demostore.ID, "Bags & Accessories")
	})
	t.Run("real mall", func(t *testing.T) {
		mall := mallIndex(t)
		helpedAndGone(t, serveStores(t, mall), mall.Site().ID, "")
	})
}

// helpedAndGone is one visit, seen from both sides. place is where Walk in leads to, if the test cares.
func helpedAndGone(t *testing.T, r *running, store, place string) {
	staffCode, shopperCode := r.codes(t, store)
	tab := consoletest.Browser(t)
	staff := consoletest.OpenPage(t, tab, 1280, 800)
	staff.Open(r.address() + "/console/#code=" + staffCode)
	staff.Until("the console is live", `document.querySelector('[data-testid="connection"]')?.dataset.state === 'live'`)
	staff.Until("nobody needs help", `document.querySelector('[data-testid="empty"]') !== null`)

	// A tab of its own would be hidden while the console is looked at, and a hidden tab pauses.
	shopper := consoletest.OpenPage(t, consoletest.Browser(t), 1280, 900)
	shopper.Open(r.address() + "/shopper/#code=" + shopperCode)
	shopper.Until("not sharing", indicator("off"))
	shopper.Until("the floor has its zones", `document.querySelectorAll('[data-testid="floor"] .zone').length > 5`)
	shopper.Click("begin")
	shopper.Click("choice-visit")
	shopper.Until("given", `document.querySelector('[data-testid="decision-receipt"]') !== null`)
	shopper.Click("walk-in")
	shopper.Until("active", indicator("active"))
	shopper.Click("speed-10")
	shopper.Until("there", fmt.Sprintf(`document.querySelector('[data-testid="place"]').innerText.includes(%q) && !document.querySelector('.way').getAttribute('points').includes(' ')`, place))
	word := consoletest.JS[string](shopper, `document.querySelector('[data-testid="word"]').dataset.word`)

	shopper.Click("call-staff")
	shopper.Click("topic-fitting")
	staff.Until("the card, with the visit's word", fmt.Sprintf(`[...document.querySelectorAll('[data-testid="card"]')].some(c => c.dataset.presence === 'visible' && c.innerText.includes(%q))`, strings.Fields(word)[0]))
	alert := consoletest.JS[string](staff, `document.querySelector('[data-testid="card"]').dataset.alert`)
	staff.Do(consoletest.ClickIn(alert, "claim"))
	staff.Until("mine", `document.querySelector('[data-testid="card"][data-state="mine"]') !== null`)
	staff.Until("the dot", fmt.Sprintf(`document.querySelector('[data-testid="dot"][data-alert=%q]') !== null`, alert))
	staff.Until("on the level where the shopper is", `document.querySelectorAll('.floor .zone').length > 5`)
	shopper.Until("the phone says that somebody looks", indicator("seen"))
	staff.Shot("e2e-" + store + "-console-seen")
	shopper.Shot("e2e-" + store + "-shopper-seen")

	shopper.Click("stop")
	shopper.Until("stopped", indicator("stopped"))
	staff.Until("gone", `document.querySelector('[data-testid="card"][data-state="gone"]') !== null`)
	forgotten(staff, word, alert)
	shopper.Until("the receipt", `document.querySelector('[data-testid="receipt"]') !== null`)
	shopper.Until("the look is closed in the journal", `document.querySelector('[data-testid="journal"] .looks') !== null && !document.querySelector('[data-testid="journal"]').innerText.includes('looking now')`)
	shopper.Click("check")
	shopper.Until("the receipt verifies in the page", `document.querySelector('[data-testid="verdict"]')?.dataset.verdict === 'valid'`)
	shopper.Shot("e2e-" + store + "-shopper-stopped")
	takenAlongAndErased(shopper, []byte(fetch(t, r.address()+"/.well-known/jwks.json")))
	staff.Shot("e2e-" + store + "-console-gone")
	shopper.Quiet()
	staff.Quiet()
	if n := r.node.Sessions(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
}

// takenAlongAndErased is what a shopper may ask for afterwards: what is kept, in a file that fits its schema; and that
// it goes, with a proof that holds.
func takenAlongAndErased(shopper *consoletest.Page, keys []byte) {
	shopper.T.Helper()
	var kept, left struct{ Decisions, Ends, Journal []any }
	export := func(into any) {
		shopper.T.Helper()
		file := shopper.Saved("my-data-*.json", func() { shopper.Click("export") })
		if err := spec.HTTP(http.MethodGet, "/v1/me/export", http.StatusOK, file); err != nil {
			shopper.T.Error(err)
		}
		if err := json.Unmarshal(file, into); err != nil {
			shopper.T.Error(err)
		}
	}
	export(&kept)
	if len(kept.Decisions) != 1 || len(kept.Ends) != 1 || len(kept.Journal) != 2 {
		shopper.T.Errorf("%d decisions, %d ends, %d entries of the journal", len(kept.Decisions), len(kept.Ends), len(kept.Journal))
	}
	shopper.Click("erase")
	shopper.Click("erase-all")
	shopper.Until("erased", `document.querySelector('[data-testid="erased"]') !== null`)
	proof := string(shopper.Saved("erasure-proof-*.jws", func() { shopper.Click("save-proof") }))
	if p, err := consent.VerifyErasureProof(proof, keys); err != nil || p.Erasure.Removed["decisions"] != 1 {
		shopper.T.Errorf("the proof says %+v, %v", p.Erasure, err)
	}
	shopper.Click("check-proof")
	shopper.Until("the proof verifies in the page", `document.querySelector('[data-testid="erased"] [data-testid="verdict"]')?.dataset.verdict === 'valid'`)
	export(&left)
	if n := len(left.Decisions) + len(left.Ends) + len(left.Journal); n != 0 {
		shopper.T.Errorf("%d things are left", n)
	}
}

// forgotten checks that a console holds nothing of a visit that is gone.
func forgotten(staff *consoletest.Page, word, alert string) {
	staff.T.Helper()
	held := consoletest.JS[string](staff, `document.documentElement.outerHTML + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + location.href`)
	for _, trace := range []string{word, strings.Fields(word)[0] + " ", alert} {
		if strings.Contains(held, trace) {
			staff.T.Errorf("after gone the console still holds %q", trace)
		}
	}
	if consoletest.JS[bool](staff, `document.querySelector('[data-testid="dot"]') !== null`) {
		staff.T.Error("a dot outlived its shopper")
	}
}

func (r *running) codes(t *testing.T, store string) (staff, shopper string) {
	t.Helper()
	shopper, err := r.server.ShopperCode(server.Visitor{Subject: "visitor", App: "doorstep-page", Store: store})
	if err != nil {
		t.Fatal(err)
	}
	return r.staffCode(t, store, "Mei", auth.RoleFloor), shopper
}

func (r *running) staffCode(t *testing.T, store, tag, role string) string {
	t.Helper()
	code, err := r.server.StaffCode(auth.Staff{Shift: "shift of " + tag, Tag: tag, Role: role, Store: store,
		Teams: []string{"Shoes"}, ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// Two people at two consoles let one of them see a shopper whose alert a third one has: asked with a reason, approved by who is in
// charge, seen by who asked and by nobody else, ended; and the shopper reads why.
func TestTheGlassOnTwoConsoles(t *testing.T) {
	_, err := exec.LookPath("chromium")
	needs(t, err == nil, "chromium")
	r := serveStores(t)
	console := func(tag, role string) *consoletest.Page { // a browser each: they have cookies of their own
		p := consoletest.OpenPage(t, consoletest.Browser(t), 1280, 800)
		p.Open(r.address() + "/console/#code=" + r.staffCode(t, demostore.ID, tag, role))
		p.Until("live", `document.querySelector('[data-testid="connection"]')?.dataset.state === 'live'`)
		return p
	}
	kim, lea := console("Kim", auth.RoleFloor), console("Lea", auth.RoleLead)
	at := insideOf(t, r.indexes[0])
	a, session := r.visit(t, at)
	if _, err := session.Help("fitting", false); err != nil {
		t.Fatal(err)
	}
	linger(t, session, at)
	const raised = `[data-testid="card"][data-kind="help"]`
	kim.Until("the card", `document.querySelector('`+raised+`') !== null`)
	lea.Do(chromedp.WaitVisible(chromedp.CSS(raised)))
	lea.Do(chromedp.Click(chromedp.CSS(raised + ` [data-testid="claim"]`)))
	kim.Until("Lea has it, and does not come", `document.querySelector('`+raised+`').dataset.state === 'theirs'`)
	kim.Do(chromedp.Click(chromedp.CSS(raised + ` [data-testid="menu"]`)))
	kim.Click("menu-glass-ask")
	kim.Do(chromedp.SendKeys(chromedp.CSS(`[data-testid="glass-reason"]`), "She has fallen and does not answer"))
	kim.Click("glass-send")
	kim.Until("it waits", `document.querySelector('[data-testid="glass-mine"]')?.innerText.includes('waits 14:')`)
	lea.Until("who is in charge is asked", `document.querySelector('[data-testid="glass-asked"]')?.innerText.includes('Kim asks')`)
	lea.Click("glass-decide")
	lea.Click("glass-approve")
	const broken = `[data-testid="card"][data-kind="emergency"]`
	kim.Until("approved, for a while", `/ends in 14:/.test(document.querySelector('`+broken+`[data-state="mine"]')?.innerText)`)
	kim.Until("the dot", `document.querySelector('[data-testid="dot"]')?.dataset.alert === document.querySelector('`+broken+`').dataset.alert`)
	lea.Until("the other console says who looks, and for how long", `/Kim has it.*ends in 14:/s.test(document.querySelector('`+broken+`[data-state="theirs"]')?.innerText)`)
	kim.Shot("e2e-glass-kim")
	lea.Shot("e2e-glass-lea")
	if consoletest.JS[bool](lea, `[...document.querySelectorAll('[data-testid="dot"]')].some(d => d.dataset.alert === document.querySelector('`+broken+`').dataset.alert)`) {
		t.Error("who approved looks too")
	}
	kim.Do(chromedp.Click(chromedp.CSS(broken + ` [data-testid="resolve"]`)))
	for _, p := range []*consoletest.Page{kim, lea} {
		p.Until("over", `document.querySelector('`+broken+`[data-state="mine"], `+broken+`[data-state="theirs"]') === null`)
	}
	kim.Until("no dot", `document.querySelector('[data-testid="dot"]') === null`)
	kim.Quiet()
	lea.Quiet()
	entries, err := a.Journal(t.Context())
	if err != nil || !slices.ContainsFunc(entries, func(e client.View) bool {
		return e.Kind == "break_glass" && strings.HasPrefix(e.Reason, "She has fallen") && e.People == 2
	}) {
		t.Errorf("the journal holds %+v, %v", entries, err)
	}
}

// linger stays where one is, with the screen on, until the test is over.
func linger(t *testing.T, s *client.Session, at geofence.LatLng) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				_ = s.Fix(client.Fix{T: time.Now().UnixMilli(), Lat: at.Lat, Lng: at.Lng, AccuracyM: 6, Source: "sim"})
			case _, open := <-s.Events():
				if !open {
					return
				}
			}
		}
	}()
	t.Cleanup(func() {
		s.Kill()
		<-done
	})
}

// Both sides on one screen, as /demo shows them.
func TestDemoPage(t *testing.T) {
	_, err := exec.LookPath("chromium")
	needs(t, err == nil, "chromium")
	r := serveStores(t)
	staffCode, shopperCode := r.codes(t, demostore.ID)
	p := consoletest.OpenPage(t, consoletest.Browser(t), 1920, 1080)
	p.Open(r.address() + "/demo#shopper=" + shopperCode + "&staff=" + staffCode)
	frame := func(name, condition string) string {
		return fmt.Sprintf(`(() => { const document = window.document.querySelector('[data-testid=%q]')?.contentDocument; return document && (%s) })()`, name, condition)
	}
	p.Until("the console inside is live", frame("staff", `document.querySelector('[data-testid="connection"]')?.dataset.state === 'live'`))
	p.Until("the shopper's page inside is there", frame("shopper", indicator("off")))
	if got := consoletest.JS[string](p, "location.href"); strings.Contains(got, shopperCode) || strings.Contains(got, staffCode) {
		t.Error("a code is still in the address")
	}
	p.Fits("demo")
	p.Shot("e2e-demo")
	p.Quiet()
}
