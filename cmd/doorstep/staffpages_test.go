// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/console/consoletest"
)

// wireTo is a network between a console and the server that can be cut.
type wireTo struct {
	net.Listener
	server string

	mu    sync.Mutex // owns the rest
	cut   bool
	conns []net.Conn
}

func newWire(t *testing.T) *wireTo {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wireTo{Listener: l}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { w.carry(from) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		w.set(true)
		all.Wait()
	})
	return w
}

func (w *wireTo) address() string { return "http://" + w.Addr().String() }

func (w *wireTo) carry(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", w.server)
	if err != nil {
		return
	}
	defer to.Close()
	w.mu.Lock()
	cut := w.cut
	w.conns = append(w.conns, from, to)
	w.mu.Unlock()
	if cut {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(to, from); _ = to.Close() })
	_, _ = io.Copy(from, to)
	_ = from.Close()
	both.Wait()
}

// set cuts the network, and whatever is carried by it, or mends it.
func (w *wireTo) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = cut
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// stroller is a phone that stays where it is told to.
type stroller struct {
	*client.Session
	at    atomic.Pointer[geofence.LatLng]
	calls chan client.Call
}

// follow keeps sending fixes from where at says, none if that is nowhere, until the test is over.
func follow(t *testing.T, s *client.Session, at geofence.LatLng) *stroller {
	w := &stroller{Session: s, calls: make(chan client.Call, 8)}
	w.at.Store(&at)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if p := w.at.Load(); p != nil {
					_ = s.Fix(client.Fix{T: time.Now().UnixMilli(), Lat: p.Lat, Lng: p.Lng, AccuracyM: 4, Source: "sim"})
				}
			case e, open := <-s.Events():
				if !open {
					return
				}
				if c, ok := e.(client.Call); ok {
					w.calls <- c
				}
			}
		}
	}()
	t.Cleanup(func() {
		s.Kill()
		<-done
	})
	return w
}

func middleOf(t *testing.T, x *geofence.Index, zone string) (p geofence.LatLng) {
	t.Helper()
	for _, l := range x.Site().Levels {
		for _, z := range l.Zones {
			if z.ID == zone {
				ring := z.Shape[0][0]
				for _, q := range ring[:len(ring)-1] {
					p.Lat += q.Lat / float64(len(ring)-1)
					p.Lng += q.Lng / float64(len(ring)-1)
				}
				return p
			}
		}
	}
	t.Fatalf("no zone %s", zone)
	return p
}

const arrival = `document.querySelector('[data-testid="card"][data-kind="arrived"]')`

func state(is string) string { return arrival + `?.dataset.state === '` + is + `'` }

