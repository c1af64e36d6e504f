// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf16"

	"doorstep/consent"
)

var (
	notices = []string{"assist.ar", "assist.en", "assist.zh", "pickup.ar", "pickup.en", "pickup.zh"}
	blocks  = []string{"who", "what", "why", "readers", "retention", "storage", "rights", "withdrawal", "effects"}
)

// laws that a finding about each duty names, and where the duty stands in the example.
var duties = map[string]struct{ law, block string }{
	"controller": {"GDPR 13(1)(a)", "who"}, "data": {"PIPL 17(2)", "what"}, "purposes": {"GDPR 13(1)(c)", "why"}, "recipients": {"GDPR 13(1)(e)", "readers"},
	"retention": {"GDPR 13(2)(a)", "retention"}, "rights": {"GDPR 13(2)(b)", "rights"}, "withdrawal": {"GDPR 7(3)", "withdrawal"},
	"authority": {"GDPR 13(2)(d)", "rights"}, "necessity": {"PIPL 30", "why"}, "effects": {"PIPL 30", "effects"},
}

// edit is the example with one file changed; old must be in it.
func edit(t *testing.T, file string, change func(text string) string) fstest.MapFS {
	t.Helper()
	files := maps.Clone(devFiles(t))
	before := string(files[file].Data)
	after := change(before)
	if before == after {
		t.Fatalf("%s: nothing was changed", file)
	}
	files[file] = &fstest.MapFile{Data: []byte(after)}
	return files
}

// lineOf is the number of the first line that has text in it.
func lineOf(t *testing.T, files fstest.MapFS, file, text string) int {
	t.Helper()
	for i, line := range strings.Split(string(files[file].Data), "\n") {
		if strings.Contains(line, text) {
			return i + 1
		}
	}
	t.Fatalf("%s: %q is not in it", file, text)
	return 0
}

// refused loads the files and returns the one finding, in the family of what cannot be accepted.
func refused(t *testing.T, files fstest.MapFS) []consent.Finding {
	t.Helper()
	_, err := consent.LoadRegistry(files)
	if !errors.Is(err, consent.ErrRegistry) || !errors.Is(err, consent.ErrInvalid) {
		t.Fatalf("it is accepted: %v", err)
	}
	found := consent.Findings(err)
	for _, f := range found {
		if f.File == "" || f.Says == "" || len(f.Remedy) < 8 || strings.HasSuffix(f.Remedy, ".") {
			t.Errorf("a finding that helps nobody: %+v", f)
		}
	}
	return found
}

// Each duty taken out of each notice is found, and the finding names the file, the line, the duty, the law
// and what to write (brief, 12).
func TestEachDutyIsMissed(t *testing.T) {
	for _, notice := range notices {
		for id, want := range duties {
			t.Run(notice+" "+id, func(t *testing.T) {
				file := "notices/" + notice + ".md"
				covers := regexp.MustCompile(`(\{#` + want.block + `) covers="([^"]*)"`)
				files := edit(t, file, func(text string) string {
					return covers.ReplaceAllStringFunc(text, func(head string) string {
						m := covers.FindStringSubmatch(head)
						rest := slices.DeleteFunc(strings.Split(m[2], ", "), func(d string) bool { return d == id })
						return m[1] + ` covers="` + strings.Join(rest, ", ") + `"`
					})
				})
				found := refused(t, files)
				if len(found) != 1 {
					t.Fatalf("%d findings: %v", len(found), found)
				}
				f := found[0]
				if f.File != file || f.Line != lineOf(t, files, file, "{#"+want.block) || f.Field != want.block ||
					!strings.Contains(f.Says, "covers "+id) || !strings.Contains(f.Law, want.law) || !strings.HasPrefix(f.Remedy, "Write ") {
					t.Errorf("%s", f)
				}
				if want.law == "PIPL 30" && !strings.HasSuffix(f.Says, "for cn") {
					t.Errorf("it is a duty in China only: %s", f.Says)
				}
			})
		}
	}
}

