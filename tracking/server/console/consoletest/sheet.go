// SPDX-License-Identifier: Apache-2.0

package consoletest

import (
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/chromedp/chromedp"
)

// Sheet lays all pictures of a folder on one page, sheet.html, and takes a picture of that, sheet.jpg: what a run has shown, at one look. Without a
// folder, or with no picture in it, there is none.
func (s *Shared) Sheet(dir string) error {
	if dir == "" || s.ctx == nil {
		return nil
	}
	shots, err := filepath.Glob(filepath.Join(dir, "*.png"))
	if err != nil {
		return err
	}
	var page strings.Builder
	page.WriteString(`<!doctype html><meta charset="utf-8"><title>All states</title><style>body{font:13px system-ui;background:#ddd;margin:16px;display:flex;flex-wrap:wrap;gap:12px}` +
		`figure{margin:0;inline-size:300px}img{inline-size:300px;border:1px solid #999}</style>`)
	n := 0
	for _, shot := range shots {
		name := strings.TrimSuffix(filepath.Base(shot), ".png")
		if name == "sheet" {
			continue
		}
		n++
		fmt.Fprintf(&page, `<figure><a href="%[1]s.png"><img src="%[1]s.png" alt=""></a><figcaption>%[2]s</figcaption></figure>`, url.PathEscape(name), html.EscapeString(name))
	}
	if n == 0 {
		return nil
	}
	file, err := filepath.Abs(filepath.Join(dir, "sheet.html"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(page.String()), 0o644); err != nil {
		return err
	}
	ctx, leave := chromedp.NewContext(s.ctx)
	defer leave()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1600, 1000), chromedp.Navigate("file://"+file)); err != nil {
		return err
	}
	b, err := chromedp.Run(ctx, chromedp.FullScreenshot(70))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "sheet.jpg"), b, 0o644)
}
