// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	spec "doorstep/mobile-sdk-spec"
)

// Scenario is a story that a client is told, and what it must do in it.
type Scenario struct {
	Name  string // [a-z0-9-], part of tokens
	Story string
	Needs string // what not every platform can: pocket
	Steps []Step
}

// Step is one thing that the server's part does, or one thing that the client is due to do. Exactly one
// of the first group is set.
type Step struct {
	Do      string          // a command to the hands: the rest of it is Command's
	Expect  string          // an event must come, within Within
	Never   string          // an event must not come, for For; no more than Most times
	Shows   string          // the client must come to show this state, within Within
	Follows []string        // states that the server's part says one after the other; the client must show each, most of them promptly
	Say     json.RawMessage // a frame to the client; "$now" and "$now+N" are server time
	Close   int             // the socket, with this code
	Cut     bool            // the socket, without a word
	Refuse  *refusal        // the next requests of a kind
	Welcome json.RawMessage // members of every later welcome, in place of the usual ones
	Server  string          // what the server's part does from here on: see play.turn
	After   string          // steps that are defined once, under this name

	MayFail bool   `json:"may_fail"` // of Do: the SDK may say that it could not
	Command        // of Do
	With    any    `json:"with"`      // of Expect: members that the event must have; "$x" stands for what it was the first time
	Not     any    `json:"not"`       // of Expect: members that it must not have
	Within  int64  `json:"within_ms"` // 6,000 if 0
	For     int64  `json:"for_ms"`
	Stay    bool   // of Expect: what is expected next may have come before it
	Later   bool   // what has come before does not count; of Never: nor what is under way
	Since   int64  `json:"since_ms"` // of Expect: it may not come sooner than this after the step began
	Most    int    // of Never: so many may come
	Located *bool  `json:"located"` // of Shows: whether location is on
	Rule    string // the rule that is judged
	Due     string // what was due, in words
}

// refusal answers the next requests of a kind with a problem.
type refusal struct {
	On      string
	Status  int
	Code    string
	RetryMS int64 `json:"retry_ms"`
	Times   int   // once if 0
}

// scenarios reads the data, and makes one scenario of each close code of the vectors.
func scenarios() ([]Scenario, error) {
	var file struct {
		About     string
		Parts     map[string][]Step
		Retry     []Step
		Terminal  []Step
		Scenarios []Scenario
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return nil, fmt.Errorf("conformance: scenarios.json: %w", err)
	}
	codes, err := closeCodes()
	if err != nil {
		return nil, err
	}
	all := file.Scenarios
	for _, c := range codes {
		steps := file.Terminal
		if c.Kind == "retry" {
			steps = file.Retry
		}
		all = append(all, Scenario{Name: fmt.Sprint("close-", c.Code), Story: "The server closes with " + fmt.Sprint(c.Code, ", ", c.Name, "."), Steps: withCode(steps, c.Code)})
	}
	for i := range all {
		all[i].Steps = unfold(all[i].Steps, file.Parts)
	}
	return all, nil
}

type closeCode struct {
	Code       int
	Name, Kind string
}

// closeCodes are those that one end of a connection can bring about at the other: 1015 is no code, but what a
// failed handshake below looks like.
func closeCodes() ([]closeCode, error) {
	var file struct{ Cases []closeCode }
	raw, err := spec.Files.ReadFile("vectors/close-codes.json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		return nil, fmt.Errorf("conformance: close-codes.json: %w", err)
	}
	return slices.DeleteFunc(file.Cases, func(c closeCode) bool { return c.Code == 1015 || c.Code < 1000 || c.Code > 4999 }), nil
}

// withCode puts the code where a close is to be. 1006 is no close at all.
func withCode(steps []Step, code int) []Step {
	out := slices.Clone(steps)
	for i := range out {
		if out[i].Close == 0 {
			continue
		}
		if out[i].Close = code; code == 1006 {
			out[i].Close, out[i].Cut = 0, true
		}
	}
	return out
}

// unfold puts the steps of parts where they are named.
func unfold(steps []Step, parts map[string][]Step) []Step {
	var out []Step
	for _, s := range steps {
		if s.After == "" {
			out = append(out, s)
			continue
		}
		out = append(out, unfold(parts[s.After], parts)...)
	}
	return out
}

// Rules lists every rule of SPEC.md that a run judges, sorted.
func Rules() ([]string, error) {
	all, err := scenarios()
	if err != nil {
		return nil, err
	}
	found := maps.Clone(always)
	delete(found, Carried)
	for _, sc := range all {
		for _, s := range sc.Steps {
			if s.Rule != "" {
				found[s.Rule] = ""
			}
		}
	}
	return slices.SortedFunc(maps.Keys(found), byRule), nil
}

// byRule sorts A-2 before A-10.
func byRule(a, b string) int {
	la, na, _ := strings.Cut(a, "-")
	lb, nb, _ := strings.Cut(b, "-")
	if la != lb {
		return strings.Compare(la, lb)
	}
	if len(na) != len(nb) {
		return len(na) - len(nb)
	}
	return strings.Compare(na, nb)
}