// Each part and each answer taken out of each notice is found.
func TestEachPartIsMissed(t *testing.T) {
	for _, notice := range notices[:3] { // one in each language

		file := "notices/" + notice + ".md"
		for _, block := range blocks {
			part := regexp.MustCompile(`(?s)## [^\n]*\{#` + block + `[ }].*?\n(## )`)
			files := edit(t, file, func(text string) string { return part.ReplaceAllString(text, "$1") })
			if !slices.ContainsFunc(refused(t, files), func(f consent.Finding) bool { return f.File == file && f.Field == block }) {
				t.Errorf("%s without %s is not found", file, block)
			}
			empty := regexp.MustCompile(`(?s)(## [^\n]*\{#` + block + `[^\n]*\n).*?\n(## )`)
			files = edit(t, file, func(text string) string { return empty.ReplaceAllString(text, "$1$2") })
			if !slices.ContainsFunc(refused(t, files), func(f consent.Finding) bool { return f.File == file && f.Field == block && f.Says == "is missing" }) {
				t.Errorf("%s with nothing under %s is not found", file, block)
			}
		}
		for _, entry := range []string{"visit", "term", "no", "not_now", "off", "seen", "hidden", "withdrawn", "left_store", "erased"} {
			line := regexp.MustCompile(`(?m)^- ` + entry + `: .*\n`)
			files := edit(t, file, func(text string) string { return line.ReplaceAllString(text, "") })
			found := refused(t, files)
			if len(found) != 1 || found[0].File != file || !strings.HasSuffix(found[0].Field, " "+entry) {
				t.Errorf("%s without - %s: %v", file, entry, found)
			}
		}
	}
}

