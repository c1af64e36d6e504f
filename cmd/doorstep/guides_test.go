// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"doorstep/tracking/server/console/consoletest"
)

// TestTheGuides follows both guides as somebody would who knows nothing else: what is in a fence is run and compared, what a step says is pressed,
// written and read in a browser. Only the port is another, since 8080 may be taken.
func TestTheGuides(t *testing.T) {
	for _, part := range []string{"chromium", "curl"} {
		_, err := exec.LookPath(part)
		needs(t, err == nil, part)
	}
	for name, g := range map[string]struct {
		file            string
		commands, steps int
	}{
		"a store manager's":  {"../../tracking/server/console/GUIDE.md", 8, 11},
		"an app developer's": {"../../mobile-sdk-spec/GUIDE.md", 8, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // much of it is waiting: for programs to start, and for people to walk
			text, err := os.ReadFile(g.file)
			if err != nil {
				t.Fatal(err)
			}
			r := newReader(t)
			r.read(string(text))
			if r.commands != g.commands || r.steps != g.steps {
				t.Errorf("followed %d commands and %d steps, want %d and %d: something was not read", r.commands, r.steps, g.commands, g.steps)
			}
		})
	}
}

// reader is somebody who follows a guide.
type reader struct {
	t               *testing.T
	dir, at         string // the folder that they work in; the address that takes the place of the guide's
	env             []string
	printed         string // what the server that runs has said
	browser         consoletest.Shared
	pages           map[string]*consoletest.Page
	commands, steps int
}

func newReader(t *testing.T) *reader {
	t.Helper()
	r := &reader{t: t, dir: t.TempDir(), env: os.Environ(), pages: make(map[string]*consoletest.Page)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.at = l.Addr().String()
	_ = l.Close()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Dir(here), filepath.Join(r.dir, "cmd")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.browser.Close)
	return r
}

var (
	fenceStart = regexp.MustCompile("^```(console|json) ?(.*)$")
	stepStart  = regexp.MustCompile(`^\d+\. (At the console|On the phone), `)
	stepParts  = regexp.MustCompile("press \\*\\*(.+?)\\*\\*|then \\*\\*(.+?)\\*\\*|“(.+?)”|write `(.+?)`|Press \\*\\*(.+?)\\*\\*")
)

// read follows a guide from its first line to its last.
func (r *reader) read(guide string) {
	r.t.Helper()
	lines := strings.Split(strings.ReplaceAll(guide, "127.0.0.1:8080", r.at), "\n")
	for i := 0; i < len(lines); i++ {
		if m := fenceStart.FindStringSubmatch(lines[i]); m != nil {
			end := i + 1
			for lines[end] != "```" {
				end++
			}
			if m[1] == "json" {
				r.save(m[2], strings.Join(lines[i+1:end], "\n"))
			} else {
				r.session(lines[i+1 : end])
			}
			i = end
			continue
		}
		if m := stepStart.FindStringSubmatch(lines[i]); m != nil {
			r.step(m[1], lines[i])
		}
	}
}

func (r *reader) save(name, content string) {
	r.t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(content), 0o600); err != nil {
		r.t.Fatal(err)
	}
}

// session runs what follows "$ " and holds what comes of it against the lines below.
func (r *reader) session(lines []string) {
	r.t.Helper()
	for i := 0; i < len(lines); {
		line, is := strings.CutPrefix(lines[i], "$ ")
		if !is {
			r.t.Fatalf("%q is no command", lines[i])
		}
		want := i + 1
		for i++; i < len(lines) && !strings.HasPrefix(lines[i], "$ "); i++ {
		}
		r.commands++
		if left, beside := strings.CutSuffix(line, " &"); beside {
			r.beside(left, lines[want:i])
		} else if name, export := strings.CutPrefix(line, "export "); export {
			name, _, _ = strings.Cut(name, "=")
			r.env = append(r.env, name+"="+r.run(line+` && printf %s "$`+name+`"`))
		} else if got := r.run(line); !said(lines[want:i], got) {
			r.t.Errorf("$ %s\nthe guide says:\n%s\nit says:\n%s", line, strings.Join(lines[want:i], "\n"), got)
		}
	}
}

