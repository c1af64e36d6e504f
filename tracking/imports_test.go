// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The rules of the house: tracking reaches the network, Redis and SQL through its ports only.
func TestImports(t *testing.T) {
	banned := map[string]string{
		"net":                          "transport lives next to what it transports, in server",
		"net/http":                     "transport lives next to what it transports, in server",
		"database/sql":                 "the ledger is a port; SQL stays in sqlstore",
		"github.com/redis/go-redis/v9": "the live state is a port; Redis stays in live",
		"doorstep/tracking/live":       "the port is here, its adapters are there",
		"doorstep/tracking/server":     "the server is built on this, not the other way round",
		"doorstep/consent/sqlstore":    "the ledger is a port",
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".go") || strings.HasSuffix(e.Name(), "_test.go") {
			continue
		}
		files++
		f, err := parser.ParseFile(token.NewFileSet(), e.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range f.Imports {
			path, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if why, bad := banned[path]; bad {
				t.Errorf("%s imports %s: %s", e.Name(), path, why)
			}
		}
	}
	if files == 0 {
		t.Fatal("no file was read")
	}
}