// What else is wrong with a registry, and what is said about it.
func TestWhatARegistryIsRefusedFor(t *testing.T) {
	const reg, en = "registry.json", "notices/assist.en.md"
	for _, c := range []struct{ file, old, new, says string }{
		{reg, `"contact": "privacy@harbour-street.example"`, `"contact": ""`, `controller.contact: is missing (GDPR 13(1)(a)`},
		{reg, `"id": "https://harbour`, `"id": "harbour`, "controller.id: is missing"},
		{reg, `"id": "https://harbour`, `"id": "javascript:harbour`, "controller.id: is missing"},
		{reg, `"eu"`, `"xx"`, `default_jurisdiction: "eu" is not among`},
		{reg, `"min_age": 16`, `"min_age": 12`, "jurisdictions eu min_age: 12 is too young here (GDPR 8(1))"},
		{reg, `"min_age": 14`, `"min_age": 13`, "jurisdictions cn min_age: 13 is too young here (PIPL 28, 30, 31)"},
		{reg, `"quiet_refused_days": 183`, `"quiet_refused_days": 182`, "182 days are too few after a no"},
		{reg, `"quiet_refused_days": 365`, `"quiet_refused_days": 364`, "jurisdictions us-ca quiet_refused_days: 364 days are too few"},
		{reg, `"quiet_deferred_days": 1`, `"quiet_deferred_days": 0`, "quiet_deferred_days: is missing"},
		{reg, `"max_term_days": 183`, `"max_term_days": 397`, "397 is not between 1 and 396"},
		{reg, `"authority": "https://ico`, `"authority": "ico`, "jurisdictions gb authority: is missing (GDPR 13(2)(d)"},
		{reg, `"bans_health_geofence": true`, `"bans_health_geofence": false`, "jurisdictions us-wa bans_health_geofence: must be true here"},
		{reg, `"covers": [
    "necessity",`, `"covers": [
    "neccessity",`, `"neccessity" is no duty`},
		{reg, `"proof_days": 1096`, `"proof_days": 0`, "proof_days: is missing (GDPR 7(1)"},
		{reg, `"proof_days": 1096`, `"proof_days": 30`, "proof_days: 30 days are fewer than the"},
		{reg, `"proof_days": 1096`, `"proof_days": 272`, "proof_days: 272 days are fewer than 273: in "},
		{reg, `"this store's own server"`, ``, "storage_locations: is missing"},
		{reg, `"withdrawal_method": "one tap`, `"withdrawal_method": "", "x": "one tap`, `"x" is not a member`},
		{reg, `"id": "zone"`, `"id": "area"`, `purposes assist data: data type "zone" is not declared`},
		{reg, `"id": "pickup_staff"`, `"id": "others"`, `recipient "pickup_staff" is not declared`},
		{reg, `"id": "pickup_staff"`, `"id": "staff"`, `recipients staff: "staff" is there twice`},
		{reg, `"retention": "PT30S"`, `"retention": "PT60S"`, "says PT60S, and this server keeps lat for PT30S"},
		{reg, `"retention": "P1D"`, `"retention": "a day"`, `"a day" is no length of time`},
		{reg, `"retention": "P1D"`, `"retention": "P1Y"`, `"P1Y" counts in years, months or weeks`},
		{reg, `"retention": "P1D"`, `"retention": "PT0S"`, `"PT0S" is no length of time`},
		{reg, `"retention": "P1D"`, `"retention": "PT25H"`, "says PT25H, and this server keeps topic for P1D: its AlertLife, which is built in"},
		{reg, `"retention": "P28D"`, `"retention": "PT15M"`, "data_types zone_count retention: says PT15M, and this server keeps zone_count for P28D: its CountsLife, which is built in (GDPR 13(2)(a)"},
		{reg, `"fields": [],
   "retention": "PT30S"`, `"fields": [],
   "retention": "PT31S"`, "data_types zone retention: says PT31S, and this server keeps zone for PT30S: its PositionLife, which is built in"},
		{reg, `"fields": [
    "kind",
    "ref"
   ]`, `"fields": []`, `data_types booking fields: are none, and "booking" is nothing that this server makes by itself`},
		{reg, `"mocked"`, `"mac_address"`, `"mac_address" is a field that no frame of the protocol has`},
		{reg, `"zh": "店内位置"`, `"zh": ""`, "data_types position title.zh: is missing"},
		{reg, `"zh": "店内位置",`, ``, `data_types position title: the language "zh" is missing`},
		{reg, `"use": "assistance"`, `"use": "marketing"`, `purposes assist use: "marketing" is nothing that a shopper is helped with`},
		{reg, `"en": "Help from staff in the store"`, `"en": "Help and advertising"`, `says "advertising"`},
		{reg, `"zh": "店内员工协助"`, `"zh": "店内营销"`, `says "营销"`},
		{reg, `"visit_hours": 12`, `"visit_hours": 25`, "purposes assist visit_hours: 25 is not between 1 and 24"},
		{reg, `"visit_hours": 12`, `"default": true, "visit_hours": 12`, `purposes assist default: "default" is not a member of this object`},
		{reg, `"visit_hours": 12`, `"reward": "5 %", "visit_hours": 12`, `"reward" is not a member`},
		{reg, `"pocket_minutes": 20`, `"pocket_minutes": 21`, "purposes pocket pocket_minutes: 21 is not between 1 and 20"},
		{reg, `"location": true`, `"location": true, "pocket_minutes": 5`, "purposes assist pocket_minutes: belongs to a decision of its own"},
		{reg, `"term_days": 183`, `"term_days": 30`, "promises a term of 183 days, and the purpose has 30"},
		{reg, `"max_term_days": 183`, `"max_term_days": 30`, "and eu allows 30"},
		{reg, `"store": "*"`, `"store": ""`, "stores[0].store: is missing"},
		{reg, `"jurisdiction": ""`, `"jurisdiction": "mars"`, `"mars" is not among the jurisdictions`},
		{reg, `"reference": "none`, `"reference": "", "x": "none`, `"x" is not a member`},
		{reg, `"date": "2000-01-01"`, `"date": "soon"`, `"soon" is no day (GDPR 35`},
		{reg, `"kept_until": "2099-12-31"`, `"kept_until": "2002-12-31"`, `is not three years after 2000-01-01 or later (PIPL 56)`},
		{reg, `"for_trying_only": "`, `"for_trying_only": "", "x": "`, `"x" is not a member`},
		{reg, `"location": true`, `"location": "yes"`, "purposes assist location: must be true or false"},
		{reg, `"visit_hours": 12`, `"visit_hours": 1.5`, "1.5 is not a whole number"},
		{reg, `"visit_hours": 12`, `"visit_hours": null`, "null is no value"},
		{reg, `{`, `{ 5`, "registry.json:1: not JSON: "},
		{reg, "\n}\n", "\n", "the file ends too early"},
		{reg, "\n}\n", "\n}\n{}", "something follows the closing brace"},
		{en, "dir: ltr", "dir: left", `"left" is no direction of writing`},
		{en, "lang: en", "lang: nl", `purposes assist title.en: there is no notice in "en" for eu (GDPR 12(1)`},
		{en, "jurisdictions: eu, ", "jurisdictions: ", `there is no notice in "en" for eu`},
		{en, "jurisdictions: eu, ", "jurisdictions: eu, mars, ", `jurisdictions: "mars" is not declared`},
		{en, "purpose: assist", "purpose: other", `purpose: "other" is not declared`},
		{en, "version: 1", "version: one", `version: "one" is not a whole number`},
		{en, "version: 1", "version: 1\nversion: 2", "version: is there twice"},
		{en, "version: 1", "version: 1\ndefault: visit", "default: is not a member of a notice: nothing is on by default"},
		{en, "data: position, ", "data: face, position, ", `data: "face" is not among the data types of assist`},
		{en, "data: position, zone, zone_count, request, booking\n", "", "data: is missing"},
		{en, "recipients: staff", "recipients: pickup_staff", `does not name "staff", who sees the data`},
		{en, "- no: No\n", "", "choices no: is missing (GDPR 4(11)"},
		{en, "- no: No\n", "- later: Later\n", "choices later: is not one of the answers: there are four, of equal rank"},
		{en, "- no: No\n", "- no: This visit\n", "choices visit: has the label of no"},
		{en, "- not_now: Not now\n", "- not_now: Not now\n- all: Accept all\n", "choices all: is not one of the answers"},
		{en, "as it is, at the same price", "as it is, with a voucher", `effects: speaks of a "voucher": neither price nor reward may hang on consent (GDPR 7(4)`},
		{"notices/assist.zh.md", "价格也不变", "并可获得优惠", `speaks of a "优惠"`},
		{en, "Tap Stop, at any time, without a reason. It also works with the stop code from any other phone.", "Tap Pause.", `withdrawal: offers a "pause" where it has to offer an end (GDPR 7(3)`},
		{en, "privacy@harbour-street.example", "our stores", "who: does not say how to reach the controller"},
		{en, "(https://globalprivacy", "(http://globalprivacy", "is not an https address"},
		{en, `{#who covers="controller"}`, ``, `the heading "Who asks" does not say which part it is`},
		{en, `{#who covers="controller"}`, `{#who covers="controler"}`, `covers names "controler", which is no duty`},
		{en, "---\n\n#", "\n\n#", "notices/assist.en.md:13: the head has no end before this line. Write --- on a line of its own above it"},
		{en, "---\nid", "id", "notices/assist.en.md:1: does not begin with ---"},
		{reg, `"term_days": 183`, `"term_days": -1`, "purposes assist term_days: -1 is no number of days (CNIL 2020-092)"},
		{reg, `"proof_days": 1096`, `"proof_days": -1`, "proof_days: -1 is no number of days"},
		{reg, `"quiet_deferred_days": 1`, `"quiet_deferred_days": -1`, "quiet_deferred_days: -1 is no number of days"},
		{en, "version: 1", "version: -1", "version: -1 is no version"},
		{reg, `"contact": "privacy`, "\"contact\": \"\xff", "registry.json: is not UTF-8 text"},
		{"notices/assist.ar.md", "dir: rtl", "dir: ltr", "dir: is ltr, and the text is written in letters that run the other way"},
		{"notices/assist.zh.md", "dir: ltr", "dir: rtl", "dir: is rtl, and the text is written in letters that run the other way"},
		{en, "- no: No\n", "- no: Maybe later\n", `choices no: says "later": that puts the question off`},
		{en, "- no: No\n", "- no: No, not now\n", `choices no: says "now": that puts the question off`},
		{en, "- no: No\n", "- no: Remind me\n", `choices no: says "remind": that puts the question off`},
		{en, "- no: No\n", "- no: Cancel\n", `choices no: "Cancel" is not known as a plain no in "en" (GDPR 4(11), 7(3)`},
		{"notices/assist.zh.md", "- no: 不同意", "- no: 以后再说", `choices no: says "以后"`},
		{"notices/assist.ar.md", "- no: لا", "- no: ربما", `choices no: says "ربما"`},
		{reg, `"proof_days": 1096`, `"refusals": {"en": ["Maybe later"]}, "proof_days": 1096`, `refusals.en: "Maybe later" says "later": that puts the question off`},
		{en, "- term: 6 months", "- term: 5 years", `choices term: says "5 years", and the registry grants P183D (GDPR 4(11)`},
		{en, "- term: 6 months", "- term: Half a year, or two years", `choices term: says "two years"`},
		{en, "- visit: This visit", "- visit: 2 days", `choices visit: says "2 days", and the registry grants PT43200S`},
		{"notices/assist.zh.md", "- term: 6 个月", "- term: 五年", `choices term: says "五年", and the registry grants P183D`},
		{"notices/assist.ar.md", "- term: 6 أشهر", "- term: 5 سنوات", `choices term: says "5 سنوات"`},
		{en, "A request: 24 hours", "A request: 5 years", `retention: says "5 years", and nothing that this notice is about is kept so long`},
		{"notices/pocket.en.md", "Your position: 30 seconds.", "Your position: 30 seconds. Counts: 28 days.", `retention: says "28 days", and nothing that this notice is about`},
		{en, "Harbour Street (demonstration)", "Quay Road Ltd", `who: does not name the controller: "Harbour Street (demonstration)" is not in it (GDPR 13(1)(a)`},
		{"notices/assist.zh.md", "Harbour Street（演示）", "Quay Road", `who: does not name the controller: "Harbour Street（演示）" is not in it`},
		{reg, `"name": "Harbour Street (demonstration)"`, `"name": "Quay Road Ltd"`, `notices/pocket.en.md:15: who: does not name the controller: "Quay Road Ltd"`},
		{en, "# Let staff", "Let staff", "this text belongs to no part"},
		{"notices/assist.ar.md", "lang: ar", "lang: en", "the notice assist@1/en is there twice"},
	} {
		t.Run(c.file+" "+c.new, func(t *testing.T) {
			found := refused(t, edit(t, c.file, func(text string) string { return strings.Replace(text, c.old, c.new, 1) }))
			if !slices.ContainsFunc(found, func(f consent.Finding) bool { return strings.Contains(f.String(), c.says) }) {
				t.Fatalf("got %v, want %q", found, c.says)
			}
		})
	}
}

