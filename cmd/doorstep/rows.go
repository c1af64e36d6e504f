// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/csv"
	"fmt"
	"io"
	"strings"
)

// csvRows reads rows of CSV, each of longestLine bytes at most, and passes over blank lines.
type csvRows struct{ *csv.Reader }

func readRows(in io.Reader) csvRows {
	r := csv.NewReader(&boundedRows{in: in, line: 1, start: 1})
	r.FieldsPerRecord = -1
	r.ReuseRecord = true
	return csvRows{r}
}

// next is the next row that is not blank, and the number of its line. It is good until the next call.
func (r csvRows) next() ([]string, int, error) {
	for {
		row, err := r.Read()
		if err != nil {
			return nil, 0, err
		}
		if len(row) > 1 || strings.TrimSpace(row[0]) != "" {
			line, _ := r.FieldPos(0)
			return row, line, nil
		}
	}
}

// boundedRows hands bytes on until a row is too long. A row ends at the end of a line, unless a quote is
// open there; without the bound one that is never closed would take all the memory there is.
type boundedRows struct {
	in          io.Reader
	line, start int // of the byte, and where its row began; from 1
	n           int // bytes of the row
	quoted      bool
}

// longRow is a row too long, by the line where it began.
type longRow int

func (l longRow) Error() string {
	return fmt.Sprintf("line %d: longer than %d bytes: write one place a line, and close every quote", int(l), longestLine)
}

func (b *boundedRows) Read(p []byte) (int, error) {
	n, err := b.in.Read(p)
	for i, c := range p[:n] {
		b.n++
		switch c {
		case '"':
			b.quoted = !b.quoted
		case '\n':
			if b.line++; !b.quoted {
				b.n, b.start = 0, b.line
			}
		}
		if b.n > longestLine {
			return i, longRow(b.start)
		}
	}
	return n, err
}
