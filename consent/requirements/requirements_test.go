// SPDX-License-Identifier: Apache-2.0

package requirements

import (
	"testing"

	"doorstep/consent/evidence"
)

var law = evidence.List{Lines: 47, Page: "../REQUIREMENTS.md", Few: 3, Intro: `# What the law asks, and what does it

Generated from requirements/lines.json; a test compares the two. Each line is a behaviour with a test. The test fails
when the guard is taken out: the last column counts the mutants of the real code that are applied to see it
(` + "`go test ./consent/requirements -run Mutants -all`" + `). It is engineering, not legal advice.
`}

func TestListIsWhole(t *testing.T)        { law.Whole(t) }
func TestPageIsTheList(t *testing.T)      { law.PageIs(t) }
func TestNamedTestsAreThere(t *testing.T) { law.TestsAreThere(t) }
func TestNamedTestsPassed(t *testing.T)   { law.TestsPassed(t) }
func TestMutants(t *testing.T)            { law.Mutated(t) }
