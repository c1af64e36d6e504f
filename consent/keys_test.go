// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"doorstep/consent"
)

func TestKeysAreKeptWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	if _, err := consent.LoadKeys(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("got %v", err)
	}
	made, err := consent.LoadOrCreateKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := consent.LoadOrCreateKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if made.Fingerprint() != loaded.Fingerprint() || made.Subject("ana") != loaded.Subject("ana") || string(made.JWKS()) != string(loaded.JWKS()) {
		t.Error("the keys have changed on their way through the file")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestBadKeyFilesAreRefused(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "not JSON": "{", "no keys": `{"version":1}`, "another version": `{"version":3}`, "none of version 2": `{"version":2}`,
		"short": `{"version":1,"ref":"AAAA","visit":"AAAA","signing":["AAAA"]}`,
	} {
		path := filepath.Join(t.TempDir(), "keys.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := consent.LoadOrCreateKeys(path); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := consent.NewKeys().Save(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := consent.LoadKeys(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by others: %v", err)
	}
}

var hex32 = regexp.MustCompile(`^[0-9a-f]{32}$`)

func TestPseudonymsDiffer(t *testing.T) {
	k, other := consent.NewKeys(), consent.NewKeys()
	s := consent.Scope{Installation: k.Installation("x"), Store: "shop"}
	all := []string{
		string(k.Subject("x")), string(k.Installation("x")), string(k.Shift("x")), string(other.Subject("x")), k.Visit(s, 1), k.Visit(s, 2),
		k.Visit(s, 11), other.Visit(s, 1), k.Visit(consent.Scope{Installation: s.Installation, Store: "shop|1"}, 1),
	}
	seen := map[string]bool{}
	for i, p := range all {
		if !hex32.MatchString(p) || seen[p] {
			t.Errorf("pseudonym %d is %q, or not its own", i, p)
		}
		seen[p] = true
	}
}

func TestKeysAreNeverPrinted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	k := consent.NewKeys()
	if err := k.Save(path); err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if got := fmt.Sprintf(verb, struct{ K consent.Keys }{k}); !strings.Contains(got, "secret") || len(got) > 60 {
			t.Errorf("%s prints %q", verb, got)
		}
	}
}

// Canonical JSON is a fixed point, whatever strings and integers go in.
func TestCanonicalIsCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := map[string]any{}
		for _, k := range rapid.SliceOf(rapid.String()).Draw(t, "keys") {
			v[k] = []any{rapid.String().Draw(t, "text"), rapid.Int64Range(-1<<53, 1<<53).Draw(t, "number"), nil, true, map[string]any{k: k}}
		}
		once, err := consent.Canonical(v)
		if err != nil {
			t.Fatal(err)
		}
		twice, err := consent.Canonical(json.RawMessage(once))
		if err != nil {
			t.Fatal(err)
		}
		if string(once) != string(twice) {
			t.Fatalf("%s\n%s", once, twice)
		}
	})
}

// Examples worked out by hand from RFC 8785: order by UTF-16 code units, only what must be is escaped.
func TestCanonicalExamples(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":1,"a":"x"}`:                          `{"a":"x","b":1}`,
		`{"\ufb33":1,"\ud83d\ude00":2,"\u20ac":3}`: "{\"\u20ac\":3,\"\U0001f600\":2,\"\ufb33\":1}",
		`"<&>\u2028\u007f\/"`:                      "\"<&>\u2028\u007f/\"",
		`"\u0000\u001f\b\t\n\f\r\"\\"`:             `"\u0000\u001f\b\t\n\f\r\"\\"`,
		`[9007199254740992,-1,0]`:                  `[9007199254740992,-1,0]`,
	} {
		got, err := consent.Canonical(json.RawMessage(in))
		if err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []any{1.5, json.RawMessage(`1e400`), json.RawMessage(`9007199254740993`), make(chan int)} {
		if got, err := consent.Canonical(in); err == nil {
			t.Errorf("%v: got %s", in, got)
		}
	}
}
