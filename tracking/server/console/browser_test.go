// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// chromium finds the browser. Without one the test is skipped, but not where it must run.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no chromium on this machine, and CI=true: the pages would go untested")
	}
	t.Skip("no chromium on this machine")
	return ""
}

// browser starts one Chromium for the whole of a test.
func browser(t *testing.T) context.Context {
	t.Helper()
	opts := append([]chromedp.ExecAllocatorOption{}, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()),
		chromedp.Flag("headless", "new"), chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "en-US"))
	ctx, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, quit := chromedp.NewContext(ctx)
	t.Cleanup(quit)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	return ctx
}

// page is one tab, and everything it complains about.
type page struct {
	t    *testing.T
	ctx  context.Context
	mu   sync.Mutex
	errs []string
}

func openPage(t *testing.T, parent context.Context, w, h int64) *page {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(parent)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancel)
	p := &page{t: t, ctx: ctx}
	p.do(call(log.Enable, cdp.Empty{}), chromedp.EmulateViewport(w, h))
	watch(p, runtime.ExceptionThrown, func(e runtime.EventExceptionThrown) string {
		return (&chromedp.ExceptionError{ExceptionDetails: e.ExceptionDetails}).Error()
	})
	watch(p, runtime.ConsoleAPICalled, func(e runtime.EventConsoleAPICalled) string {
		if e.Type != runtime.ConsoleAPICalledTypeError && e.Type != runtime.ConsoleAPICalledTypeWarning {
			return ""
		}
		said := "console:"
		for _, a := range e.Args {
			said += " " + string(a.Value) + a.Description
		}
		return said
	})
	watch(p, log.EntryAdded, func(e log.EventEntryAdded) string {
		if e.Entry.Level != log.EntryLevelError && e.Entry.Level != log.EntryLevelWarning {
			return ""
		}
		return "log: " + e.Entry.Text + " " + e.Entry.URL
	})
	return p
}

// watch turns a kind of event into complaints; an empty one is none.
func watch[E any](p *page, kind cdp.Event[E], complaint func(E) string) {
	events := chromedp.Events(p.ctx, kind)
	go func() {
		for e, err := range events {
			if err != nil {
				return
			}
			if s := complaint(e); s != "" {
				p.complain(s)
			}
		}
	}()
}

// call is a protocol command as an action.
func call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

func (p *page) complain(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, s)
}

// quiet fails if the page logged an error, a warning or a violated policy; allowed ones aside.
func (p *page) quiet(allowed ...string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
next:
	for _, e := range p.errs {
		for _, a := range allowed {
			if strings.Contains(e, a) {
				continue next
			}
		}
		p.t.Errorf("the page complained: %s", e)
	}
}

func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatalf("%v\n%s", err, p.text())
	}
}

func (p *page) open(url string) { p.t.Helper(); p.do(chromedp.Navigate(url)) }

// text is what the page says, for messages of failed tests.
func (p *page) text() string {
	s, err := chromedp.Run(p.ctx, chromedp.Evaluate[string]("document.body?.innerText ?? ''"))
	if err != nil {
		return err.Error()
	}
	return s
}

// js evaluates an expression.
func js[T any](p *page, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// until waits for a condition written in JavaScript. It asks from here: the pages' policy forbids
// making functions out of text in there.
func (p *page) until(what, condition string) {
	p.t.Helper()
	patience := time.NewTimer(15 * time.Second)
	defer patience.Stop()
	again := time.NewTicker(15 * time.Millisecond)
	defer again.Stop()
	for !js[bool](p, "Boolean("+condition+")") {
		select {
		case <-again.C:
		case <-patience.C:
			p.t.Fatalf("never happened: %s (%s)\n%s", what, condition, p.text())
		}
	}
}

func (p *page) click(testid string) {
	p.t.Helper()
	sel := chromedp.CSS(`[data-testid="` + testid + `"]`)
	p.do(chromedp.WaitVisible(sel), chromedp.Click(sel))
}

// clickIn clicks a control inside one alert's card.
func clickIn(alert, testid string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(`[data-alert="` + alert + `"] [data-testid="` + testid + `"]`))
}

func (p *page) size(w, h int64) { p.t.Helper(); p.do(chromedp.EmulateViewport(w, h)) }

// fits fails if the page can be scrolled sideways.
func (p *page) fits(name string) {
	p.t.Helper()
	over := js[int](p, "document.documentElement.scrollWidth - document.documentElement.clientWidth")
	if over > 0 {
		p.t.Errorf("%s: %d px too wide: %s", name, over, js[string](p, `[...document.querySelectorAll('body *')]
			.filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.tagName + '.' + e.className).slice(0, 6).join(' ')`))
	}
}

// shot writes a picture where DOORSTEP_SHOTS says, for people to look at.
func (p *page) shot(name string) {
	p.t.Helper()
	dir := os.Getenv("DOORSTEP_SHOTS")
	if dir == "" {
		return
	}
	b, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), b, 0o644); err != nil {
		p.t.Error(err)
	}
}

func (p *page) dark(on bool) {
	p.t.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	p.do(call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}))
}
