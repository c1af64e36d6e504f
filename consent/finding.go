// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Finding is one thing that is wrong with a registry or a notice, or that deserves a second look: where
// it is, what is missing, which duty wants it, and what to write. It is meant for whoever wrote the
// text, which is not always a developer.
type Finding struct {
	File    string `json:"file"`            // as in the registry's folder; "notice" for one that came by itself
	Line    int    `json:"line,omitempty"`  // from 1; 0: the file as a whole
	Field   string `json:"field,omitempty"` // the member, or the part of a notice
	Says    string `json:"says"`            // what is missing or wrong
	Law     string `json:"law,omitempty"`   // the article that wants it
	Remedy  string `json:"remedy"`          // what to write
	Warning bool   `json:"warning,omitempty"`
}

// String is the finding on one line.
func (f Finding) String() string {
	var b strings.Builder
	b.WriteString(f.File)
	if f.Line > 0 {
		fmt.Fprintf(&b, ":%d", f.Line)
	}
	b.WriteString(": ")
	if f.Warning {
		b.WriteString("warning: ")
	}
	if f.Field != "" {
		b.WriteString(f.Field + ": ")
	}
	b.WriteString(f.Says)
	if f.Law != "" {
		b.WriteString(" (" + f.Law + ")")
	}
	return b.String() + ". " + f.Remedy + "."
}

// RegistryError is a registry or a notice that is refused, with everything that was found. It belongs to
// the family ErrInvalid and is ErrRegistry to errors.Is.
type RegistryError struct{ Findings []Finding }

// Error lists the findings, one a line.
func (e *RegistryError) Error() string {
	lines := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the problem under which an edge renders it.
func (e *RegistryError) Unwrap() error { return ErrRegistry }

// refusal is the error of what was found, warnings apart; nil if they are all there is.
func refusal(found []Finding) error {
	wrong := slices.DeleteFunc(slices.Clone(found), func(f Finding) bool { return f.Warning })
	if len(wrong) == 0 {
		return nil
	}
	return &RegistryError{wrong}
}

// inOrder sorts findings as somebody mends them: errors first, then by file and line.
func inOrder(found []Finding) []Finding {
	slices.SortStableFunc(found, func(a, b Finding) int {
		return cmp.Or(order(a.Warning, b.Warning), cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(found)
}

func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// Findings are what an error of LoadRegistry or ParseNotice found; nil for another error.
func Findings(err error) []Finding {
	if e, ok := errors.AsType[*RegistryError](err); ok {
		return e.Findings
	}
	return nil
}
