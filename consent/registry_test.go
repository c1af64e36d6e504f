// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"doorstep/consent"
)

func devFiles(t *testing.T) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	dir := os.DirFS("devregistry")
	err := fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(dir, path)
		files[path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil || len(files) != 7 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	return files
}

func TestEveryPurposeHasItsNotices(t *testing.T) {
	r := consent.DevelopmentRegistry()
	hashes := map[string]string{}
	for _, p := range r.Purposes {
		for _, lang := range []string{"en", "zh", "ar"} {
			for _, j := range r.Jurisdictions {
				n, err := r.Notice(p.ID, lang, j.ID)
				if err != nil {
					t.Fatal(err)
				}
				if (n.Dir == "rtl") != (lang == "ar") || n.Lang != lang || n.Purpose != p.ID {
					t.Errorf("%s in %s: %s, %s, %s", p.ID, lang, n.Purpose, n.Lang, n.Dir)
				}
				hashes[n.Hash] = p.ID + lang
			}
		}
	}
	if len(hashes) != 6 {
		t.Errorf("%d different hashes of 6 notices", len(hashes))
	}
}

// Anything mandatory taken out is found, and named.
func TestRegistryRefusesWhatIsIncomplete(t *testing.T) {
	whole := devFiles(t)
	if _, err := consent.LoadRegistry(whole); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ file, old, new, says string }{
		{"registry.json", `"contact": "privacy@harbour-street.example"`, `"contact": ""`, "controller"},
		{"registry.json", `"eu"`, `"xx"`, `"eu"`},
		{"registry.json", `"min_age": 16`, `"min_age": 0`, "min_age"},
		{"registry.json", `"proof_days": 1096`, `"proof_days": 0`, "proof_days"},
		{"registry.json", `"id": "zone"`, `"id": "area"`, `"zone" is not declared`},
		{"registry.json", `"id": "pickup_staff"`, `"id": "others"`, `"pickup_staff" is not declared`},
		{"registry.json", `"retention": "PT30S"`, `"retention": ""`, "retention"},
		{"registry.json", `"term_days": 183`, `"term_days": 365`, "promises a term"},
		{"registry.json", `"max_term_days": 183`, `"max_term_days": 30`, "allows 30"},
		{"registry.json", `"location"`, `"locations"`, "unknown field"},
		{"registry.json", `{`, `{ 5`, "registry.json, line 1: invalid character"},
		{"registry.json", "{\n", "{\n\n \"proof_days\": \"long\",\n", "registry.json, line 3: "},
		{"notices/assist.en.json", `"dir": "ltr"`, `"dir": ""`, "ltr or rtl"},
		{"notices/assist.en.json", `"lang": "en"`, `"lang": "nl"`, `no notice in "en"`},
		{"notices/assist.en.json", `"not_now"`, `"later"`, "not_now"},
		{"notices/assist.en.json", `"key": "withdrawal"`, `"key": "bye"`, "withdrawal"},
		{"notices/assist.en.json", `"authority"`, `"other"`, "does not cover authority"},
		{"notices/assist.zh.json", `"necessity"`, `"other"`, "in cn does not cover necessity"},
		{"notices/assist.ar.json", `"left_store"`, `"gone_store"`, "left_store"},
		{"notices/assist.ar.json", `"seen"`, `"looked"`, "indicator"},
		{"notices/pickup.en.json", `"purpose": "pickup"`, `"purpose": "other"`, `"other" is not declared`},
	} {
		t.Run(c.file+" "+c.old, func(t *testing.T) {
			files := maps.Clone(whole)
			text := string(whole[c.file].Data)
			if !strings.Contains(text, c.old) {
				t.Fatalf("%s does not hold %s", c.file, c.old)
			}
			files[c.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, c.old, c.new, 1))}
			_, err := consent.LoadRegistry(files)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want %q in it", err, c.says)
			}
		})
	}
}

