// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/consent"
)

// published are the kids of a key set, in its order.
func published(t *testing.T, k consent.Keys) []string {
	t.Helper()
	var set struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal(k.JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	var kids []string
	for _, key := range set.Keys {
		kids = append(kids, key.Kid)
	}
	return kids
}

// Receipts from before, between and after three rotations all verify with the keys of the day; each key
// was published before it signed; and each goes when its last receipt has reached the end of its proof.
func TestRotationLosesNoReceipt(t *testing.T) {
	d := newDesk(t)
	const proofDays = 1096
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := d.keys.Promising(proofDays).Save(path); err != nil {
		t.Fatal(err)
	}
	var receipts []string
	var known []string // what an app fetched last
	take := func() {
		t.Helper()
		receipts = append(receipts, d.receipt(t, consent.NotNow, nil))
		keys := d.Keys()
		if kid := published(t, keys)[0]; known != nil && !slices.Contains(known, kid) {
			t.Fatalf("a key signs that was not published before: %s, an app knows %v", kid, known)
		}
		known = published(t, keys)
		for i, jws := range receipts {
			if _, err := consent.VerifyReceiptAt(jws, keys.JWKS(), d.now); err != nil {
				t.Fatalf("receipt %d of %d: %v", i, len(receipts), err)
			}
		}
	}
	take()
	for range 3 {
		d.now = d.now.Add(30 * 24 * time.Hour)
		k, err := consent.ChangeKeys(path, func(k consent.Keys) (consent.Keys, error) { return k.Rotate(d.now, true) })
		if err != nil {
			t.Fatal(err)
		}
		if err := d.UseKeys(k); err != nil {
			t.Fatal(err)
		}
		take()
	}
	if n := len(known); n != 5 { // one that signs, one to come, three retired
		t.Fatalf("%d keys are published: %v", n, known)
	}
	// One second before the end of the youngest receipt under the first key it is there; long after, it is not.
	firstRetired := d.now.Add(-60 * 24 * time.Hour)
	for _, c := range []struct {
		at   time.Time
		keys int
	}{{firstRetired.Add((proofDays*24 - 1) * time.Hour), 6}, {firstRetired.Add((proofDays+1)*24*time.Hour + time.Second), 5}} {
		k, err := d.Keys().Rotate(c.at, true)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(published(t, k)); got != c.keys {
			t.Errorf("at %v: %d keys, want %d", c.at, got, c.keys)
		}
	}
}

func TestNextKeyIsPublishedAhead(t *testing.T) {
	k := consent.NewKeys()
	now := time.Now()
	if _, err := k.Rotate(now.Add(consent.PublishedAhead-time.Hour), false); !errors.Is(err, consent.ErrNotAhead) {
		t.Errorf("too early: %v", err)
	}
	next, err := k.Rotate(now.Add(consent.PublishedAhead+time.Hour), false)
	if err != nil {
		t.Fatal(err)
	}
	before, after := published(t, k), published(t, next)
	if len(before) != 2 || len(after) != 3 || after[0] != before[1] || after[2] != before[0] || after[1] == before[0] {
		t.Errorf("before %v, after %v", before, after)
	}
	if _, err := next.Rotate(now.Add(consent.PublishedAhead+2*time.Hour), false); !errors.Is(err, consent.ErrNotAhead) {
		t.Errorf("twice in an hour: %v", err)
	}
	states := next.States()
	if len(states) != 3 || states[0].Use != "signs" || states[1].Use != "next" || states[2].Use != "retired" || !states[2].DropsAt.IsZero() {
		t.Errorf("states %+v", states)
	}
}

// A retired key can sign nothing any more, since its secret half is gone; and a shorter rule for receipts
// does not shorten what older ones were promised.
func TestRetiredKeysAreKeptForReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	first, err := consent.OpenKeys(path, 1000)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := consent.OpenKeys(path, 10); err != nil {
		t.Fatal(err)
	}
	secrets := func() int {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(data), `"seed"`)
	}
	before := secrets()
	at := time.Now()
	k, err := consent.ChangeKeys(path, func(k consent.Keys) (consent.Keys, error) { return k.Rotate(at, true) })
	if err != nil {
		t.Fatal(err)
	}
	if after := secrets(); before != 3 || after != 3 { // two of receipts and one of the log, whatever was retired
		t.Errorf("%d secrets before, %d after", before, after)
	}
	again, err := consent.LoadKeys(path)
	if err != nil || string(again.JWKS()) != string(k.JWKS()) || again.Fingerprint() != first.Fingerprint() {
		t.Errorf("the file holds other keys: %v", err)
	}
	drops := again.States()[2].DropsAt
	if want := at.Add(1001 * 24 * time.Hour); drops.Sub(want).Abs() > time.Second {
		t.Errorf("dropped at %v, want %v", drops, want)
	}
}

// A file of version 1 is taken over without a word: what was published stays published, a next key and one
// of the log are added, and the old file is kept beside it.
func TestFirstVersionIsTakenOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	secret := strings.Repeat("A", 43) + "="
	first := `{"version":1,"ref":"` + secret + `","visit":"` + secret + `","signing":["` + secret + `","` + strings.Repeat("B", 42) + `A="]}`
	if err := os.WriteFile(path, []byte(first), 0o600); err != nil {
		t.Fatal(err)
	}
	looked, err := consent.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != first {
		t.Errorf("a look changed the file: %v", err)
	}
	k, err := consent.OpenKeys(path, 10)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := os.ReadFile(path + ".v1"); err != nil || string(kept) != first {
		t.Errorf("the way back: %q, %v", kept, err)
	}
	if info, err := os.Stat(path + ".v1"); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the way back can be read by others: %v", err)
	}
	a, b := published(t, looked), published(t, k)
	if len(b) != 3 || a[0] != b[0] || a[2] != b[2] || a[1] == b[1] || k.Fingerprint() != looked.Fingerprint() || k.Subject("x") != looked.Subject("x") {
		t.Errorf("looked at %v, taken over as %v", a, b)
	}
	again, err := consent.OpenKeys(path, 10)
	if err != nil || string(again.JWKS()) != string(k.JWKS()) {
		t.Errorf("taken over twice: %v", err)
	}
}

func TestForeignKeysAreNotTakenUp(t *testing.T) {
	d := newDesk(t)
	if err := d.UseKeys(consent.NewKeys()); !errors.Is(err, consent.ErrKeys) {
		t.Errorf("got %v", err)
	}
	if published(t, d.Keys())[0] != published(t, d.keys)[0] {
		t.Error("the ledger signs with foreign keys")
	}
}

// Many processes that start at once make one key file.
func TestKeysAreMadeOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.json")
	var wg sync.WaitGroup
	prints := make([]string, 16)
	for i := range prints {
		wg.Go(func() {
			k, err := consent.OpenKeys(path, i)
			if err != nil {
				t.Error(err)
			}
			prints[i] = k.Fingerprint()
		})
	}
	wg.Wait()
	if len(slices.Compact(prints)) != 1 {
		t.Errorf("different keys: %v", prints)
	}
}
