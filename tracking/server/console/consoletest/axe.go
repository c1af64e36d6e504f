// SPDX-License-Identifier: Apache-2.0

package consoletest

import (
	_ "embed"
	"encoding/json"
	"strings"

	"github.com/chromedp/chromedp"
)

// axe-core 4.14.1, as published (MPL-2.0; its licence is beside it). It is for tests only and in no
// binary that people run.
//
//go:embed axe/axe.min.js
var axe string

// finding is one rule that a page breaks, and where.
type finding struct {
	ID    string `json:"id"`
	Help  string `json:"help"`
	Nodes []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// Accessible fails for everything that axe finds wrong with the page as it stands: the rules of WCAG 2.2
// AA and of good practice. A page must have told axe something, or this proves nothing.
func (p *Page) Accessible(name string) {
	p.T.Helper()
	if !JS[bool](p, "typeof window.axe === 'object'") {
		p.Do(chromedp.Evaluate[chromedp.Void](axe))
	}
	var found struct {
		Passes     int       `json:"passes"`
		Violations []finding `json:"violations"`
	}
	answer, err := chromedp.Run(p.Ctx, chromedp.Evaluate[string](`axe.run(document, {resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})
		.then((r) => JSON.stringify({passes: r.passes.length, violations: r.violations}))`, chromedp.EvalAwaitPromise))
	if err != nil {
		p.T.Fatalf("%s: %v", name, err)
	}
	if err := json.Unmarshal([]byte(answer), &found); err != nil {
		p.T.Fatalf("%s: %v: %s", name, err, answer)
	}
	if found.Passes < 5 {
		p.T.Errorf("%s: only %d rules had anything to look at", name, found.Passes)
	}
	for _, f := range found.Violations {
		for _, n := range f.Nodes {
			p.T.Errorf("%s: %s: %s\n\t%s\n\t%s", name, f.ID, f.Help, n.HTML, strings.ReplaceAll(n.Summary, "\n", " "))
		}
	}
}
