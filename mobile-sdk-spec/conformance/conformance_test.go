// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	spec "doorstep/mobile-sdk-spec"
)

// TestEveryRuleIsInTheSpecification, and section 10 names those that a run judges, and no other.
func TestEveryRuleIsInTheSpecification(t *testing.T) {
	raw, err := spec.Files.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	rules, err := Rules()
	if err != nil || len(rules) < 30 {
		t.Fatal(len(rules), err)
	}
	for _, r := range rules {
		if !bytes.Contains(raw, []byte("- **"+r+"** ")) {
			t.Errorf("SPEC.md has no rule %s", r)
		}
	}
	_, listed, _ := strings.Cut(string(raw), "It judges the rules ")
	listed, _, _ = strings.Cut(listed, ";")
	if got := named10(listed); !slices.Equal(got, rules) {
		t.Errorf("section 10 names %v\nthe run judges   %v", got, rules)
	}
}

// named10 reads "A-1, A-4 to A-6 and B-1".
func named10(text string) (out []string) {
	for _, m := range regexp.MustCompile(`([A-Z])-(\d+)(?: to [A-Z]-(\d+))?`).FindAllStringSubmatch(text, -1) {
		first, _ := strconv.Atoi(m[2])
		last, _ := strconv.Atoi(m[3]) // 0 if there is none
		for n := first; n <= max(first, last); n++ {
			out = append(out, m[1]+"-"+strconv.Itoa(n))
		}
	}
	return out
}

// TestStoriesAreWellMade: a name that can be in a token, one thing a step, a rule with what is due.
func TestStoriesAreWellMade(t *testing.T) {
	all, err := Scenarios()
	if err != nil || len(all) < 50 {
		t.Fatal(len(all), err)
	}
	seen := map[string]bool{}
	for _, sc := range all {
		if !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(sc.Name) || seen[sc.Name] || sc.Story == "" || len(sc.Steps) == 0 {
			t.Errorf("%q: a name twice, or no story", sc.Name)
		}
		seen[sc.Name] = true
		for i, s := range sc.Steps {
			if (s.Rule == "") != (s.Due == "") {
				t.Errorf("%s, step %d: a rule, or what is due, without the other", sc.Name, i+1)
			}
			if s.At != "" && s.At != "nowhere" && at(s.Command).Lat == 0 {
				t.Errorf("%s, step %d: there is no place %q", sc.Name, i+1, s.At)
			}
		}
	}
	for name, p := range places {
		if inside := isInside(firstFence, p[0], p[1]); inside != slices.Contains([]string{"inside", "elsewhere", "east", "both"}, name) {
			t.Errorf("%s is inside: %v", name, inside)
		}
	}
}

func TestReports(t *testing.T) {
	suite, err := New("visit", "far")
	if err != nil {
		t.Fatal(err)
	}
	p := suite.play("visit")
	p.judge("A-10", true, "x", "y")
	p.judge("A-2", false, "nothing <secret>", "a \"query\"")
	p.judge("A-13", false, "an echo of the failure before", "")
	p.over = true
	r := suite.Report()
	if r.OK || !slices.Equal(r.Unplayed, []string{"far"}) || !slices.Equal(r.Rules, []Rule{{"A-2", 0, 1}, {"A-10", 1, 0}}) {
		t.Errorf("%+v", r)
	}
	var text, asJSON, asXML bytes.Buffer
	for _, err := range []error{r.Text(&text), r.JSON(&asJSON), r.JUnit(&asXML)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{"A-2   BROKEN 0 of 1 times", "visit: due: nothing <secret>; seen: a \"query\"", "not played to its end: far", "does not conform"} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("no %q in\n%s", line, text.String())
		}
	}
	var back Report
	if err := json.Unmarshal(asJSON.Bytes(), &back); err != nil || len(back.Verdicts) != 2 {
		t.Errorf("%v: %+v", err, back)
	}
	var suiteXML junitSuite
	if err := xml.Unmarshal(asXML.Bytes(), &suiteXML); err != nil || suiteXML.Tests != 3 || suiteXML.Failures != 2 {
		t.Errorf("%v\n%s", err, asXML.String())
	}
}

// A run says how far it has come, and what ended a story.
func TestAStoryThatHasEndedIsTold(t *testing.T) {
	suite, err := New("visit", "far")
	if err != nil {
		t.Fatal(err)
	}
	var told []Told
	suite.OnTold(func(s Told) { told = append(told, s) })
	suite.play("far").judge("P-4", false, "x", "y")
	suite.over(suite.play("visit"))
	suite.over(suite.play("far"))
	<-suite.Done()
	if !slices.Equal(told, []Told{{"visit", 1, 2, ""}, {"far", 2, 2, "P-4"}}) {
		t.Errorf("%+v", told)
	}
}

func TestThereIsNoSuchStory(t *testing.T) {
	if _, err := New("visit", "dance"); err == nil || !strings.Contains(err.Error(), `"dance"`) {
		t.Errorf("got %v", err)
	}
}

// A number may be lost with its connection, and only then may map_ok skip one. Numbers that begin anew are another rule's.
func TestANumberThatWasLost(t *testing.T) {
	for _, c := range []struct {
		seq     float64
		resumed bool
		broken  string
	}{{8, false, ""}, {9, false, "M-1"}, {7, false, "M-1"}, {6, false, "R-3"}, {8, true, ""}, {9, true, ""}, {7, true, "M-1"}, {1, true, "R-3"}} {
		suite, err := New("new-map")
		if err != nil {
			t.Fatal(err)
		}
		p := suite.play("new-map")
		p.seq, p.resumed, p.fetched = 7, c.resumed, suite.now()
		p.mapped(map[string]any{"fence": p.second(), "seq": c.seq})
		if broken := p.brokenRule(); broken != c.broken {
			t.Errorf("map_ok from %v after 7, resumed: %v: broken %q, want %q", c.seq, c.resumed, broken, c.broken)
		}
	}
}