// Everything that is wrong is said at once, where it is, in order; warnings come last and refuse nothing.
func TestEverythingIsFoundAtOnce(t *testing.T) {
	files := edit(t, "notices/pickup.zh.md", func(s string) string { return strings.Replace(s, "- no: ", "- nope: ", 1) })
	text := strings.Replace(string(files["registry.json"].Data), `"min_age": 18`, `"min_age": 8`, 1)
	text = strings.Replace(text, `"P1D"`, `"P2D"`, 1)
	text = strings.Replace(text, `"recipients": [
    "staff"`, `"recipients": [
    "pickup_staff"`, 1)
	text = strings.Replace(text, `"topic",`, `"topic", "speed_mps",`, 1)
	files["registry.json"] = &fstest.MapFile{Data: []byte(text)}
	files["notices/old.json"] = &fstest.MapFile{Data: []byte("{}")}
	_, found := consent.CheckRegistry(files, day(t, "2026-06-01"))
	var places []string
	for _, f := range found {
		places = append(places, fmt.Sprintf("%t %s %s", f.Warning, f.File, f.Field))
	}
	want := []string{
		"false notices/assist.ar.md recipients", "false notices/assist.ar.md recipients", "false notices/assist.en.md recipients", "false notices/assist.en.md recipients",
		"false notices/assist.zh.md recipients", "false notices/assist.zh.md recipients", "false notices/pickup.zh.md choices nope", "false notices/pickup.zh.md choices no",
		"false registry.json data_types request retention", "false registry.json jurisdictions ae min_age", "true notices/old.json ",
	}
	t.Log(strings.Join(places, "\n"))
	for _, w := range want {
		if !slices.Contains(places, w) {
			t.Errorf("not found: %s", w)
		}
	}
	if !slices.IsSortedFunc(found, func(a, b consent.Finding) int {
		return strings.Compare(fmt.Sprint(a.Warning, a.File, fmt.Sprintf("%6d", a.Line)), fmt.Sprint(b.Warning, b.File, fmt.Sprintf("%6d", b.Line)))
	}) {
		t.Errorf("not in order")
	}
	_, found = consent.CheckRegistry(edit(t, "notices/assist.en.md", func(s string) string { return strings.Replace(s, "data: position, ", "data: ", 1) }), day(t, "2026-06-01"))
	if len(found) != 0 {
		t.Errorf("another language asks for it: %v", found)
	}
}

