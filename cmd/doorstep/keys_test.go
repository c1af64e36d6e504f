// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"doorstep/consent"
)

// A running server takes up rotated keys by itself, and goes on publishing the former ones.
func TestRunningServerTakesUpRotatedKeys(t *testing.T) {
	r := serveStores(t)
	jwks := func() []byte {
		resp, err := http.Get(r.address() + "/.well-known/jwks.json")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	before := jwks()
	if _, errs, status := command(t, "", "keys", "rotate", "--data", r.dir, "--at-once"); status != 0 {
		t.Fatal(errs)
	}
	want, err := consent.LoadKeys(keysPath(r.dir))
	if err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); !bytes.Equal(jwks(), want.JWKS()); <-time.After(50 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatalf("still %s, want %s", jwks(), want.JWKS())
		}
	}
	for _, s := range want.States() {
		if s.Use != "next" && !bytes.Contains(before, []byte(s.ID)) {
			t.Errorf("key %s (%s) was not published before", s.ID, s.Use)
		}
	}
	if days := consent.DevelopmentRegistry().ProofDays; want.States()[2].DropsAt.Before(time.Now().AddDate(0, 0, days)) {
		t.Errorf("the former key goes at %v, before its last receipt", want.States()[2].DropsAt)
	}
}
