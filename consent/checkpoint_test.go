// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep/consent"
)

func (d *desk) checkpoint(t *testing.T) (signed []byte, keys []string) {
	t.Helper()
	signed, err := d.Checkpoint(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if keys, err = d.LogVerifiers(t.Context()); err != nil {
		t.Fatal(err)
	}
	return signed, keys
}

// The form, byte for byte, and the signature, with nothing but the standard library: C2SP signed-note and
// tlog-checkpoint.
func TestCheckpointByHand(t *testing.T) {
	d := newDesk(t)
	d.receipt(t, consent.NotNow, nil)
	signed, keys := d.checkpoint(t)
	head, err := d.TreeHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root, _ := hex.DecodeString(head.Root)
	body, sig, ok := strings.Cut(string(signed), "\n\n— harbour-street.example/privacy ")
	if want := "harbour-street.example/privacy\n1\n" + base64.StdEncoding.EncodeToString(root); !ok || body != want {
		t.Fatalf("%q, want %q", signed, want)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(sig, "\n"))
	if err != nil || len(raw) != 4+ed25519.SignatureSize {
		t.Fatalf("signature %q: %v", sig, err)
	}
	part := strings.SplitN(keys[0], "+", 3)
	key, err := base64.StdEncoding.DecodeString(part[2])
	if err != nil || key[0] != 1 || hex.EncodeToString(raw[:4]) != part[1] {
		t.Fatalf("key %q: %v", keys[0], err)
	}
	id := sha256.Sum256(append([]byte(part[0]+"\n"), key...))
	if hex.EncodeToString(id[:4]) != part[1] || !ed25519.Verify(key[1:], []byte(body+"\n"), raw[4:]) {
		t.Error("the signature is not of this text under this key")
	}
}

// The other implementation reads it.
func TestCheckpointParsesElsewhere(t *testing.T) {
	d := newDesk(t)
	d.receipt(t, consent.NotNow, nil)
	signed, keys := d.checkpoint(t)
	v, err := note.NewVerifier(keys[0])
	if err != nil {
		t.Fatal(err)
	}
	c, rest, _, err := log.ParseCheckpoint(signed, "harbour-street.example/privacy", v)
	if err != nil || c.Size != 1 || len(c.Hash) != 32 || len(rest) > 0 {
		t.Errorf("%+v, %q, %v", c, rest, err)
	}
}

func TestCheckpointIsOpened(t *testing.T) {
	d := newDesk(t)
	d.receipt(t, consent.NotNow, nil)
	signed, keys := d.checkpoint(t)
	head, _ := d.TreeHead(t.Context())
	c, err := consent.OpenCheckpoint(signed, keys...)
	if err != nil || c.TreeHead != head || c.Origin != "harbour-street.example/privacy" {
		t.Fatalf("%+v, %v", c, err)
	}
	foreign, err := consent.NewKeys().LogVerifiers(c.Origin)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]struct {
		text []byte
		keys []string
		says string
	}{
		"another key":    {signed, foreign, "with a key that is not known here"},
		"no key":         {signed, nil, "with a key that is not known here"},
		"a key of words": {signed, []string{"secret"}, `the log's key "secret"`},
		"another size":   {[]byte(strings.Replace(string(signed), "\n1\n", "\n2\n", 1)), keys, "a byte of it was changed"},
		"cut":            {signed[:len(signed)/2], keys, "it is not a signed note"},
		"nothing":        {nil, keys, "it is not a signed note"},
	} {
		if _, err := consent.OpenCheckpoint(bad.text, bad.keys...); !errors.Is(err, consent.ErrCheckpoint) || !strings.Contains(err.Error(), bad.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range signed {
		b := []byte(string(signed))
		if b[i] ^= 1; true {
			if c, err := consent.OpenCheckpoint(b, keys...); err == nil && (c.TreeHead != head || c.Origin == "") {
				t.Fatalf("byte %d changed: %+v", i, c)
			}
		}
	}
}

// While a new log key is being taken up, either key opens what is signed; later only the new one does; and
// what the old one signed goes on being opened.
func TestLogKeyRotates(t *testing.T) {
	d := newDesk(t)
	d.receipt(t, consent.NotNow, nil)
	early, before := d.checkpoint(t)
	if err := d.UseKeys(d.Keys().RotateLog(d.now)); err != nil {
		t.Fatal(err)
	}
	d.now = d.now.Add(consent.LogKeyOverlap - time.Second)
	during, after := d.checkpoint(t)
	if len(before) != 1 || len(after) != 2 || after[1] != before[0] {
		t.Fatalf("%v, then %v", before, after)
	}
	for _, keys := range [][]string{before, after[:1], after} {
		if _, err := consent.OpenCheckpoint(during, keys...); err != nil {
			t.Errorf("%v: %v", keys, err)
		}
	}
	d.now = d.now.Add(time.Second)
	late, _ := d.checkpoint(t)
	if _, err := consent.OpenCheckpoint(late, before...); !errors.Is(err, consent.ErrCheckpoint) {
		t.Errorf("the retired key still signs: %v", err)
	}
	for _, signed := range [][]byte{early, during, late} {
		if _, err := consent.OpenCheckpoint(signed, after...); err != nil {
			t.Error(err)
		}
	}
}

// A log keeps its name when its controller's address changes.
func TestOriginStays(t *testing.T) {
	d := newDesk(t)
	d.checkpoint(t)
	files := devFiles(t)
	files["registry.json"].Data = bytes.ReplaceAll(files["registry.json"].Data, []byte("harbour-street.example/privacy"), []byte("elsewhere.example"))
	if name, err := d.under(t, files).Origin(t.Context()); err != nil || name != "harbour-street.example/privacy" {
		t.Errorf("%q, %v", name, err)
	}
	for id, want := range map[string]string{
		"https://shop.example": "shop.example", "https://shop.example/a/": "shop.example/a", "urn:shop:1": "urn:shop:1", "A + B": "A---B",
	} {
		if got := consent.LogOrigin(id); got != want {
			t.Errorf("%s: %q, want %q", id, got, want)
		}
	}
}

// Every proof of every size up to 40, made with one library, verifies with the other, and in the library
// that made it; and each fails for another leaf or another root.
func TestProofsVerifyWithBothLibraries(t *testing.T) {
	d := newDesk(t)
	const n = 40
	var heads []consent.TreeHead
	for i := range n {
		if err := d.LogNotices(t.Context(), fmt.Sprintf("%064x", i)); err != nil {
			t.Fatal(err)
		}
		h, err := d.TreeHead(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		heads = append(heads, h)
	}
	for size := int64(1); size <= n; size++ {
		for i := range size {
			p, err := d.Proof(t.Context(), i, size)
			if err != nil || p.Tree != heads[size-1] {
				t.Fatalf("proof of %d in %d: %+v, %v", i, size, p.Tree, err)
			}
			checkBoth(t, p)
		}
		for from := range size + 1 {
			c, err := d.Consistency(t.Context(), from, size)
			if err != nil || c.To != heads[size-1] || from > 0 && c.From != heads[from-1] {
				t.Fatalf("from %d to %d: %+v, %v", from, size, c, err)
			}
			checkConsistency(t, c)
		}
	}
	for _, c := range [][2]int64{{-1, 3}, {4, 3}, {0, n + 1}} {
		if _, err := d.Consistency(t.Context(), c[0], c[1]); !errors.Is(err, consent.ErrNoLeaf) {
			t.Errorf("from %d to %d: %v", c[0], c[1], err)
		}
	}
}

func checkBoth(t *testing.T, p consent.Proof) {
	t.Helper()
	if err := p.Verify(); err != nil {
		t.Fatal(err)
	}
	if err := tlog.CheckRecord(hashes(t, p.Path), p.Tree.Size, hash(t, p.Tree.Root), p.Index, tlog.RecordHash([]byte(p.Leaf))); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*consent.Proof){
		func(p *consent.Proof) { p.Leaf += " " }, func(p *consent.Proof) { p.Index++ }, func(p *consent.Proof) { p.Index = -1 },
		func(p *consent.Proof) { p.Tree.Root = strings.Repeat("0", 64) }, func(p *consent.Proof) { p.Tree.Root = "" },
		func(p *consent.Proof) { p.Path = append([]string{p.Tree.Root}, p.Path...) },
	} {
		bad := p
		if change(&bad); bad.Verify() == nil {
			t.Fatalf("verifies: %+v", bad)
		}
	}
}

func checkConsistency(t *testing.T, c consent.Consistency) {
	t.Helper()
	if err := c.Verify(); err != nil {
		t.Fatal(err)
	}
	if c.From.Size > 0 {
		if err := tlog.CheckTree(hashes(t, c.Path), c.To.Size, hash(t, c.To.Root), c.From.Size, hash(t, c.From.Root)); err != nil {
			t.Fatal(err)
		}
	}
	for _, change := range []func(*consent.Consistency){
		func(c *consent.Consistency) { c.From.Root = strings.Repeat("0", 64) }, func(c *consent.Consistency) { c.From.Size = c.To.Size + 1 },
		func(c *consent.Consistency) { c.Path = append(c.Path, c.To.Root) }, func(c *consent.Consistency) { c.From.Size = -1 },
	} {
		bad := c
		if change(&bad); bad.Verify() == nil {
			t.Fatalf("verifies: %+v", bad)
		}
	}
}

func hash(t *testing.T, text string) (h tlog.Hash) {
	t.Helper()
	if n, err := hex.Decode(h[:], []byte(text)); err != nil || n != len(h) {
		t.Fatalf("%q is no hash: %v", text, err)
	}
	return h
}

func hashes(t *testing.T, list []string) []tlog.Hash {
	t.Helper()
	out := make([]tlog.Hash, len(list))
	for i, s := range list {
		out[i] = hash(t, s)
	}
	return out
}