// A notice's hash changes with every string in it, and with nothing else.
func TestNoticeHash(t *testing.T) {
	whole := devFiles(t)
	hash := func(text string) string {
		files := maps.Clone(whole)
		files["notices/assist.en.json"] = &fstest.MapFile{Data: []byte(text)}
		r, err := consent.LoadRegistry(files)
		if err != nil {
			t.Fatal(err)
		}
		n, err := r.Notice("assist", "en", "eu")
		if err != nil {
			t.Fatal(err)
		}
		return n.Hash
	}
	text := string(whole["notices/assist.en.json"].Data)
	if hash(text) != hash(strings.ReplaceAll(text, "\n", "\n\t")) {
		t.Error("white space between members changes the hash")
	}
	if hash(text) == hash(strings.Replace(text, "Not now", "not now", 1)) {
		t.Error("a changed label keeps the hash")
	}
}

func TestPublishedRulesAreTheEnforcedOnes(t *testing.T) {
	r := consent.DevelopmentRegistry()
	data, err := r.Published()
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Purposes []struct{ ID string }
		Notices  []struct{ Purpose, Lang, Hash string }
	}
	if err := json.Unmarshal(data, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Purposes) != len(r.Purposes) || len(got.Notices) != 6 {
		t.Fatalf("%d purposes, %d notices", len(got.Purposes), len(got.Notices))
	}
	for _, n := range got.Notices {
		if enforced, err := r.Notice(n.Purpose, n.Lang, ""); err != nil || enforced.Hash != n.Hash {
			t.Errorf("%s in %s: %v", n.Purpose, n.Lang, err)
		}
	}
}

func TestFieldsAreThoseDeclared(t *testing.T) {
	r := consent.DevelopmentRegistry()
	if got := strings.Join(r.Fields("pickup"), " "); got != "accuracy_basis accuracy_m app_state kind lat level lng mocked precise ref source" {
		t.Errorf("pickup: %s", got)
	}
	if got := r.Fields("advertise"); len(got) != 0 {
		t.Errorf("an undeclared purpose: %v", got)
	}
}

// What an app does: digest the strings that it hands to its views.
func TestDigestIsOfTheStringsShown(t *testing.T) {
	p := newDesk(t).prompt(t, func(r *consent.PromptRequest) { r.Lang = "ar"; r.AgeBand = "adult" })
	sent, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var shown struct {
		Title   string
		Blocks  []struct{ Title, Text string }
		Choices []struct{ Label string }
	}
	if err := json.Unmarshal(sent, &shown); err != nil {
		t.Fatal(err)
	}
	blocks, labels := []any{}, []any{}
	for _, b := range shown.Blocks {
		blocks = append(blocks, map[string]string{"title": b.Title, "text": b.Text})
	}
	for _, c := range shown.Choices {
		labels = append(labels, c.Label)
	}
	text, err := consent.Canonical(map[string]any{"blocks": blocks, "choices": labels, "title": shown.Title})
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	if hex.EncodeToString(sum[:]) != p.Digest || strings.Contains(string(sent), "covers") || len(blocks) != 9 || len(labels) != 4 {
		t.Errorf("digest %s of %s", p.Digest, text)
	}
}

// The canonical form and the digest are those of the specification's vectors, which the apps are held to.
func TestDigestVectors(t *testing.T) {
	data, err := os.ReadFile("../mobile-sdk-spec/vectors/digest.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Cases []struct {
			Name, Title, Canonical, Digest string
			Blocks                         []map[string]string
			Choices                        []string
		}
	}
	if err := json.Unmarshal(data, &vectors); err != nil || len(vectors.Cases) == 0 {
		t.Fatalf("%d vectors, %v", len(vectors.Cases), err)
	}
	for _, c := range vectors.Cases {
		got, err := consent.Canonical(map[string]any{"title": c.Title, "blocks": c.Blocks, "choices": c.Choices})
		sum := sha256.Sum256(got)
		if err != nil || string(got) != c.Canonical || hex.EncodeToString(sum[:]) != c.Digest {
			t.Errorf("%s: got %s, %v", c.Name, got, err)
		}
	}
}
