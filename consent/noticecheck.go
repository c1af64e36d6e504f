// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// notice holds one notice to its duties. One that has been replaced is only held to its form: what it
// promised is past, and it is kept because grants were given under it.
func (c *checker) notice(s noticeSheet) {
	say := func(part, says, law, remedy string) {
		c.found = append(c.found, Finding{File: s.file, Line: s.line(part), Field: part, Says: says, Law: law, Remedy: remedy})
	}
	need := func(ok bool, part, law, remedy string) {
		if !ok {
			say(part, "is missing", law, remedy)
		}
	}
	const form = "ISO/IEC TS 27560"
	need(filled(s.ID), "id", form, "Write id: and a short name in the head")
	if s.Version < 0 {
		say("version", fmt.Sprintf("%d is no version", s.Version), form, "Write version: 1 in the head, and a higher number for each edit")
	}
	need(s.Version != 0, "version", form, "Write version: 1 in the head, and a higher number for each edit")
	need(filled(s.Lang), "lang", "GDPR 12(1)", "Write lang: en in the head")
	need(filled(s.Title), "title", "GDPR 12(1)", "Write a line # and the title")
	need(len(s.Jurisdictions) > 0, "jurisdictions", "GDPR 13", "Write where it is shown, such as jurisdictions: eu, gb")
	if s.Dir != "ltr" && s.Dir != "rtl" {
		say("dir", fmt.Sprintf("%q is no direction of writing", s.Dir), "GDPR 12(1)", "Write ltr, or rtl for Arabic and Hebrew")
	}
	if c.count(s.Name()) > 1 {
		say("version", "the notice "+s.Name()+" is there twice", "ISO/IEC TS 27560", "Give the edited one a new number: a version never changes")
	}
	s.parts(say, need)
	if len(s.found) > 0 || c.reg.inForce(s.Notice) || s.Notice.file != "" && c.unplaced(s.Notice) {
		c.promises(s, say)
		s.words(say)
		s.direction(say)
		c.named(s, say)
		c.plainNo(s, say)
		if p, ok := c.reg.Purpose(s.Purpose); ok {
			c.lengths(s, p, say, func(part, says, law, remedy string) {
				say(part, says, law, remedy)
				c.found[len(c.found)-1].Warning = true
			})
		}
	}
}

func (c *checker) count(name string) (n int) {
	for _, x := range c.reg.notices {
		if x.Name() == name {
			n++
		}
	}
	return n
}

// unplaced reports a notice that no declared purpose or jurisdiction has a place for.
func (c *checker) unplaced(n Notice) bool {
	_, ok := c.reg.Purpose(n.Purpose)
	return !ok || !slices.ContainsFunc(n.Jurisdictions, func(id string) bool { _, ok := c.reg.Jurisdiction(id); return ok && id != "" })
}

// parts holds a notice to its form: nine blocks, four answers, and what the app says while and after.
func (s noticeSheet) parts(say func(part, says, law, remedy string), need func(ok bool, part, law, remedy string)) {
	var keys []string
	for _, b := range s.Blocks {
		keys = append(keys, b.Key)
		need(filled(b.Title), b.Key, "GDPR 12(1)", "Write a heading before {#"+b.Key+"}")
		need(filled(b.Text), b.Key, "GDPR 12(1)", "Write the text of this part below its heading")
		for _, l := range b.Links {
			if u, err := url.Parse(l.Href); err != nil || u.Scheme != "https" {
				say(b.Key, fmt.Sprintf("the link %q is not an https address", l.Href), "", "Write the whole address, https:// included")
			}
		}
	}
	for _, k := range blockKeys {
		if !slices.Contains(keys, k) {
			say(k, "this part is missing", blockLaw(k), "Write a heading that ends with {#"+k+"}, and its text")
		}
	}
	if len(keys) == len(blockKeys) && !slices.Equal(keys, blockKeys) {
		say(keys[0], "the parts are in another order", "GDPR 12(1)", "Put them in this order: "+strings.Join(blockKeys, ", "))
	}
	for _, k := range keys {
		if !slices.Contains(blockKeys, k) {
			say(k, "is not a part of a notice", "", "Use these: "+strings.Join(blockKeys, ", "))
		}
	}
	for _, k := range choices {
		law := "GDPR 4(11), 7(3); EDPB 05/2020"
		need(filled(s.Choices[k]), "choices "+string(k), law, "Write - "+string(k)+": and its label below {#choices}: a yes is never offered without a no of equal rank")
		for _, other := range choices {
			if other < k && filled(s.Choices[k]) && s.Choices[other] == s.Choices[k] {
				say("choices "+string(k), fmt.Sprintf("has the label of %s", other), law, "Give each answer words of its own")
			}
		}
	}
	for _, k := range indicatorKeys {
		need(filled(s.Texts.Indicator[k]), "indicator "+k, "GDPR 5(1)(a)", "Write - "+k+": and what the app shows then, below {#indicator}")
	}
	for _, k := range endReasons {
		need(filled(s.Texts.Ends[k]), "ends "+string(k), "GDPR 5(1)(a)", "Write - "+string(k)+": and what the app says then, below {#ends}")
	}
}

