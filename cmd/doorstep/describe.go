// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"doorstep/geofence"
)

// describe says what was found in a map and how well it serves: what phones can tell apart, what they
// fetch, and what was mended.
func describe(out io.Writer, path string, m loadedMap, everyNote bool) error {
	site := m.index.Site()
	zones, sensitive := 0, 0
	for _, l := range site.Levels {
		zones += len(l.Zones)
		for _, z := range l.Zones {
			if z.Sensitive {
				sensitive++
			}
		}
	}
	fmt.Fprintf(out, "%s: ok: store %s (%q), version %s, %s, %s (%d sensitive), %s\n",
		path, site.ID, site.Name, site.Version, count(len(site.Levels), "level"), count(zones, "zone"), sensitive, count(len(site.Doors), "door"))
	for _, l := range site.Levels {
		fmt.Fprintf(out, "  level %d (%q): %s\n", l.Ordinal, l.Name, count(len(l.Zones), "zone"))
	}
	for _, accuracy := range []float64{5, 10} {
		if n, area := site.Distinct(accuracy); zones > 0 {
			fmt.Fprintf(out, "  with fixes good to %.0f m phones can be certain of %.0f %% of the zones, %.0f %% of their area\n", accuracy, 100*n, 100*area)
		}
	}
	fence, err := m.index.Fence()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	fmt.Fprintf(out, "  phones fetch %.1f kB%s\n", float64(len(fence))/1000, missing(fence))
	printNotes(out, m.report, everyNote)
	return nil
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// missing says what did not fit into the fence.
func missing(fence []byte) string {
	switch {
	case !bytes.Contains(fence, []byte(`"cells":`)):
		return ", without cells and zones: the boundary alone is that large"
	case !bytes.Contains(fence, []byte(`"zones":`)):
		return ", without zones, which did not fit"
	}
	return ""
}

var (
	named   = regexp.MustCompile(`"[^"]*"`)
	numeral = regexp.MustCompile(`-?[0-9]+(\.[0-9]+)?`)
)

// sort is what two notes have in common that differ in numbers and ids only.
func sort(n geofence.Note) string {
	text := n.Text
	if !strings.Contains(text, " of kind ") { // where the quoted word is the point
		text = named.ReplaceAllString(text, "")
	}
	return numeral.ReplaceAllString(text, "")
}

// printNotes tells notes of one sort once, with the first place, and counts the others.
func printNotes(out io.Writer, report geofence.Report, every bool) {
	notes := map[string]int{}
	for _, n := range report.Notes {
		notes[sort(n)]++
	}
	for _, n := range report.Notes {
		more := notes[sort(n)] - 1
		switch {
		case more > 0 && !every:
			fmt.Fprintf(out, "  %s (and %d more like this: --notes)\n", n, more)
			notes[sort(n)] = 0 // told
		case more >= 0:
			fmt.Fprintf(out, "  %s\n", n)
		}
	}
}
