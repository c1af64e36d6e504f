// SPDX-License-Identifier: Apache-2.0

package endcases

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"testing"

	"doorstep/consent/evidence"
	"doorstep/tracking/endmodel"
)

var cases = evidence.List{Lines: 31, Page: "../ENDING.md", Few: 1, Intro: `# What can happen to the end of a session, and what shows that it stays ended

Generated from endcases/lines.json; a test compares the two. First the cases, each with the tests that bring it about
with real processes wherever it is about them; then the guards of the model, each of which is taken out of the real code
as well: the last column counts the mutants that are applied to see that a test misses it
(` + "`go test ./tracking/endcases -run Mutants -all`" + `).
`}

func TestListIsWhole(t *testing.T)        { cases.Whole(t) }
func TestPageIsTheList(t *testing.T)      { cases.PageIs(t) }
func TestNamedTestsAreThere(t *testing.T) { cases.TestsAreThere(t) }
func TestNamedTestsPassed(t *testing.T)   { cases.TestsPassed(t) }
func TestMutants(t *testing.T)            { cases.Mutated(t) }

// Every guard of the model is a line, and no other is.
func TestGuardsAreTheModels(t *testing.T) {
	data, err := os.ReadFile("lines.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct {
		Group string
		Does  []string
	}
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	var got, want []string
	for _, l := range list {
		if l.Group == "Guards of the model" {
			got = append(got, l.Does[0])
		}
	}
	for i := range reflect.TypeFor[endmodel.Guards]().NumField() {
		want = append(want, "endmodel.Guards."+reflect.TypeFor[endmodel.Guards]().Field(i).Name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the list has %v, the model %v", got, want)
	}
}