func blockLaw(key string) string {
	var laws []string
	for _, d := range duties {
		if d.block == key {
			laws = append(laws, d.law)
		}
	}
	return strings.Join(laws, "; ")
}

// promises holds a notice against the registry and the law of each place in which it is served.
func (c *checker) promises(s noticeSheet, say func(part, says, law, remedy string)) {
	p, ok := c.reg.Purpose(s.Purpose)
	if !ok {
		say("purpose", fmt.Sprintf("%q is not declared", s.Purpose), "GDPR 13(1)(c)", "Declare the purpose in registry.json, or write one that is declared")
		return
	}
	if s.TermDays != p.TermDays {
		say("term_days", fmt.Sprintf("promises a term of %d days, and the purpose has %d", s.TermDays, p.TermDays), "GDPR 13(2)(a)", "Write the same number in both, and the same time in the label of - term:")
	}
	if len(s.Data) == 0 {
		say("data", "is missing", "PIPL 17(2)", "Write which data types it asks for: "+strings.Join(p.Data, ", "))
	}
	for _, d := range s.Data {
		if !slices.Contains(p.Data, d) {
			say("data", fmt.Sprintf("%q is not among the data types of %s", d, p.ID), "GDPR 5(1)(b); PIPL 14", "Take it out, or declare it for the purpose")
		}
	}
	for _, x := range p.Recipients {
		if !slices.Contains(s.Recipients, x) {
			say("recipients", fmt.Sprintf("does not name %q, who sees the data for %s", x, p.ID), "GDPR 13(1)(e); PIPL 23", "Write recipients: "+strings.Join(p.Recipients, ", ")+", and say it in the text")
		}
	}
	for _, x := range s.Recipients {
		if !slices.Contains(p.Recipients, x) {
			say("recipients", fmt.Sprintf("%q is not a recipient of %s", x, p.ID), "GDPR 13(1)(e)", "Take it out, or declare it for the purpose")
		}
	}
	for _, id := range s.Jurisdictions {
		j, ok := find(c.reg.Jurisdictions, func(j Jurisdiction) bool { return j.ID == id })
		if !ok {
			say("jurisdictions", fmt.Sprintf("%q is not declared", id), "", "Declare it in registry.json, or take it out")
			continue
		}
		if j.MaxTermDays < s.TermDays {
			say("term_days", fmt.Sprintf("promises a term of %d days, and %s allows %d", s.TermDays, id, j.MaxTermDays), "CNIL 2020-092", "Shorten the term")
		}
	}
	c.duties(s, say)
}

// duties reports what the notice does not tell, each once, with all the places that want it.
func (c *checker) duties(s noticeSheet, say func(part, says, law, remedy string)) {
	for _, d := range duties {
		var where []string
		for _, id := range s.Jurisdictions {
			j, _ := c.reg.Jurisdiction(id)
			if slices.ContainsFunc(j.dutiesIn(), func(x duty) bool { return x.id == d.id }) {
				where = append(where, id)
			}
		}
		told := slices.ContainsFunc(s.Blocks, func(b Block) bool { return slices.Contains(b.Covers, d.id) && filled(b.Text) })
		if !told && len(where) > 0 {
			say(d.block, fmt.Sprintf("nothing in %s covers %s, for %s", s.Name(), d.id, strings.Join(where, ", ")), d.law,
				d.write+fmt.Sprintf(`, and add it to the heading: {#%s covers="%s"}`, d.block, d.id))
		}
	}
	contact := c.reg.Controller.Contact
	if i := slices.IndexFunc(s.Blocks, func(b Block) bool { return b.Key == "who" }); i >= 0 && contact != "" && !strings.Contains(s.Blocks[i].Text, contact) {
		say("who", fmt.Sprintf("does not say how to reach the controller: %s is not in it", contact), "GDPR 13(1)(a); PIPL 17(1)", "Write the controller's contact as in registry.json")
	}
}

// words looks for what must not be said: a price on consent, and a pause in place of an end.
func (s noticeSheet) words(say func(part, says, law, remedy string)) {
	texts := map[string]string{"title": s.Title}
	for _, b := range s.Blocks {
		texts[b.Key] = b.Title + " " + b.Text
	}
	for k, v := range s.Choices {
		texts["choices "+string(k)] = v
	}
	for _, part := range sortedKeys(texts) {
		if w := foundWord(texts[part], rewardWords); w != "" {
			say(part, fmt.Sprintf("speaks of a %q: neither price nor reward may hang on consent", w), "GDPR 7(4); PIPL 16; CCPA 1798.125", "Take it out")
		}
	}
	for _, b := range s.Blocks {
		if w := foundWord(b.Text, pauseWords); w != "" && b.Key == "withdrawal" && foundWord(b.Text, stopWords) == "" {
			say(b.Key, fmt.Sprintf("offers a %q where it has to offer an end", w), "GDPR 7(3); PIPL 15", "Write how to stop for good")
		}
	}
}
