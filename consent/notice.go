// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"slices"
	"strings"
)

// Notice is one published text: one purpose, one language. It is immutable; its hash names it.
type Notice struct {
	ID            string            `json:"id"`
	Version       int               `json:"version"` // a new one for every edit
	Purpose       string            `json:"purpose"`
	Lang          string            `json:"lang"`
	Dir           string            `json:"dir"` // ltr or rtl
	Jurisdictions []string          `json:"jurisdictions"`
	Title         string            `json:"title"`
	TermDays      int               `json:"term_days"` // what the label of "term" promises; must equal the purpose's
	Blocks        []Block           `json:"blocks"`
	Choices       map[Choice]string `json:"choices"`
	Texts         Texts             `json:"texts"`
	Hash          string            `json:"-"` // SHA-256 of the canonical form of all the above, hex
}

// Block is one part of a notice.
type Block struct {
	Key    string   `json:"key"`
	Title  string   `json:"title"`
	Text   string   `json:"text"`
	Links  []Link   `json:"links,omitempty"`
	Covers []string `json:"covers,omitempty"` // the duties it fulfils; not served
}

// Link is where to read on.
type Link struct {
	Title string `json:"title"`
	Href  string `json:"href"`
}

// ChoiceText is one of the four buttons.
type ChoiceText struct {
	ID    Choice `json:"choice"`
	Label string `json:"label"`
}

// Texts are what an app says while and after. Indicator is keyed by off, starting, on, seen,
// hidden and reconnecting; Ends by the reason.
type Texts struct {
	Indicator map[string]string `json:"indicator"`
	Ends      map[Reason]string `json:"ends"`
}

// The parts that every notice has, in the order in which they are served.
var blockKeys = []string{"who", "what", "why", "readers", "retention", "storage", "rights", "withdrawal", "effects"}

// Duties that every notice covers, wherever it is served (GDPR 13). Jurisdictions add to them.
var usualDuties = []string{"controller", "data", "purposes", "recipients", "retention", "rights", "authority", "withdrawal"}

var indicatorKeys = []string{"off", "starting", "on", "seen", "hidden", "reconnecting"}

// endReasons are all the ways in which a session can end, the fence's among them.
var endReasons = []Reason{
	Withdrawn, Revoked, Expired, Superseded, Erased, Replaced, MapChanged, Lost, Bye, OffDuty,
	"left_store", "silent", "store_closed", "phone_outside",
}

var choices = []Choice{ThisVisit, ForATerm, No, NotNow}

func (n Notice) computeHash() (string, error) { return digest(n) }

// served is the notice's blocks as they are sent.
func (n Notice) served() []Block {
	out := slices.Clone(n.Blocks)
	for i := range out {
		out[i].Covers = nil
	}
	return out
}

func (n Notice) choiceTexts() []ChoiceText {
	var out []ChoiceText
	for _, c := range choices {
		out = append(out, ChoiceText{ID: c, Label: n.Choices[c]})
	}
	return out
}

// stringsDigest is the digest that a decision repeats: of the strings that are shown, and of nothing
// else, so that an app can make it from what it handed to its views.
func stringsDigest(title string, blocks []Block, choices []ChoiceText) (string, error) {
	shown := make([]map[string]string, len(blocks))
	for i, b := range blocks {
		shown[i] = map[string]string{"title": b.Title, "text": b.Text}
	}
	labels := make([]string, len(choices))
	for i, c := range choices {
		labels[i] = c.Label
	}
	return digest(map[string]any{"title": title, "blocks": shown, "choices": labels})
}

func (r *Registry) checkNotice(n Notice, name string, report func(string, ...any)) {
	p, ok := r.Purpose(n.Purpose)
	if !ok {
		report("notice %s: purpose %q is not declared", name, n.Purpose)
	}
	if n.ID == "" || n.Version <= 0 || n.Lang == "" || n.Title == "" || len(n.Jurisdictions) == 0 {
		report("notice %s needs id, version, lang, title and jurisdictions", name)
	}
	if n.Dir != "ltr" && n.Dir != "rtl" {
		report("notice %s: dir is %q: write ltr or rtl", name, n.Dir)
	}
	if n.TermDays != p.TermDays {
		report("notice %s promises a term of %d days, the purpose has %d", name, n.TermDays, p.TermDays)
	}
	n.checkBlocks(name, report)
	n.checkTexts(name, report)
	for _, id := range n.Jurisdictions {
		j, ok := r.Jurisdiction(id)
		if !ok {
			report("notice %s: jurisdiction %q is not declared", name, id)
		}
		if j.MaxTermDays < n.TermDays {
			report("notice %s promises a term of %d days, and %s allows %d", name, n.TermDays, id, j.MaxTermDays)
		}
		n.checkCovers(append(slices.Clone(usualDuties), j.Covers...), name+" in "+id, report)
	}
}

func (n Notice) checkBlocks(name string, report func(string, ...any)) {
	var keys []string
	for _, b := range n.Blocks {
		keys = append(keys, b.Key)
		if strings.TrimSpace(b.Title) == "" || strings.TrimSpace(b.Text) == "" {
			report("notice %s: block %s has no title or no text", name, b.Key)
		}
	}
	if !slices.Equal(keys, blockKeys) {
		report("notice %s has the blocks %v: it needs %v, in this order", name, keys, blockKeys)
	}
}

func (n Notice) checkTexts(name string, report func(string, ...any)) {
	for _, c := range choices {
		if strings.TrimSpace(n.Choices[c]) == "" {
			report("notice %s: the label of choice %s is missing", name, c)
		}
	}
	for _, k := range indicatorKeys {
		if n.Texts.Indicator[k] == "" {
			report("notice %s: the indicator's text for %s is missing", name, k)
		}
	}
	for _, k := range endReasons {
		if n.Texts.Ends[k] == "" {
			report("notice %s: the text for the end %s is missing", name, k)
		}
	}
}

func (n Notice) checkCovers(duties []string, name string, report func(string, ...any)) {
	for _, d := range duties {
		covered := slices.ContainsFunc(n.Blocks, func(b Block) bool { return slices.Contains(b.Covers, d) })
		if !covered {
			report("notice %s does not cover %s: say it in a block, and list it there under covers", name, d)
		}
	}
}
