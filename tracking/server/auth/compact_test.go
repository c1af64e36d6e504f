// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"doorstep/tracking/server/problem"
)

// TestLargeIsRefusedUnparsed: what is above 4 KiB costs next to nothing, whatever it is.
func TestLargeIsRefusedUnparsed(t *testing.T) {
	w := newWorld(t)
	for name, raw := range map[string]string{
		"1 MiB of dots":    strings.Repeat(".", 1<<20),
		"1 MiB of braces":  strings.Repeat("eyJ7", 1<<18),
		"4 KiB and 1 byte": strings.Repeat("e", maxToken+1),
		"a long signature": w.edited(nil, nil) + strings.Repeat("A", maxToken),
		"1 MiB of nothing": strings.Repeat("\x00", 1<<20),
	} {
		var err error
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 100 {
			_, err = w.tokens.Shopper(t.Context(), raw)
		}
		runtime.ReadMemStats(&after)
		wantCode(t, err, 401, "token")
		if each := (after.TotalAlloc - before.TotalAlloc) / 100; each > 4<<10 {
			t.Errorf("%s: %d bytes allocated to refuse it", name, each)
		}
	}
}

// TestDecodePart: one text for one run of bytes, so that what is compared as text is compared whole.
func TestDecodePart(t *testing.T) {
	for s, ok := range map[string]bool{"AAA": true, "AA": true, "-_": false, "-w": true, "AB": false, "AAB": false, "A": false,
		"": false, "AA=": false, "AA==": false, "+w": false, "A\nA": false, "AA\r": false, " AA": false} {
		if _, err := decodePart(s); (err == nil) != ok {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// TestNestingIsBounded: the deepest and widest JSON that fits 4 KiB is refused before it is kept.
func TestNestingIsBounded(t *testing.T) {
	for text, ok := range map[string]bool{
		`{}`:                              true,
		`{"a":{"b":{"c":{}}}}`:            true,
		`{"a":{"b":{"c":{"d":{}}}}}`:      false,
		`{"a":[[[1]]]}`:                   true,
		`{"a":[[[[1]]]]}`:                 false,
		`{"a":1,"b":{"a":1}}`:             true,
		`{"a":1,"a":1}`:                   false,
		`{"a":1,"\u0061":1}`:              false,
		`{"a":1,"A":1}`:                   true, // names are exact here: "A" is just unknown
		`{"a":1} x`:                       false,
		`{"a":1`:                          false,
		`{"a"}`:                           false,
		`{"a":1,}`:                        false,
		`{1:1}`:                           false,
		`[1,]`:                            false,
		`{"a":NaN}`:                       false,
		`{` + manyNames(maxNames) + `}`:   true,
		`{` + manyNames(maxNames+1) + `}`: false,
	} {
		if err := unambiguous([]byte(text)); (err == nil) != ok {
			t.Errorf("%.40s: %v", text, err)
		}
	}
}

func manyNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = `"` + strings.Repeat("n", i+1) + `":0`
	}
	return strings.Join(names, ",")
}

// FuzzToken: no input panics, every refusal is one of the two, and nothing is accepted but what the
// issuer signed.
func FuzzToken(f *testing.F) {
	w := newWorld(f)
	good := w.edited(nil, nil)
	signed := good[:strings.LastIndexByte(good, '.')]
	for _, seed := range []string{good, signed + ".", "", "..", "...", strings.Repeat(".", 5000), good + "=", good + "\n",
		w.edited(fields{"alg": "none"}, nil), w.edited(fields{"alg": "HS256"}, nil), w.edited(fields{"kid": "../k1"}, nil),
		w.edited(nil, fields{"aud": []string{"a", "b"}}), w.edited(nil, fields{"exp": 1e300}), "eyJ9.eyJ9.eyJ9",
		w.signer.raw(`{"alg":"ES256","kid":"k1","alg":"none"}`, `{"a":[[[[[[]]]]]]}`), w.signer.raw("\xff", "\x00")} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		s, err := w.tokens.Shopper(t.Context(), raw)
		if err == nil {
			if !strings.HasPrefix(raw, signed+".") {
				t.Fatalf("accepted what was never signed: %q", raw)
			}
			return
		}
		p, ok := errors.AsType[*problem.Problem](err)
		if !ok || (p.Status != 401 && p.Status != 403) || p.Detail != "" || s != (Shopper{}) {
			t.Fatalf("answered %v with %+v", err, s)
		}
	})
}
