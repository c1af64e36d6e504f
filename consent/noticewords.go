// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// What the words of a notice in force are held to, beyond its parts: that they can be read in their direction, that they name
// the controller, that a no is a no, and that no length of time is told which is not so.

type sayFunc = func(part, says, law, remedy string)

// rightToLeft are the scripts that are written so.
var rightToLeft = []*unicode.RangeTable{unicode.Arabic, unicode.Hebrew, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Adlam}

// direction holds dir to the letters that the text is written in, whatever its lang says.
func (s noticeSheet) direction(say sayFunc) {
	text := s.Title
	for _, b := range s.Blocks {
		text += b.Title + b.Text
	}
	letters, right := 0, 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			letters++
		}
		if unicode.In(r, rightToLeft...) {
			right++
		}
	}
	written := "ltr"
	if right > letters/2 {
		written = "rtl"
	}
	if (s.Dir == "ltr" || s.Dir == "rtl") && letters > 0 && s.Dir != written {
		say("dir", fmt.Sprintf("is %s, and the text is written in letters that run the other way: lines and buttons would stand in the wrong order", s.Dir), "GDPR 12(1)", "Write dir: "+written)
	}
}

// named holds the part about who asks to the controller of the registry.
func (c *checker) named(s noticeSheet, say sayFunc) {
	who := c.reg.Controller
	names := []string{who.Name}
	if own := who.Names[base(s.Lang)]; own != "" {
		names = append(names, own)
	}
	i := slices.IndexFunc(s.Blocks, func(b Block) bool { return b.Key == "who" })
	if i < 0 || !filled(who.Name) {
		return
	}
	text := oneSpaced(s.Blocks[i].Title + " " + s.Blocks[i].Text)
	if !slices.ContainsFunc(names, func(n string) bool { return strings.Contains(text, oneSpaced(n)) }) {
		say("who", fmt.Sprintf("does not name the controller: %q is not in it", names[len(names)-1]), "GDPR 13(1)(a); PIPL 17(1)",
			fmt.Sprintf("Write the name as in registry.json; if it goes by another one in this language, write that under controller.names as %q", base(s.Lang)))
	}
}

// base is a language without its region: zh of zh-Hant-TW.
func base(lang string) string {
	b, _, _ := strings.Cut(strings.ToLower(lang), "-")
	return b
}

func oneSpaced(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// postponing are words that make an answer a later one. Not now has an answer of its own.
var postponing = strings.Fields(`later maybe perhaps now soon remind reminder tomorrow skip postpone next yet snooze
	以后 稍后 暂不 暂时 也许 可能 下次 再说 考虑 改天 لاحقا ربما الان غدا ذكرني تخطي
	später vielleicht jetzt nachher erinnern morgen überspringen tard peut maintenant plustard rappeler ignorer passer
	tarde luego quizás quizá ahora recordar recordarme omitir dopo forse adesso ora ricordami salta depois talvez agora lembrar pular straks misschien nu overslaan`)

// refusing are the words by language of which one makes a plain no; a phrase is joined by "_". In languages that are not here,
// and for another wording, the registry declares the whole label (Registry.Refusals).
var refusing = map[string][]string{
	"en": strings.Fields(`no decline refuse reject deny disagree don't do_not`), "zh": strings.Fields(`不 否 不同意 拒绝 不允许 不要 不需要 不接受 不用`), "ar": strings.Fields(`لا ارفض رفض`),
	"de": strings.Fields(`nein ablehnen ablehne nicht`), "fr": strings.Fields(`non refuser refuse`), "es": strings.Fields(`no rechazar rechazo`), "it": strings.Fields(`no rifiuta rifiuto rifiutare`),
	"pt": strings.Fields(`não recusar recuso`), "nl": strings.Fields(`nee weigeren weiger niet`), "pl": strings.Fields(`nie odmawiam odrzuć`), "sv": strings.Fields(`nej neka avböj`),
	"da": strings.Fields(`nej afvis`), "nb": strings.Fields(`nei avslå`), "fi": strings.Fields(`ei en hylkää`), "cs": strings.Fields(`ne odmítnout`), "hu": strings.Fields(`nem elutasítom`),
	"tr": strings.Fields(`hayır reddet`), "ru": strings.Fields(`нет отказаться`), "uk": strings.Fields(`ні відмовитися`), "el": strings.Fields(`όχι`), "he": strings.Fields(`לא`),
	"ja": strings.Fields(`いいえ 拒否 同意しない 許可しない`), "ko": strings.Fields(`아니요 거부`),
}

// plainNo holds the word for no to being one: the refusal that an app offers beside a yes may be neither a postponement nor a riddle.
func (c *checker) plainNo(s noticeSheet, say sayFunc) {
	label := s.Choices[No]
	if !filled(label) {
		return // which is said already
	}
	const law = "GDPR 4(11), 7(3); EDPB 05/2020; PIPL 15"
	if w := saysOneOf(label, postponing); w != "" {
		say("choices no", fmt.Sprintf("says %q: that puts the question off, and a shopper must be able to say no", w), law, "Write a plain no, and leave the postponement to - not_now:")
		return
	}
	declared := slices.ContainsFunc(c.reg.Refusals[base(s.Lang)], func(x string) bool { return oneSpaced(x) == oneSpaced(label) })
	if !declared && saysOneOf(label, refusing[base(s.Lang)]) == "" {
		say("choices no", fmt.Sprintf("%q is not known as a plain no in %q", label, s.Lang), law,
			fmt.Sprintf(`Write one, such as %s; or, if a lawyer finds that this is as plain, declare it in registry.json: "refusals": {"%s": [%q]}`,
				example(refusing[base(s.Lang)]), base(s.Lang), label))
	}
}

func example(words []string) string {
	if len(words) == 0 {
		words = refusing["en"]
	}
	return fmt.Sprintf("%q", strings.ReplaceAll(words[0], "_", " "))
}

// saysOneOf is the first of the words that a label has in it, whole, or anywhere in scripts without spaces.
func saysOneOf(label string, words []string) string {
	text := " " + strings.Join(strings.FieldsFunc(plainText(strings.ReplaceAll(label, "’", "'")), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '\''
	}), " ") + " "
	for _, w := range words {
		word := strings.ReplaceAll(w, "_", " ")
		if strings.Contains(text, " "+word+" ") || len([]rune(word)) > 1 && unicode.In([]rune(word)[0], unicode.Han, unicode.Hiragana, unicode.Hangul) && strings.Contains(text, word) {
			return word
		}
	}
	return ""
}