func (r *reader) shell(ctx context.Context, line string) *exec.Cmd {
	c := exec.CommandContext(ctx, "sh", "-c", line)
	c.Dir, c.Env = r.dir, r.env
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	return c
}

// run returns what a command prints, as a terminal shows it.
func (r *reader) run(line string) string {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), time.Minute)
	defer cancel()
	out, err := r.shell(ctx, line).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		out = fmt.Appendf(out, "[exit %d]\n", exit.ExitCode())
	} else if err != nil {
		r.t.Fatal(err)
	}
	return string(out)
}

// tape keeps what a process says while it runs.
type tape struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *tape) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *tape) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// beside starts a command that goes on, and waits until it has said what the guide says.
func (r *reader) beside(line string, want []string) {
	r.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var heard tape
	c := r.shell(ctx, "exec "+line)
	c.Stdout, c.Stderr = &heard, &heard
	if err := c.Start(); err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() {
		cancel()
		_ = c.Wait()
	})
	patience := time.NewTimer(time.Minute)
	defer patience.Stop()
	for again := time.NewTicker(50 * time.Millisecond); !said(want, heard.String()); {
		select {
		case <-again.C:
		case <-patience.C:
			r.t.Fatalf("$ %s &\nthe guide says:\n%s\nit says:\n%s", line, strings.Join(want, "\n"), heard.String())
		}
	}
	r.printed = heard.String()
}

// said reports whether an output is what a guide says: … alone on a line is any lines, within one it is anything.
func said(want []string, got string) bool {
	var pattern strings.Builder
	for _, line := range want {
		if line == "…" {
			pattern.WriteString(`(?:[^\n]*\n)*?`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", `[^\n]*`) + `\n`)
	}
	if got != "" && !strings.HasSuffix(got, "\n") {
		got += "\n"
	}
	return regexp.MustCompile(`\A` + pattern.String() + `\z`).MatchString(got)
}

// page opens the address of a side when it is first spoken of, in a window of its own.
func (r *reader) page(side string) *consoletest.Page {
	r.t.Helper()
	if p := r.pages[side]; p != nil {
		return p
	}
	name := map[string]string{"At the console": "console", "On the phone": "shopper"}[side]
	m := regexp.MustCompile(`(?m)^  ` + name + ` +(http\S+)$`).FindStringSubmatch(r.printed)
	if m == nil {
		r.t.Fatalf("no address of the %s in:\n%s", name, r.printed)
	}
	p := consoletest.OpenPage(r.t, r.browser.Browser(r.t), 1280, 900)
	p.Open(m[1])
	r.pages[side] = p
	if name == "console" { // the other side needs somebody on duty, from its first step on
		p.Until("live", `document.querySelector('[data-testid="connection"]')?.dataset.state === 'live'`)
	}
	return p
}

// step does what a step says, in its order.
func (r *reader) step(side, text string) {
	r.t.Helper()
	p := r.page(side)
	r.steps++
	for _, m := range stepParts.FindAllStringSubmatch(text, -1) {
		switch {
		case m[3] != "":
			p.Until("it says “"+m[3]+"”", `document.body.innerText.replaceAll('\u00a0', ' ').includes(`+inQuotes(m[3])+`)`)
		case m[4] != "":
			p.Do(chromedp.SendKeys(chromedp.CSS(`.sheet input`), m[4]))
		default:
			press(p, m[1]+m[2]+m[5])
		}
	}
}

// press clicks what a person reads, where it can be seen.
func press(p *consoletest.Page, name string) {
	p.T.Helper()
	find := `[...document.querySelectorAll('button')].find((b) => b.checkVisibility() && !b.disabled && !b.closest('[inert]') && (b.innerText.trim() || b.ariaLabel) === ` + inQuotes(name) + `)`
	p.Until("there is “"+name+"” to press", find)
	p.Do(chromedp.Evaluate[chromedp.Void](find + `.click()`))
}

func inQuotes(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}
