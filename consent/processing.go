// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"strings"
	"time"
)

// recordPart is one item of the record of processing.
type recordPart struct {
	Item  string   `json:"item"` // of GDPR 30(1), or 35
	Head  string   `json:"head"`
	Lines []string `json:"lines"`
}

// ProcessingRecord is the record of processing activities that GDPR 30(1) wants of a controller, made from the
// registry (brief, 43). It is told in English and in the languages of PageLangs.
type ProcessingRecord struct {
	Controller Controller   `json:"controller"`
	Parts      []recordPart `json:"parts"`
	reg        *Registry
	lang       string
}

// measures are what this program does by itself (30(1)(g)).
var measures = []string{
	"Positions are held in memory for thirty seconds at most and never written to a disk.",
	"Identifiers of shoppers and phones are keyed hashes; the keys lie outside the database and are destroyed at erasure.",
	"Every consent event is in a tamper-evident log; every look at a position is in a journal first, which the shopper can read.",
	"Staff see a position only in their own store, with an open request that they took up.",
	"A withdrawal is answered once it is true on every server and every screen.",
}

// signInLife is how long somebody of the staff is signed in at most: their token's life (auth.StaffLife).
const signInLife = 12 * time.Hour

// atWork is what is kept of those who work with the program. It is told in English.
var atWork = []struct {
	what string
	span time.Duration
}{
	{"Staff: who is signed in at a page, and on a shared device the hash of a PIN, sealed, until the shift ends", signInLife},
	{"Staff: which shift looked at whom or was refused it, by pseudonym", JournalLife},
	{"Administrators: who changed a store, published a notice, let an app in again, or decided on a hold or a disclosure, by pseudonym", AuditLife},
}

// ProcessingRecord makes the record in one of PageLangs. Measures, and what is kept of those at work, are told in English.
func (r *Registry) ProcessingRecord(lang string) ProcessingRecord {
	p := r.page(lang, "record_title")
	var purposes, data, recipients, limits, stores []string
	for _, x := range r.Purposes {
		purposes = append(purposes, fmt.Sprintf("%s (%s)", p.title(x.Title), x.ID))
	}
	data = append(data, "Shoppers who agreed in the app")
	for _, d := range r.DataTypes {
		data = append(data, fmt.Sprintf("%s (%s)", p.title(d.Title), d.ID))
		limits = append(limits, p.title(d.Title)+": "+p.span(d.Retention))
	}
	for _, k := range p.beside() {
		data = append(data, k.Title)
		limits = append(limits, k.Title+": "+k.Kept)
	}
	for _, x := range atWork {
		data = append(data, x.what)
		limits = append(limits, x.what+": "+p.span(isoSpan(x.span)))
	}
	for _, x := range r.Recipients {
		recipients = append(recipients, p.title(x.Title))
	}
	for _, s := range r.Stores {
		stores = append(stores, fmt.Sprintf("%s, %s: %s, %s – %s", s.Store, s.Jurisdiction, s.Assessment.Reference, s.Assessment.Date, s.Assessment.KeptUntil))
	}
	c := r.Controller
	out := ProcessingRecord{Controller: c, reg: r, lang: lang}
	for _, part := range []struct {
		item  string
		lines []string
	}{
		{"a", []string{c.Name, c.Contact, c.ID}}, {"b", purposes}, {"c", data}, {"d", recipients},
		{"e", []string{"Kept at: " + strings.Join(r.Storage, ", ") + ". The registry declares no transfer elsewhere."}}, {"f", limits}, {"g", measures}, {"h", stores},
	} {
		out.Parts = append(out.Parts, recordPart{part.item, p.W["r_"+part.item], part.lines})
	}
	return out
}

// Markdown is the record as text that can be pasted anywhere.
func (p ProcessingRecord) Markdown() string {
	var b strings.Builder
	w := pageWords()[p.lang]
	fmt.Fprintf(&b, "# %s – %s\n\n%s\n", w["record_title"], p.Controller.Name, w["rlead"])
	for _, part := range p.Parts {
		fmt.Fprintf(&b, "\n## %s\n\n", part.Head)
		for _, line := range part.Lines {
			fmt.Fprintf(&b, "- %s\n", line)
		}
	}
	return b.String()
}

// HTML is the record as a page.
func (p ProcessingRecord) HTML() ([]byte, error) {
	x := p.reg.page(p.lang, "record_title")
	x.Record = p.Parts
	return x.render("record")
}
