// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestDevKeyMints(t *testing.T) {
	c := newClock()
	k, err := NewDevKey()
	if err != nil {
		t.Fatal(err)
	}
	k.Now = c.Now
	v, err := NewTokens(Settings{Issuers: []Issuer{k.Issuer()}, Now: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := k.MintShopper("s", "app", Minor, ShopperLife)
	if err != nil {
		t.Fatal(err)
	}
	shopper, err := v.Shopper(t.Context(), raw)
	if err != nil || shopper.Subject != "s" || shopper.App != "app" || shopper.AgeBand != Minor || !shopper.ExpiresAt.Equal(c.Now().Add(ShopperLife)) {
		t.Fatalf("%+v, %v", shopper, err)
	}
	raw, err = k.MintStaff("shift", "Desk", RoleLead, "a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	staff, err := v.Staff(t.Context(), raw)
	if err != nil || staff.Shift != "shift" || staff.Tag != "Desk" || staff.Role != RoleLead || staff.Store != "a" {
		t.Fatalf("%+v, %v", staff, err)
	}
	raw, err = k.MintAdmin("op", AdminLife)
	if err != nil {
		t.Fatal(err)
	}
	if admin, err := v.Admin(t.Context(), raw); err != nil || admin.Subject != "op" {
		t.Fatalf("%+v, %v", admin, err)
	}
	_, err = v.Staff(t.Context(), raw)
	wantCode(t, err, 403, "door")
	raw, _ = k.MintShopper("s", "app", "", ShopperLife+time.Second)
	_, err = v.Shopper(t.Context(), raw)
	wantCode(t, err, 401, "token")
	other, _ := NewDevKey()
	other.Now = c.Now
	raw, _ = other.MintShopper("s", "app", "", time.Minute)
	_, err = v.Shopper(t.Context(), raw)
	wantCode(t, err, 401, "token")
}

func TestDevKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dev.pem")
	if _, err := LoadDevKey(path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a missing file: %v", err)
	}
	made, err := OpenDevKey(path)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	again, err := OpenDevKey(path)
	if err != nil || again.kid != made.kid || !again.key.Equal(made.key) {
		t.Fatalf("another key was read: %v", err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"empty": nil, "garbage": []byte("x"), "two blocks": append(bytes.Clone(good), good...),
		"half": good[:len(good)/2], "another type": bytes.ReplaceAll(good, []byte("PRIVATE KEY"), []byte("PUBLIC KEY"))} {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenDevKey(path); err == nil {
			t.Errorf("%s: read", name)
		}
		if now, _ := os.ReadFile(path); !bytes.Equal(now, b) {
			t.Errorf("%s: overwritten", name)
		}
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o660, 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadDevKey(path); err == nil {
			t.Errorf("mode %v: read", mode)
		}
	}
}
