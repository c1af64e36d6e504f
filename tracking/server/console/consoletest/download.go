// SPDX-License-Identifier: Apache-2.0

package consoletest

import (
	"os"
	"path/filepath"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
)

// Saved does something that makes the page hand over a file, and returns what is in the file once it is there whole.
// pattern is that of its name (filepath.Match).
func (p *Page) Saved(pattern string, do func()) []byte {
	p.T.Helper()
	dir := p.T.TempDir()
	p.Do(Call(browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: dir,
		BrowserContextID: chromedp.FromContext(p.Ctx).BrowserContextID}))
	do()
	patience := time.NewTimer(15 * time.Second)
	defer patience.Stop()
	again := time.NewTicker(15 * time.Millisecond)
	defer again.Stop()
	for {
		if files, _ := filepath.Glob(filepath.Join(dir, pattern)); len(files) == 1 {
			if b, err := os.ReadFile(files[0]); err == nil && len(b) > 0 { // until then it is a place without content
				return b
			}
		}
		select {
		case <-again.C:
		case <-patience.C:
			p.T.Fatalf("no file %s came\n%s", pattern, p.Text())
		}
	}
}
