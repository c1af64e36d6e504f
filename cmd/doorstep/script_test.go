// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// The command line as people meet it: each script in testdata/script is a session with the program.
func TestScripts(t *testing.T) {
	store, err := filepath.Abs("demostore")
	if err != nil {
		t.Fatal(err)
	}
	receipts := receiptFolder(t)
	testscript.Run(t, testscript.Params{
		Dir:      filepath.Join("testdata", "script"),
		Deadline: time.Now().Add(5 * time.Minute), // a server that should have refused to start must not serve on
		Setup: func(e *testscript.Env) error {
			e.Setenv("STORE", store)
			e.Setenv("QUAY", quayFolder(t))
			e.Setenv("RECEIPTS", receipts)
			e.Setenv("PATH", os.Getenv("PATH")+string(os.PathListSeparator)+e.Getenv("PATH"))
			return nil
		},
	})
}
