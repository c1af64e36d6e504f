// SPDX-License-Identifier: Apache-2.0

package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"doorstep/tracking/server/auth"
)

// Whatever is asked for, what is printed is a token that the server accepts, and what is refused would
// not have been one.
func TestTokensAreAccepted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dev.key")
	key := saveDevKey(t, path)
	doors, err := auth.NewTokens(auth.Settings{Issuers: []auth.Issuer{key.Issuer()}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(r *rapid.T) {
		limits := rapid.Map(rapid.SampledFrom([]int{0, 1, 64, 65, 256, 257}), func(n int) string { return strings.Repeat("x", n) })
		name := rapid.OneOf(rapid.StringN(-1, -1, 12), limits)
		sub, other := name.Draw(r, "sub"), name.Draw(r, "other")
		seconds := rapid.OneOf(rapid.IntRange(-5, 50_000), rapid.SampledFrom([]int{0, 1, 900, 901, 3_600, 3_601, 43_200, 43_201}))
		ttl := time.Duration(seconds.Draw(r, "seconds")) * time.Second
		args := []string{"--dev-key=" + path, "--ttl=" + ttl.String()}
		var minted string
		var accept func(token string) error
		switch rapid.SampledFrom([]string{"shopper", "staff", "admin"}).Draw(r, "kind") {
		case "shopper":
			args = append([]string{"token", "shopper", "--sub=" + sub, "--app=" + other}, args...)
			minted, err = key.MintShopper(sub, other, "adult", ttl)
			accept = func(token string) error { _, err := doors.Shopper(t.Context(), token); return err }
		case "staff":
			args = append([]string{"token", "staff", "--shift=" + sub, "--store=" + other}, args...)
			minted, err = key.MintStaff(sub, "Desk", auth.RoleFloor, other, ttl)
			accept = func(token string) error { _, err := doors.Staff(t.Context(), token); return err }
		default:
			args = append([]string{"token", "admin", "--sub=" + sub}, args...)
			minted, err = key.MintAdmin(sub, ttl)
			accept = func(token string) error { _, err := doors.Admin(t.Context(), token); return err }
		}
		if err != nil {
			r.Fatal(err)
		}
		out, errs, status := command(t, "", args...)
		if status == 0 {
			minted = strings.TrimSpace(out)
		}
		if refused := accept(minted); (refused == nil) != (status == 0) {
			r.Fatalf("exit status %d (%s), and the server says: %v", status, errs, refused)
		}
	})
}
