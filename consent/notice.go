// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"slices"
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
	TermDays      int               `json:"term_days"`  // what the label of "term" promises; must equal the purpose's
	Data          []string          `json:"data"`       // ids of the data types that it asks for
	Recipients    []string          `json:"recipients"` // ids of the recipients that it names
	Blocks        []Block           `json:"blocks"`
	Choices       map[Choice]string `json:"choices"`
	Texts         Texts             `json:"texts"`
	Hash          string            `json:"-"` // SHA-256 of the canonical form of all the above, hex
	file          string            // it came from; empty when it was published to a running server
}

// Name is how messages call it: id@version/language.
func (n Notice) Name() string { return fmt.Sprintf("%s@%d/%s", n.ID, n.Version, n.Lang) }

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

var indicatorKeys = []string{"off", "starting", "on", "seen", "hidden", "reconnecting"}

// endReasons are all the ways in which a session can end, the fence's among them.
var endReasons = []Reason{
	Withdrawn, Revoked, Expired, Superseded, Erased, Replaced, MapChanged, Lost, Bye, OffDuty,
	"left_store", "silent", "store_closed", "phone_outside",
}

var choices = []Choice{ThisVisit, ForATerm, No, NotNow}

// Grants reports whether it is a yes, of either length.
func (c Choice) Grants() bool { return c == ThisVisit || c == ForATerm }

// ComputeHash is what Hash must be for what the notice says.
func (n Notice) ComputeHash() (string, error) { return digest(n) }

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