// Two people side by side, on the whole server: somebody comes for a pickup; both claim at once and one has it; it is handed over, called to the
// desk, hidden and shown again; one console loses its network meanwhile and catches up; and when the shopper is gone, both forget.
func TestTwoPeopleAtOneDesk(t *testing.T) {
	_, err := exec.LookPath("chromium")
	needs(t, err == nil, "chromium")
	dev, err := auth.NewDevKey()
	if err != nil {
		t.Fatal(err)
	}
	wire := newWire(t)
	r := serveWith(t, settings{data: t.TempDir(), indexes: []*geofence.Index{demoIndex(t)}, devKey: dev, origins: []string{wire.address()}})
	wire.server = strings.TrimPrefix(r.address(), "http://")
	administer(t, r, "bookings.json", fmt.Sprintf(`{"bookings":[{"ref":"ORDER-4711","kind":"pickup","t":%d,"desk":"pickup"}]}`, time.Now().UnixMilli()), "bookings", "put")
	administer(t, r, "rules.json", `{"routes":[{"kind":"arrived","priority":"high","tell":{"teams":["Pickup"]}}]}`, "rules", "put")

	var shared consoletest.Shared
	t.Cleanup(shared.Close)
	console := func(at, tag string) *consoletest.Page {
		p := consoletest.OpenPage(t, shared.Browser(t), 1280, 800)
		p.Open(at + "/console/#code=" + r.staffCode(t, demostore.ID, tag, auth.RoleFloor))
		p.Until("live", `document.querySelector('[data-testid="connection"]')?.dataset.state === 'live'`)
		return p
	}
	kim, lea := console(r.address(), "Kim"), console(wire.address(), "Lea")
	desk := middleOf(t, r.indexes[0], "pickup")
	_, session := r.visit(t, desk)
	phone := follow(t, session, desk)
	if _, err := session.Checkin("pickup", "ORDER-4711"); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*consoletest.Page{kim, lea} {
		p.Until("what it is, and how soon", arrival+`?.innerText.includes('On time') && `+arrival+`.innerText.includes('ORDER-4711') && `+arrival+`.innerText.includes('High priority') && `+arrival+`.innerText.includes('no sound here')`)
	}
	winner, loser, other := claimAtOnce(t, kim, lea)
	winner.Until("the dot", `document.querySelector('[data-testid="dot"]') !== null`)
	winner.Shot("e2e-desk-winner")
	loser.Shot("e2e-desk-loser")

	winner.Do(menuOfArrival)
	winner.Click("menu-hand-over")
	winner.Until("to the other one", `document.querySelector('dialog .answers')?.innerText.trim() === '`+other+`'`)
	winner.Do(chromedp.Click(chromedp.CSS("dialog .answers button")))
	loser.Until("it is theirs now, with the dot", state("mine")+` && document.querySelector('[data-testid="dot"]') !== null`)
	winner.Until("not here any more, and no dot", state("theirs")+` && document.querySelector('[data-testid="dot"]') === null`)

	loser.Do(menuOfArrival)
	loser.Click("menu-call")
	loser.Until("the booking's desk is chosen already", `document.querySelector('[data-testid="desk"]')?.value === 'pickup'`)
	loser.Click("call-send")
	select {
	case c := <-phone.calls:
		if c.Text != "We are ready for you: come to Pickup Counter" {
			t.Errorf("the phone is asked: %s", c.Text)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("the phone is not asked to come")
	}
	winner.Until("whoever was called is near", callCard+`?.querySelector('[data-testid="at-desk"]')?.dataset.at === 'near'`)
	winner.Shot("e2e-desk-called")
	hiddenAndBack(phone, desk, kim, lea)
	awayAndBack(wire, kim, lea)

	word := consoletest.JS[string](kim, arrival+`.querySelector('.word').dataset.word`)
	alert := consoletest.JS[string](kim, arrival+`.dataset.alert`)
	if err := phone.Bye(); err != nil {
		t.Fatal(err)
	}
	for _, p := range []*consoletest.Page{kim, lea} {
		p.Until("gone", state("gone"))
		forgotten(p, word, alert)
		p.Shot("e2e-desk-gone")
		p.Quiet("409", "ERR_", "WebSocket")
	}
}

const callCard = `document.querySelector('[data-testid="card"][data-kind="called"]')`

var menuOfArrival = chromedp.Click(chromedp.CSS(`[data-kind="arrived"] [data-testid="menu"]`))

// administer has the program tell the server something out of a file.
func administer(t *testing.T, r *running, name, content string, what ...string) {
	t.Helper()
	token, err := r.devKey.MintAdmin("ana", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, errs, status := command(t, "", append(what, "--url", r.address(), "--token", token, "--store", demostore.ID, file)...); status != 0 {
		t.Fatalf("%v: %d %s%s", what, status, out, errs)
	}
}

// claimAtOnce has both claim in the same moment. One has it; the other reads who, and has nothing. other is what the loser is called.
func claimAtOnce(t *testing.T, kim, lea *consoletest.Page) (winner, loser *consoletest.Page, other string) {
	t.Helper()
	var both sync.WaitGroup
	for _, p := range []*consoletest.Page{kim, lea} {
		both.Go(func() {
			if err := chromedp.Do(p.Ctx, chromedp.Evaluate[chromedp.Void](arrival+`.querySelector('[data-testid="claim"]').click()`)); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	for _, p := range []*consoletest.Page{kim, lea} {
		p.Until("decided", state("mine")+" || "+state("theirs"))
	}
	winner, loser, name, other := kim, lea, "Kim", "Lea"
	if consoletest.JS[bool](lea, state("mine")) {
		winner, loser, name, other = lea, kim, "Lea", "Kim"
	}
	loser.Until("who has it", state("theirs")+` && /`+name+` (has it|claimed it first)/.test(`+arrival+`.innerText)`)
	if consoletest.JS[bool](winner, state("theirs")) || consoletest.JS[bool](loser, `document.querySelector('[data-testid="dot"]') !== null`) {
		t.Error("both have it, or neither")
	}
	return winner, loser, other
}

// hiddenAndBack leaves the store for a moment: nobody sees where anybody is, at once, and it comes back.
func hiddenAndBack(phone *stroller, at geofence.LatLng, pages ...*consoletest.Page) {
	phone.at.Store(nil)
	if err := phone.Outside("out"); err != nil {
		pages[0].T.Fatal(err)
	}
	for _, p := range pages {
		p.Until("hidden: no place, no word, no dot, and nobody at a desk", arrival+`.dataset.presence === 'hidden' && `+arrival+`.querySelector('.where').innerText === 'Location hidden' && !`+
			arrival+`.querySelector('.word') && document.querySelector('[data-testid="dot"]') === null && `+callCard+`.querySelector('[data-testid="at-desk"]') === null`)
		p.Shot("e2e-desk-hidden")
	}
	phone.at.Store(&at)
	for _, p := range pages {
		p.Until("shown again", arrival+`.querySelector('.where').innerText.startsWith('Pickup Counter') && `+arrival+`.querySelector('.word') !== null`)
	}
}

// awayAndBack cuts one console off while the other one settles the call.
func awayAndBack(wire *wireTo, here, away *consoletest.Page) {
	wire.set(true)
	away.Until("lost, and says so; no place is left", `document.querySelector('[data-testid="connection"]').dataset.state === 'lost' && document.querySelector('[data-testid="banner"]').innerText.includes('Positions hidden') && `+
		arrival+`.querySelector('.where').innerText === 'Place not known' && document.querySelector('[data-testid="dot"]') === null`)
	away.Shot("e2e-desk-lost")
	here.Do(chromedp.Click(chromedp.CSS(`[data-kind="called"] [data-testid="claim"]`)))
	here.Until("mine", callCard+`?.dataset.state === 'mine'`)
	here.Do(chromedp.Click(chromedp.CSS(`[data-kind="called"] [data-testid="resolve"]`)))
	here.Until("settled", callCard+` === null`)
	wire.set(false)
	away.Until("back, with what was missed", `document.querySelector('[data-testid="connection"]').dataset.state === 'live' && `+callCard+` === null && `+arrival+`.querySelector('.where').innerText.startsWith('Pickup Counter')`)
	away.Click("tab-ended")
	away.Until("settled, not lost", callCard+`?.dataset.state === 'resolved'`)
	away.Click("tab-open")
}
