// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorstep/mobile-sdk-spec/go/sim"
)

// Programs that know only one kind of number, or write a byte order mark, are read like others.
func TestRecordingsOfOtherPrograms(t *testing.T) {
	zero, one := 0, 1
	for text, want := range map[string]struct {
		t     int64
		floor *int
	}{
		`{"t":1700000000000,"lat":54,"lng":3,"floor":null}`:          {1_700_000_000_000, nil},
		`{"t":1700000000000.0,"lat":54,"lng":3,"floor":0.0}`:         {1_700_000_000_000, &zero},
		`{"t":1.7e12,"lat":54.0,"lng":3.0,"floor":1e0}`:              {1_700_000_000_000, &one},
		`{"t":1234.5,"lat":54,"lng":3}`:                              {1235, nil},
		`{"t":-1234.4,"lat":54,"lng":3}`:                             {-1234, nil},
		`{"t":8640000000000000,"lat":54,"lng":3}`:                    {8_640_000_000_000_000, nil},
		`{"t":-8639999999999999,"lat":54,"lng":3}`:                   {-8_639_999_999_999_999, nil},
		"\ufeff" + `{"t":1,"lat":54,"lng":3,"floor":1}`:              {1, &one},
		"\ufeff\n" + `{"t":1,"lat":54,"lng":3,"floor":1}` + "\r\n  ": {1, &one},
	} {
		r := readFixes("in", strings.NewReader(text))
		f, err := r.next()
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if *f.T != want.t || (f.Floor == nil) != (want.floor == nil) || f.Floor != nil && *f.Floor != *want.floor {
			t.Errorf("%s: t %d, floor %v", text, *f.T, f.Floor)
		}
		if _, err := r.next(); !errors.Is(err, io.EOF) {
			t.Errorf("%s: then %v", text, err)
		}
	}
	for _, n := range []string{"8640000000000001", "-8640000000000001", "9223372036854775807", "1e300"} {
		_, err := readFixes("in", strings.NewReader(`{"t":`+n+`,"lat":54,"lng":3}`)).next()
		if err == nil || !strings.Contains(err.Error(), "in, line 1: t ") || !strings.Contains(err.Error(), "write Unix milliseconds") {
			t.Errorf("t %s: %v", n, err)
		}
	}
	for _, n := range []string{"1.5", "1e300", "-0.1", strconv.FormatFloat(1<<63, 'f', 0, 64)} {
		if _, err := readFixes("in", strings.NewReader(`{"t":1,"lat":54,"lng":3,"floor":`+n+`}`)).next(); err == nil {
			t.Errorf("floor %s passed", n)
		}
	}
}

// A walk takes what a replay takes.
func TestWalkReadsThatToo(t *testing.T) {
	c := wayFlags{Trace: "x"}
	read, err := c.readTrace(strings.NewReader("\ufeff{\"t\":0.0,\"lat\":54,\"lng\":3,\"floor\":0.0}\n \n{\"t\":1e3,\"lat\":54,\"lng\":3,\"accuracy_m\":null}\n"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := sim.NewTraceWalker(read, nil, sim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if w.Length() != time.Second {
		t.Errorf("the walk takes %s", w.Length())
	}
}
