// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// The public pages are made from the registry that is enforced, in whole, each time: there is no second
// text that could say something else (brief, 17). A page needs nothing from elsewhere, so that it can be kept, printed and
// compared as it is.

//go:embed pages
var pageFiles embed.FS

// page is what the templates read.
type page struct {
	Reg      *Registry
	Lang     string
	Langs    []string
	Title    string
	W        map[string]string
	Style    template.CSS
	Purposes []pagePurpose
	Kept     []pageData // beside them
	Report   Report
	Record   []recordPart
	Notice   Notice
	InForce  bool
}

type pagePurpose struct {
	ID, Title            string
	Data                 []pageData
	Recipients           []string
	TermDays, VisitHours int
	Notices              []Notice // in force, each once
}

type pageData struct {
	Title, Kept string
	Fields      []string
	Unasked     bool
}

// pageWords are the pages' own words by language.
var pageWords = sync.OnceValue(func() map[string]map[string]string {
	words := map[string]map[string]string{}
	if err := json.Unmarshal(mustRead("words.json"), &words); err != nil {
		panic("consent: the words of the pages: " + err.Error()) // a defect of the build, which a test finds
	}
	return words
})

func mustRead(name string) []byte {
	b, err := pageFiles.ReadFile("pages/" + name)
	if err != nil {
		panic("consent: the pages are not embedded: " + err.Error())
	}
	return b
}

// PagePolicy is the content security policy under which the pages are served: their own style, and nothing else.
var PagePolicy = sync.OnceValue(func() string {
	sum := sha256.Sum256(mustRead("style.css"))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
})

// langNames are what the languages call themselves.
var langNames = map[string]string{"en": "English", "zh": "中文", "ar": "العربية"}

// PageLangs are the languages in which the pages can be read: those of the registry's purposes that the pages
// have words for; English if that is none.
func (r *Registry) PageLangs() []string {
	var langs []string
	for _, lang := range []string{"en", "zh", "ar"} {
		if len(r.Purposes) > 0 && r.Purposes[0].Title[lang] != "" {
			langs = append(langs, lang)
		}
	}
	if langs == nil {
		return []string{"en"}
	}
	return langs
}

// PageLang chooses one: that which is asked for, else the first that an Accept-Language header names.
func (r *Registry) PageLang(asked, accepted string) string {
	langs := r.PageLangs()
	for _, want := range append([]string{asked}, strings.Split(accepted, ",")...) {
		want, _, _ = strings.Cut(strings.TrimSpace(want), ";")
		want, _, _ = strings.Cut(strings.ToLower(want), "-")
		if slices.Contains(langs, want) {
			return want
		}
	}
	return langs[0]
}

func (r *Registry) page(lang, title string) page {
	w := pageWords()[lang]
	return page{Reg: r, Lang: lang, Langs: r.PageLangs(), W: w, Title: w[title] + " – " + r.Controller.Name, Style: template.CSS(mustRead("style.css"))}
}

// RulesPage is the public page of the rules in one of PageLangs.
func (r *Registry) RulesPage(lang string) ([]byte, error) {
	p := r.page(lang, "rules_title")
	for _, x := range r.Purposes {
		p.Purposes = append(p.Purposes, p.purpose(x))
	}
	p.Kept = p.beside()
	return p.render("rules")
}

// TransparencyPage is the public page of a report in one of PageLangs.
func (r *Registry) TransparencyPage(report Report, lang string) ([]byte, error) {
	p := r.page(lang, "transparency_title")
	p.Report = report
	return p.render("transparency")
}

// NoticePage is a notice as people read it, in its own language and direction.
func (r *Registry) NoticePage(n Notice) ([]byte, error) {
	lang := n.Lang
	if pageWords()[lang] == nil {
		lang = r.PageLangs()[0] // of what is the page's own
	}
	p := r.page(lang, "rules_title")
	p.Lang, p.Langs, p.Title, p.Notice, p.InForce = n.Lang, nil, n.Title, n, r.inForce(n)
	p.W = maps.Clone(p.W)
	p.W["dir"] = n.Dir
	return p.render("notice")
}

// title is a text in the page's language; of a registry that does not have it, in one that it has.
func (p page) title(texts map[string]string) string {
	if t := texts[p.Lang]; t != "" {
		return t
	}
	for _, lang := range sortedKeys(texts) {
		return texts[lang]
	}
	return ""
}

func (p page) purpose(x Purpose) pagePurpose {
	out := pagePurpose{ID: x.ID, Title: p.title(x.Title), TermDays: x.TermDays, VisitHours: x.VisitHours}
	asked := map[string]bool{}
	for _, n := range p.Reg.notices {
		if n.Purpose == x.ID && p.Reg.inForce(n) {
			out.Notices = append(out.Notices, n)
			for _, d := range n.Data {
				asked[d] = true
			}
		}
	}
	for _, id := range x.Data {
		d, _ := p.Reg.dataType(id)
		out.Data = append(out.Data, pageData{p.title(d.Title), p.span(d.Retention), d.Fields, !asked[id]})
	}
	for _, id := range x.Recipients {
		r, _ := p.Reg.recipient(id)
		out.Recipients = append(out.Recipients, p.title(r.Title))
	}
	return out
}

// beside is what is kept whatever the purpose.
func (p page) beside() (list []pageData) {
	for _, k := range p.Reg.KeptBeside() {
		list = append(list, pageData{Title: p.title(k.Title), Kept: p.span(k.Retention)})
	}
	return list
}

// PurposeTitle is what a purpose is called on the page.
func (p page) PurposeTitle(id string) string {
	if x, ok := p.Reg.Purpose(id); ok {
		return p.title(x.Title)
	}
	return id
}

// span is a retention in words.
func (p page) span(retention string) string {
	d, err := parseRetention(retention)
	if err != nil {
		return retention
	}
	for _, unit := range []struct {
		name string
		is   time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		if d%unit.is == 0 {
			return p.number(int(d/unit.is), unit.name)
		}
	}
	return p.number(int(d/time.Second), "second")
}

func (p page) number(n int, unit string) string {
	if n == 1 {
		return p.W[unit+"1"]
	}
	return fmt.Sprintf(p.W[unit], n)
}

// figure is a count as it is told.
func (p page) figure(f Figure) string {
	if f.N == nil {
		return fmt.Sprintf(p.W["below"], f.Below)
	}
	return fmt.Sprint(*f.N)
}

func (p page) render(name string) ([]byte, error) {
	t, err := template.New("").Funcs(template.FuncMap{
		"join": func(list []string) string { return strings.Join(list, ", ") }, "paragraphs": func(s string) []string { return strings.Split(s, "\n\n") },
		"number": p.number, "figure": p.figure,
		"langName": func(lang string) string {
			if n, ok := langNames[lang]; ok {
				return n
			}
			return lang
		},
	}).Parse(string(mustRead("pages.html")))
	if err != nil {
		return nil, fmt.Errorf("consent: the pages: %w", err)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, p); err != nil {
		return nil, fmt.Errorf("consent: the page %s: %w", name, err)
	}
	return b.Bytes(), nil
}