// What can be read in more than one way is a warning: it refuses nothing, and somebody looks at it.
func TestWhatANoticeIsWarnedOf(t *testing.T) {
	const en = "notices/assist.en.md"
	for _, c := range []struct{ old, new, says string }{
		{"- term: 6 months", "- term: Until I say stop", "choices term: says no length of time that could be read, and grants P183D"},
		{"The list of who looked: 90 days. ", "", "retention: does not say that journal is kept for P90D"},
		{"That you were here, from when to when: 8 days. ", "", "retention: does not say that visits is kept for P8D"},
		{"Tap Stop, at any time", "For 2 years, tap Stop, at any time", `withdrawal: says "2 years", which is no length of time in the registry`},
	} {
		_, found := consent.CheckRegistry(edit(t, en, func(text string) string { return strings.Replace(text, c.old, c.new, 1) }), day(t, "2026-06-01"))
		if len(found) != 1 || !found[0].Warning || !strings.Contains(found[0].String(), c.says) {
			t.Errorf("%q: %v", c.new, found)
		}
	}
}

// A plain no has more than one wording, in any language; what is not known as one can be declared. A name, too, by language.
func TestWhatIsAPlainNo(t *testing.T) {
	for _, c := range []struct{ file, old, new, registry string }{
		{"notices/assist.en.md", "- no: No\n", "- no: No, thank you\n", ""},
		{"notices/assist.en.md", "- no: No\n", "- no: Don’t share\n", ""},
		{"notices/assist.en.md", "- no: No\n", "- no: Do not allow\n", ""},
		{"notices/assist.en.md", "- no: No\n", "- no: Cancel\n", `"refusals": {"en": ["Cancel"]},`},
		{"notices/assist.zh.md", "- no: 不同意", "- no: 拒绝共享", ""},
		{"notices/assist.ar.md", "- no: لا", "- no: لا أوافق", ""},
		{"notices/assist.ar.md", "- no: لا", "- no: أرفض", ""},
	} {
		files := edit(t, c.file, func(text string) string { return strings.Replace(text, c.old, c.new, 1) })
		text := strings.Replace(string(files["registry.json"].Data), `"proof_days"`, c.registry+`"proof_days"`, 1)
		files["registry.json"] = &fstest.MapFile{Data: []byte(text)}
		if _, found := consent.CheckRegistry(files, day(t, "2026-06-01")); len(found) != 0 {
			t.Errorf("%q: %v", c.new, found)
		}
	}
}

