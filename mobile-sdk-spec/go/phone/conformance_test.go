// SPDX-License-Identifier: Apache-2.0

package phone

import (
	"context"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstep/mobile-sdk-spec/conformance"
)

// judged plays scenarios with so many hands at once.
func judged(t *testing.T, w wrong, many int, names ...string) conformance.Report {
	t.Helper()
	suite, err := conformance.New(names...)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(suite)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	var all sync.WaitGroup
	for i := range many {
		all.Go(func() {
			h := &hands{url: server.URL, name: fmt.Sprint("go-", i), wrong: w}
			if err := h.run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	select {
	case <-suite.Done():
	case <-time.After(10 * time.Second): // the hands hear of the last end before the suite counts it
		t.Error("not every scenario was played")
	}
	return suite.Report()
}

func failures(r conformance.Report) string {
	var b strings.Builder
	for _, v := range r.Verdicts {
		if !v.OK {
			fmt.Fprintf(&b, "%s in %s: due: %s; seen: %s\n", v.Rule, v.Scenario, v.Due, v.Seen)
		}
	}
	return b.String()
}

// TestTheReferencePasses every rule in every story.
func TestTheReferencePasses(t *testing.T) {
	t.Parallel()
	r := judged(t, wrong{}, 16)
	if bad := failures(r); bad != "" {
		t.Error(bad)
	}
	if rules, err := conformance.Rules(); err != nil || len(r.Rules) != len(rules) || len(rules) < 30 {
		t.Errorf("%d of %d rules were judged; %v", len(r.Rules), len(rules), err)
	}
}
