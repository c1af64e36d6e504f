// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
)

// Report is what a run has found.
type Report struct {
	OK       bool      `json:"ok"`       // every scenario was played, and no rule was broken
	Unplayed []string  `json:"unplayed"` // scenarios that did not begin or did not end
	Rules    []Rule    `json:"rules"`
	Verdicts []Verdict `json:"verdicts"`
}

// Rule sums up the verdicts on one.
type Rule struct {
	Rule   string `json:"rule"`
	Kept   int    `json:"kept"`   // times it was seen to be kept
	Broken int    `json:"broken"` // and not
}

// Report is the state of the run: whole once Done is closed.
func (s *Suite) Report() Report {
	s.mu.Lock()
	plays := maps.Clone(s.plays)
	s.mu.Unlock()
	r := Report{Unplayed: []string{}}
	sums := map[string]*Rule{}
	for _, name := range slices.Sorted(maps.Keys(plays)) {
		found, over := plays[name].verdicts()
		if !over {
			r.Unplayed = append(r.Unplayed, name)
		}
		for _, v := range found {
			if sums[v.Rule] == nil {
				sums[v.Rule] = &Rule{Rule: v.Rule}
			}
			if v.OK {
				sums[v.Rule].Kept++
			} else {
				sums[v.Rule].Broken++
			}
		}
		r.Verdicts = append(r.Verdicts, found...)
	}
	r.OK = len(r.Unplayed) == 0
	for _, rule := range slices.SortedFunc(maps.Keys(sums), byRule) {
		r.Rules = append(r.Rules, *sums[rule])
		r.OK = r.OK && sums[rule].Broken == 0
	}
	return r
}

// Text writes the report for people: a line for each rule, and under it where it was broken.
func (r Report) Text(w io.Writer) error {
	for _, rule := range r.Rules {
		verdict := "kept  "
		if rule.Broken > 0 {
			verdict = "BROKEN"
		}
		if _, err := fmt.Fprintf(w, "%-5s %s %d of %d times\n", rule.Rule, verdict, rule.Kept, rule.Kept+rule.Broken); err != nil {
			return err
		}
		for _, v := range r.broken(rule.Rule) {
			if _, err := fmt.Fprintf(w, "      %s: due: %s; seen: %s\n", v.Scenario, v.Due, v.Seen); err != nil {
				return err
			}
		}
	}
	for _, name := range r.Unplayed {
		if _, err := fmt.Fprintf(w, "      not played to its end: %s\n", name); err != nil {
			return err
		}
	}
	verdict := "The SDK conforms."
	if !r.OK {
		verdict = "The SDK does not conform."
	}
	_, err := fmt.Fprintln(w, verdict)
	return err
}

func (r Report) broken(rule string) []Verdict {
	return slices.DeleteFunc(slices.Clone(r.Verdicts), func(v Verdict) bool { return v.OK || v.Rule != rule })
}

// JSON writes the report for programs.
func (r Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// The form that build servers read: https://github.com/testmoapp/junitxml.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class    string         `xml:"classname,attr"`
		Name     string         `xml:"name,attr"`
		Failures []junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
	}
)

// JUnit writes a test case for each rule, and one for each story that was not played.
func (r Report) JUnit(w io.Writer) error {
	s := junitSuite{Name: "doorstep conformance"}
	for _, rule := range r.Rules {
		c := junitCase{Class: "SPEC.md", Name: rule.Rule}
		for _, v := range r.broken(rule.Rule) {
			c.Failures = append(c.Failures, junitFailure{v.Scenario + ": due: " + v.Due + "; seen: " + v.Seen})
		}
		s.Cases = append(s.Cases, c)
	}
	for _, name := range r.Unplayed {
		s.Cases = append(s.Cases, junitCase{"scenario", name, []junitFailure{{"not played to its end"}}})
	}
	for _, c := range s.Cases {
		s.Tests++
		s.Failures += min(1, len(c.Failures))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", " ")
	if err := e.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
