// SPDX-License-Identifier: Apache-2.0

package consoletest

import (
	"github.com/chromedp/cdproto/emulation"
)

// looks finds what people could not read or not hit: text that is cut off, controls under 44 px or, at the console, under something else, parts of a
// card over each other. What is only for
// screen readers is passed over, and so is what can be scrolled to.
const looks = `(() => {
	const found = [], seen = (e) => e.checkVisibility() && !e.closest('.spoken, [hidden]') && e.getBoundingClientRect().width > 0;
	const name = (e) => e.tagName.toLowerCase() + '.' + (e.className.baseVal ?? e.className) + ' "' + (e.innerText ?? e.textContent ?? '').trim().slice(0, 40) + '"';
	for (const e of document.querySelectorAll('body *')) {
		if (!(e instanceof HTMLElement) || !seen(e) || e.childElementCount > 0 || !e.textContent.trim()) continue;
		const s = getComputedStyle(e);
		if (s.clipPath !== 'none') continue; // for screen readers only, by its own size
		if (s.overflowX !== 'visible' && s.overflowX !== 'auto' && e.scrollWidth > e.clientWidth + 1 && !e.closest('[title]')) found.push('cut off: ' + name(e));
	}
	for (const e of document.querySelectorAll('button, a[href], select, input:not([type=checkbox]), label.check')) {
		if (!seen(e) || e.closest('.connection')) continue;
		const r = e.getBoundingClientRect();
		if (r.width < 43.5 || r.height < 43.5) found.push('under 44: ' + Math.round(r.width) + '×' + Math.round(r.height) + ' ' + name(e));
	}
	const within = document.querySelector('dialog[open]') ?? document;
	for (const e of document.body.classList.contains('console') ? within.querySelectorAll('button, a[href], select, input') : []) {
		if (!seen(e)) continue;
		const r = e.getBoundingClientRect(), box = e.closest('.scroll, .ground, dialog')?.getBoundingClientRect() ?? document.documentElement.getBoundingClientRect();
		for (const part of [.2, .5, .8]) {
			const x = r.left + part * r.width, y = r.top + r.height / 2;
			if (x <= box.left || x >= box.right || y <= box.top || y >= Math.min(box.bottom, innerHeight)) continue; // it can be scrolled to
			const hit = document.elementFromPoint(x, y);
			if (hit && !e.contains(hit) && !hit.contains(e)) found.push('covered: ' + name(e) + ' by ' + name(hit));
		}
	}
	for (const card of [...document.querySelectorAll('.card')].slice(0, 12)) {
		const parts = ['.kind', '.age', '.where', '.note', '.acts'].map((q) => card.querySelector(q)).filter((e) => e && seen(e) && e.innerText.trim());
		for (const a of parts) for (const b of parts) {
			if (a === b || a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_PRECEDING) continue;
			const x = a.getBoundingClientRect(), y = b.getBoundingClientRect();
			if (Math.min(x.right, y.right) - Math.max(x.left, y.left) > 1 && Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top) > 3) found.push('over each other: ' + name(a) + ' and ' + name(b));
		}
	}
	return [...new Set(found)].slice(0, 5).join('\n\t');
})()`

// Readable fails for what Fits does, and for text that is cut off, parts of a card that lie over each other and controls that are under 44 px or covered.
func (p *Page) Readable(name string) {
	p.T.Helper()
	p.Fits(name)
	if found := JS[string](p, looks); found != "" {
		p.T.Errorf("%s:\n\t%s", name, found)
	}
}

// Media emulates how somebody has set up their machine: dark or light, and colours of their own.
func (p *Page) Media(dark, forced bool) {
	p.T.Helper()
	features := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "light"}, {Name: "forced-colors", Value: "none"}}
	if dark {
		features[0].Value = "dark"
	}
	if forced {
		features[1].Value = "active"
	}
	p.Do(Call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: features}))
}

// Colourless shows the page as somebody sees it who sees no colour, or as it is.
func (p *Page) Colourless(on bool) {
	p.T.Helper()
	kind := emulation.SetEmulatedVisionDeficiencyTypeNone
	if on {
		kind = emulation.SetEmulatedVisionDeficiencyTypeAchromatopsia
	}
	p.Do(Call(emulation.SetEmulatedVisionDeficiency, emulation.SetEmulatedVisionDeficiencyParams{Type: kind}))
}
