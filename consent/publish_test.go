// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"doorstep/consent"
)

// wider is the example with a data type more for a purpose, and a second version of the English notice that asks for
// it. Without the notice, the data type is only declared.
func wider(t *testing.T, notice bool) fstest.MapFS {
	t.Helper()
	files := devFiles(t)
	change := func(file, to, old, new string) {
		text := string(files[file].Data)
		if !strings.Contains(text, old) {
			t.Fatalf("%s has no %q", file, old)
		}
		files[to] = &fstest.MapFile{Data: []byte(strings.Replace(text, old, new, 1))}
	}
	change("registry.json", "registry.json", `"data_types": [`, `"data_types": [
  {"id": "speed", "title": {"en": "How fast you walk", "zh": "步行速度", "ar": "سرعة المشي"}, "fields": ["speed_mps"], "retention": "PT30S"},`)
	change("registry.json", "registry.json", "\"data\": [\n    \"position\",", "\"data\": [\n    \"speed\", \"position\",")
	if notice {
		change("notices/assist.en.md", "notices/assist-2.en.md", "data: position,", "data: speed, position,")
		change("notices/assist-2.en.md", "notices/assist-2.en.md", "version: 1", "version: 2")
	}
	return files
}

func (d *desk) admits(t *testing.T, l *consent.Ledger) []consent.Grant {
	t.Helper()
	a, err := l.Admit(t.Context(), consent.Scope{Installation: d.request().Installation, Store: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	return a.Grants
}

// What was granted keeps working with what it covered; a data type that was added later stays out of it until
// the shopper was asked anew (brief, 14).
func TestANewDataTypeIsAskedForAnew(t *testing.T) {
	d := newDesk(t)
	if _, err := d.Decide(t.Context(), d.answer(d.prompt(t, nil), consent.ForATerm)); err != nil {
		t.Fatal(err)
	}
	old := []string{"position", "zone", "zone_count", "request", "booking"}
	if g := d.admits(t, d.Ledger); len(g) != 1 || !slices.Equal(g[0].Data, old) {
		t.Fatalf("granted: %+v", g)
	}
	if d.prompt(t, nil).MayPrompt {
		t.Fatal("nothing is new, and it asks")
	}
	for _, notice := range []bool{false, true} {
		l := d.under(t, wider(t, notice))
		g := d.admits(t, l)
		if len(g) != 1 || !slices.Equal(g[0].Data, old) {
			t.Fatalf("with the notice %v: the old grant allows %+v", notice, g)
		}
		if !l.Registry().Declared("speed_mps") || slices.Contains(l.Registry().FieldsOf(g[0].Data), "speed_mps") {
			t.Fatalf("with the notice %v: speed is to be declared, and not granted", notice)
		}
		p, err := l.Prompt(t.Context(), d.request())
		if err != nil || p.MayPrompt != notice {
			t.Fatalf("with the notice %v: asks anew: %v, %v", notice, p.MayPrompt, err)
		}
		if may, err := l.MayPrompt(t.Context(), d.request().Subject, "adult", consent.Scope{Installation: d.request().Installation, Store: "shop"}); err != nil || !may {
			t.Fatalf("another purpose may be asked about: %v, %v", may, err)
		}
		if !notice {
			continue
		}
		later, err := l.Decide(t.Context(), d.answer(p, consent.NotNow))
		if err != nil || later.Ended != nil || len(d.admits(t, l)) != 1 {
			t.Fatalf("not now takes what was granted: %v", err)
		}
		asked := d.request()
		asked.Opened = true
		if p, err = l.Prompt(t.Context(), asked); err != nil {
			t.Fatal(err)
		}
		made, err := l.Decide(t.Context(), d.answer(p, consent.ForATerm))
		if err != nil {
			t.Fatal(err)
		}
		if g := d.admits(t, l); len(g) != 1 || !slices.Contains(g[0].Data, "speed") || !slices.Contains(made.Grant.Data, "speed") {
			t.Fatalf("asked anew, and granted: %+v", g)
		}
	}
}

// A grant lets nobody read the data whom its notice did not name.
func TestANewRecipientIsAskedForAnew(t *testing.T) {
	d := newDesk(t)
	if _, err := d.Decide(t.Context(), d.answer(d.prompt(t, nil), consent.ForATerm)); err != nil {
		t.Fatal(err)
	}
	files := devFiles(t)
	reg := string(files["registry.json"].Data)
	files["registry.json"] = &fstest.MapFile{Data: []byte(strings.Replace(reg, "\"recipients\": [\n    \"staff\"", "\"recipients\": [\n    \"pickup_staff\", \"staff\"", 1))}
	refused(t, files) // the notices do not name them
	for _, lang := range []string{"en", "zh", "ar"} {
		text := strings.NewReplacer("version: 1", "version: 2", "recipients: staff", "recipients: staff, pickup_staff").Replace(string(files["notices/assist."+lang+".md"].Data))
		files["notices/assist-2."+lang+".md"] = &fstest.MapFile{Data: []byte(text)}
	}
	l := d.under(t, files)
	if g := d.admits(t, l); len(g) != 0 {
		t.Fatalf("still admitted: %+v", g)
	}
	if p, err := l.Prompt(t.Context(), d.request()); err != nil || !p.MayPrompt {
		t.Fatalf("not asked anew: %v", err)
	}
}

// An edited text under an old version is refused when the registry is loaded, whoever kept the old one; and so is
// a version that is not the newest.
func TestAnEditedNoticeIsRefused(t *testing.T) {
	d := newDesk(t)
	if err := d.Bind(t.Context()); err != nil {
		t.Fatal(err)
	}
	old, err := d.Registry().Notice("assist", "en", "eu")
	if err != nil {
		t.Fatal(err)
	}
	const file = "notices/assist.en.md"
	files := edit(t, file, func(s string) string { return strings.Replace(s, "24 hours", "1 day", 1) })
	edited, err := consent.ParseNotice(files[file].Data)
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"loaded": d.under(t, files).Bind(t.Context()), "published": d.Publish(t.Context(), edited, "ana")} {
		if !errors.Is(err, consent.ErrNoticeEdited) || !errors.Is(err, consent.ErrConflict) {
			t.Fatalf("%s: %v", name, err)
		}
		for _, part := range []string{old.Hash, edited.Hash, "assist@1/en", "make it version 2"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: the message does not name %s: %v", name, part, err)
			}
		}
		if name == "loaded" && !strings.Contains(err.Error(), file) {
			t.Errorf("%s: the message does not name the file: %v", name, err)
		}
	}
	if err := d.under(t, devFiles(t)).Bind(t.Context()); err != nil {
		t.Fatalf("the old text again: %v", err)
	}
}