// A head without its first or last line is said to be that, and nothing follows from it; a mark before the text that some editors
// write is none of it.
func TestAHeadThatIsNotClosed(t *testing.T) {
	const en = "notices/assist.en.md"
	for _, c := range []struct{ old, new string }{{"---\n\n#", "\n\n#"}, {"---\nid", "id"}} {
		found := refused(t, edit(t, en, func(text string) string { return strings.Replace(text, c.old, c.new, 1) }))
		found = slices.DeleteFunc(found, func(f consent.Finding) bool { return strings.HasPrefix(f.Says, `there is no notice in "en"`) })
		if len(found) != 1 || !strings.Contains(found[0].Says, "---") && !strings.Contains(found[0].Says, "the head has no end") {
			t.Errorf("%q: %v", c.new, found)
		}
	}
	if _, err := consent.LoadRegistry(edit(t, "registry.json", func(text string) string { return "\ufeff" + text })); err != nil {
		t.Error(err)
	}
}

// A notice that is no text, or far too much of it, is said to be that, and its missing is all that follows.
func TestNoticeThatCannotBeRead(t *testing.T) {
	for says, change := range map[string]func(string) string{
		"is not UTF-8 text": func(text string) string { // as editors that call it Unicode save it
			wide := []byte{0xff, 0xfe}
			for _, c := range utf16.Encode([]rune(text)) {
				wide = append(wide, byte(c), byte(c>>8))
			}
			return string(wide)
		},
		"is larger than 256 kilobytes": func(text string) string { return text + strings.Repeat("x", 1<<20) },
	} {
		found := refused(t, edit(t, "notices/pickup.ar.md", change))
		if found[0].File != "notices/pickup.ar.md" || found[0].Says != says || found[0].Line != 1 {
			t.Errorf("%+v", found[0])
		}
		for _, f := range found[1:] {
			if !strings.HasPrefix(f.Says, "there is no notice in \"ar\"") {
				t.Errorf("it is not said of the file: %+v", f)
			}
		}
		if said := fmt.Sprint(found); len(said) > 4096 {
			t.Errorf("%d bytes are said of it", len(said))
		}
	}
}

// The id of a purpose names files; nothing is suggested that would lead out of the folder.
func TestPurposeIDNamesAFile(t *testing.T) {
	files := edit(t, "registry.json", func(text string) string { return strings.Replace(text, `"id": "pickup"`, `"id": "../pickup"`, 1) })
	found := refused(t, files)
	if i := slices.IndexFunc(found, func(f consent.Finding) bool { return f.Says == `"../pickup" is no short name` }); i < 0 {
		t.Errorf("%+v", found)
	}
	for _, f := range found {
		if strings.Contains(f.Remedy, "..") {
			t.Errorf("it leads out of the folder: %s", f.Remedy)
		}
	}
}
