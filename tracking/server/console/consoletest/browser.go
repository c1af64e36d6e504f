// SPDX-License-Identifier: Apache-2.0

// Package consoletest drives the pages in a real browser, for the tests of the pages and for those of
// the whole server.
package consoletest

import (
	"context"
	"errors"
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
	"github.com/chromedp/cdproto/page"
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

// Browser starts one Chromium for the whole of a test.
func Browser(t *testing.T) context.Context {
	t.Helper()
	ctx, stop, err := Start(chromium(t), t.TempDir())
	if err != nil {
		t.Fatalf("chromium does not start: %v", err)
	}
	t.Cleanup(stop)
	return ctx
}

// Shared is one Chromium for all tests of a package, started by the first that asks. Each gets cookies and storage of its own.
type Shared struct {
	once sync.Once
	ctx  context.Context
	stop func()
	dir  string
	err  error
}

// Browser is Browser for one test or one person, in the shared Chromium.
func (s *Shared) Browser(t *testing.T) context.Context {
	t.Helper()
	path := chromium(t)
	s.once.Do(func() {
		if s.dir, s.err = os.MkdirTemp("", "doorstep-chromium-"); s.err == nil {
			s.ctx, s.stop, s.err = Start(path, s.dir)
		}
	})
	if s.err != nil {
		t.Fatalf("chromium does not start: %v", s.err)
	}
	ctx, leave := chromedp.NewContext(s.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(leave)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("chromium opens no window: %v", err)
	}
	return ctx
}

// Close ends the browser, after the last test.
func (s *Shared) Close() {
	if s.stop != nil {
		s.stop()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// Start starts a Chromium that keeps what it keeps in dir.
func Start(path, dir string) (ctx context.Context, stop func(), err error) {
	opts := append([]chromedp.ExecAllocatorOption{}, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.ExecPath(path), chromedp.UserDataDir(dir),
		chromedp.Flag("headless", "new"), chromedp.Flag("no-sandbox", true), chromedp.Flag("disable-gpu", true), chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("lang", "en-US"))
	ctx, end := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, quit := chromedp.NewContext(ctx)
	stop = func() { quit(); end() }
	if err := chromedp.Do(ctx); err != nil {
		stop()
		return nil, nil, err
	}
	return ctx, stop, nil
}

// Page is one tab, and everything it complains about.
type Page struct {
	T    *testing.T
	Ctx  context.Context // of the tab
	mu   sync.Mutex
	errs []string
}

func OpenPage(t *testing.T, parent context.Context, w, h int64) *Page {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(parent)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancel)
	p := &Page{T: t, Ctx: ctx}
	p.Do(Call(log.Enable, cdp.Empty{}), chromedp.EmulateViewport(w, h))
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
func watch[E any](p *Page, kind cdp.Event[E], complaint func(E) string) {
	events := chromedp.Events(p.Ctx, kind)
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

// Call is a protocol command as an action.
func Call[P, R any](command cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, command, params)
		return err
	})
}

func (p *Page) complain(s string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.errs = append(p.errs, s)
}

// Quiet fails if the page logged an error, a warning or a violated policy; allowed ones aside.
func (p *Page) Quiet(allowed ...string) {
	p.T.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
next:
	for _, e := range p.errs {
		for _, a := range allowed {
			if strings.Contains(e, a) {
				continue next
			}
		}
		p.T.Errorf("the page complained: %s", e)
	}
}

func (p *Page) Do(actions ...chromedp.Action[chromedp.Void]) {
	p.T.Helper()
	if err := chromedp.Do(p.Ctx, actions...); err != nil {
		p.T.Fatalf("%v\n%s", err, p.Text())
	}
}

func (p *Page) Open(url string) { p.T.Helper(); p.Do(chromedp.Navigate(url)) }

// Text is what the page says, for messages of failed tests.
func (p *Page) Text() string {
	s, err := chromedp.Run(p.Ctx, chromedp.Evaluate[string]("document.body?.innerText ?? ''"))
	if err != nil {
		return err.Error()
	}
	return s
}

// JS evaluates an expression.
func JS[T any](p *Page, expression string) T {
	p.T.Helper()
	v, err := chromedp.Run(p.Ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.T.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Until waits for a condition written in JavaScript. It asks from here: the pages' policy forbids
// making functions out of text in there.
func (p *Page) Until(what, condition string) {
	p.T.Helper()
	patience := time.NewTimer(15 * time.Second)
	defer patience.Stop()
	again := time.NewTicker(15 * time.Millisecond)
	defer again.Stop()
	for !JS[bool](p, "Boolean("+condition+")") {
		select {
		case <-again.C:
		case <-patience.C:
			p.T.Fatalf("never happened: %s (%s)\n%s", what, condition, p.Text())
		}
	}
}

func (p *Page) Click(testid string) {
	p.T.Helper()
	sel := chromedp.CSS(`[data-testid="` + testid + `"]`)
	p.Do(chromedp.WaitVisible(sel), chromedp.Click(sel))
}

// ClickIn clicks a control inside one alert's card.
func ClickIn(alert, testid string) chromedp.Action[chromedp.Void] {
	return chromedp.Click(chromedp.CSS(`[data-alert="` + alert + `"] [data-testid="` + testid + `"]`))
}

func (p *Page) Size(w, h int64) { p.T.Helper(); p.Do(chromedp.EmulateViewport(w, h)) }

// Fits fails if the page can be scrolled sideways.
func (p *Page) Fits(name string) {
	p.T.Helper()
	over := JS[int](p, "document.documentElement.scrollWidth - document.documentElement.clientWidth")
	if over > 0 {
		p.T.Errorf("%s: %d px too wide: %s", name, over, JS[string](p, `[...document.querySelectorAll('body *')]
			.filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map(e => e.tagName + '.' + e.className).slice(0, 6).join(' ')`))
	}
}

// picture takes one, quickly rather than small: a run takes some hundred of them.
func picture(ctx context.Context, t *chromedp.Target) ([]byte, error) {
	quick := true
	shot, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{OptimizeForSpeed: &quick})
	return shot.Data, err
}

// Shot writes a picture where DOORSTEP_SHOTS says, for people to look at.
func (p *Page) Shot(name string) {
	p.T.Helper()
	dir := os.Getenv("DOORSTEP_SHOTS")
	if dir == "" {
		return
	}
	b, err := chromedp.Run(p.Ctx, chromedp.Action[[]byte](picture))
	if err != nil {
		p.T.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+".png"), b, 0o644)); err != nil {
		p.T.Error(err)
	}
}

func (p *Page) Dark(on bool) {
	p.T.Helper()
	scheme := "light"
	if on {
		scheme = "dark"
	}
	p.Do(Call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}))
}