// A version that lies before the one in force is refused, also if there never was one by that number: it could not be served, and whoever
// published it would think that it is.
func TestAnOlderVersionIsRefused(t *testing.T) {
	d := newDesk(t)
	if err := d.Bind(t.Context()); err != nil {
		t.Fatal(err)
	}
	version := func(number string) consent.Notice {
		n, err := consent.ParseNotice([]byte(strings.Replace(string(devFiles(t)["notices/assist.en.md"].Data), "version: 1", "version: "+number, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	newest := version("3")
	if err := d.Publish(t.Context(), newest, "ana"); err != nil {
		t.Fatal(err)
	}
	if err := d.Publish(t.Context(), version("2"), "ana"); !errors.Is(err, consent.ErrNoticeEdited) || !strings.Contains(err.Error(), "make this one version 4") {
		t.Errorf("published: %v", err)
	}
	if _, err := d.NoticeByHash(version("2").Hash); !errors.Is(err, consent.ErrNoNotice) {
		t.Errorf("it is kept: %v", err)
	}
	if p := d.prompt(t, nil); p.Notice.Hash != newest.Hash {
		t.Errorf("version %s is served", p.Notice.Version)
	}
}

// A notice that is published to a running server is in force at once, also after a restart; the one before can
// still be read by its hash, and a server that knows only that one decides on it no more.
func TestPublish(t *testing.T) {
	d := newDesk(t)
	if err := d.Bind(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := d.prompt(t, nil)
	text := strings.NewReplacer("version: 1", "version: 2", "# Let staff", "# Please let staff").Replace(string(devFiles(t)["notices/assist.en.md"].Data))
	n, err := consent.ParseNotice([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // repeated, it changes nothing
		if err := d.Publish(t.Context(), n, "ana"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Decide(t.Context(), d.answer(before, consent.ThisVisit)); !errors.Is(err, consent.ErrNotice) {
		t.Fatalf("decided under the notice that was replaced: %v", err)
	}
	again := d.under(t, devFiles(t))
	if err := again.Bind(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*consent.Ledger{d.Ledger, again} {
		p, err := l.Prompt(t.Context(), d.request())
		if err != nil || p.Title != n.Title || p.Notice.Version != "2" {
			t.Fatalf("served: %q, %v", p.Title, err)
		}
		was, err := l.NoticeByHash(before.Notice.Hash)
		if err != nil || was.Title != before.Title || was.InForce {
			t.Fatalf("the one before: %+v, %v", was, err)
		}
		is, err := l.NoticeByHash(n.Hash)
		if err != nil || !is.InForce {
			t.Fatalf("the one in force: %v", err)
		}
		if _, err := l.NoticeByHash(strings.Repeat("0", 64)); !errors.Is(err, consent.ErrNoNotice) {
			t.Fatalf("a hash of nothing: %v", err)
		}
	}
	for name, c := range map[string]struct {
		old, new string
		want     error
	}{
		"without a duty":     {`covers="controller"`, ``, consent.ErrRegistry},
		"for no purpose":     {"purpose: assist", "purpose: sale", consent.ErrRegistry},
		"with data too many": {"data: position", "data: face, position", consent.ErrRegistry},
		"an older version":   {"version: 2", "version: 1", consent.ErrNoticeEdited},
	} {
		bad, err := consent.ParseNotice([]byte(strings.Replace(strings.Replace(text, "version: 2", "version: 3", 1), strings.Replace(c.old, "version: 2", "version: 3", 1), c.new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Publish(t.Context(), bad, "ana"); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if p := d.prompt(t, nil); p.Notice.Hash != n.Hash {
		t.Error("what was refused is in force")
	}
}
