// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"os"
	"os/exec"
	"testing"

	"doorstep/tracking/server/console/consoletest"
)

// The public pages can be read with a screen reader, on a phone, in each direction of writing.
func TestPublicPagesAreAccessible(t *testing.T) {
	if _, err := exec.LookPath("chromium"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("chromium is missing")
		}
		t.Skip("chromium is not on this machine")
	}
	h := newHouse(t)
	n := h.ledger.Registry().Notices()[0]
	page := consoletest.OpenPage(t, consoletest.Browser(t), 390, 844)
	for _, path := range []string{"/rules?lang=ar", "/transparency?lang=zh", "/notices/" + n.Hash} {
		page.Open(h.url + path)
		page.Accessible(path)
		if wide := consoletest.JS[bool](page, "document.documentElement.scrollWidth > document.documentElement.clientWidth"); wide {
			t.Errorf("%s is wider than a phone", path)
		}
	}
}