// refusals holds what is declared as a plain no to not being a postponement.
func (c *checker) refusals() {
	for _, lang := range sortedKeys(c.reg.Refusals) {
		for _, label := range c.reg.Refusals[lang] {
			if w := saysOneOf(label, postponing); w != "" || !filled(label) {
				c.report("refusals."+lang, fmt.Sprintf("%q says %q: that puts the question off", label, w), "GDPR 4(11); EDPB 05/2020", "Take it out: a no is no later")
			}
		}
	}
}

// told is a length of time that is so, and what of.
type told struct {
	what string
	span time.Duration
}

// lengths holds every length of time that a notice says to those that are so: in the answers to the term and the visit that they
// grant, in the part on retention to what is kept. Elsewhere it may be about something else, and is a warning.
func (c *checker) lengths(s noticeSheet, p Purpose, say, warn sayFunc) {
	const law = "GDPR 5(1)(a), 13(2)(a); PIPL 17(2)"
	c.granted(s, p, say, warn)
	kept := c.keptBy(s)
	so := append(slices.Clone(kept), told{"a yes", days(p.TermDays)}, told{"a visit", time.Duration(p.VisitHours) * time.Hour},
		told{"the pocket", time.Duration(p.PocketMinutes) * time.Minute}, told{"a window of counts", CountWindow})
	for _, b := range s.Blocks {
		for _, x := range spokenIn(b.Title + ". " + b.Text) {
			if slices.ContainsFunc(so, func(t told) bool { return x.means(t.span) }) {
				continue
			}
			if b.Key == "retention" {
				say(b.Key, fmt.Sprintf("says %q, and nothing that this notice is about is kept so long", x.words), law, "Write what is so: "+listed(kept))
			} else {
				warn(b.Key, fmt.Sprintf("says %q, which is no length of time in the registry", x.words), law, "See that it is neither about how long data are kept nor about how long a yes holds")
			}
		}
		if b.Key == "retention" {
			c.untold(b, kept, warn)
		}
	}
}

// granted holds the labels of the two yeses to what they grant.
func (c *checker) granted(s noticeSheet, p Purpose, say, warn sayFunc) {
	const law = "GDPR 4(11), 13(2)(a)"
	for choice, is := range map[Choice]time.Duration{ForATerm: days(p.TermDays), ThisVisit: time.Duration(p.VisitHours) * time.Hour} {
		part, found := "choices "+string(choice), spokenIn(s.Choices[choice])
		for _, x := range found {
			if !x.means(is) {
				say(part, fmt.Sprintf("says %q, and the registry grants %s", x.words, isoSpan(is)), law, "Write the time that is granted, or change the purpose's term_days or visit_hours to what is written")
			}
		}
		if choice == ForATerm && len(found) == 0 && filled(s.Choices[choice]) {
			warn(part, fmt.Sprintf("says no length of time that could be read, and grants %s", isoSpan(is)), law, "Write how long the yes holds, such as 6 months")
		}
	}
}

// untold warns of what is kept and not told of. A part in which nothing can be read is left to whoever can read it.
func (c *checker) untold(b Block, kept []told, warn sayFunc) {
	found := spokenIn(b.Text)
	if len(found) == 0 && filled(b.Text) {
		warn(b.Key, "says no length of time that could be read", "GDPR 13(2)(a); PIPL 17(2)", "See that it tells: "+listed(kept))
		return
	}
	for _, k := range kept {
		if filled(b.Text) && !slices.ContainsFunc(found, func(x spoken) bool { return x.means(k.span) }) {
			warn(b.Key, fmt.Sprintf("does not say that %s is kept for %s", k.what, isoSpan(k.span)), "GDPR 13(2)(a); PIPL 17(2)", "Write it")
		}
	}
}

// keptBy is what is kept of who agrees to a notice: the data that it names, the visit, who looked, and the decision itself.
func (c *checker) keptBy(s noticeSheet) (list []told) {
	for _, id := range s.Data {
		if d, ok := c.reg.dataType(id); ok {
			if span, err := parseRetention(d.Retention); err == nil {
				list = append(list, told{id, span})
			}
		}
	}
	return append(list, slices.DeleteFunc(c.reg.beside(), func(k told) bool { return k.what == "disclosures" || k.what == "erasures" })...) // which are nobody's
}

func listed(kept []told) string {
	var out []string
	for _, k := range kept {
		out = append(out, k.what+" "+isoSpan(k.span))
	}
	return strings.Join(out, ", ")
}
