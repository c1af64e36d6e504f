// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
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
	if err != nil || len(files) != 10 {
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
	if len(hashes) != 9 {
		t.Errorf("%d different hashes of 9 notices", len(hashes))
	}
}

// A notice's hash changes with every string in it, and with nothing else.
func TestNoticeHash(t *testing.T) {
	whole := devFiles(t)
	hash := func(text string) string {
		n, err := consent.ParseNotice([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return n.Hash
	}
	text := string(whole["notices/assist.en.md"].Data)
	if hash(text) != hash(strings.ReplaceAll(text, "\n\n", "\n\n\n<!-- a remark -->\n")) {
		t.Error("the layout of the file changes the hash")
	}
	for _, c := range []struct{ old, new string }{
		{"Not now", "not now"}, {"data: position, zone", "data: zone"}, {"version: 1", "version: 2"}, {`covers="controller"`, ``}, {"24 hours", "25 hours"},
		{"https://globalprivacy", "https://privacy"}, {"recipients: staff", "recipients: all"}, {"Staff can see you", "You are seen"},
	} {
		if !strings.Contains(text, c.old) || hash(text) == hash(strings.Replace(text, c.old, c.new, 1)) {
			t.Errorf("%q for %q keeps the hash", c.new, c.old)
		}
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
	if len(got.Purposes) != len(r.Purposes) || len(got.Notices) != 9 {
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
