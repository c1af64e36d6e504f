// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"fmt"
	"os"
	"testing"

	"doorstep/tracking/server/console/consoletest"
)

// browser is the Chromium of all tests here.
var browser consoletest.Shared

// TestMain ends the browser, and lays the pictures of all states on one sheet.
func TestMain(m *testing.M) {
	status := m.Run()
	if err := browser.Sheet(os.Getenv("DOORSTEP_SHOTS")); err != nil {
		fmt.Fprintln(os.Stderr, "no contact sheet:", err)
		status = max(status, 1)
	}
	browser.Close()
	os.Exit(status)
}
