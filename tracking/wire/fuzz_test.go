// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	spec "doorstep/mobile-sdk-spec"
	"doorstep/tracking/wire"
)

// FuzzDecode compares the codec with an independent one: encoding/json, the published schema, and
// the three rules that a schema cannot say.
func FuzzDecode(f *testing.F) {
	for _, c := range vectors(f, "vectors/frames/in-*.json") {
		f.Add(c.bytes())
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var in wire.In
		err := in.Decode(raw)
		want := reference(raw)
		if (err == nil) != (want == nil) {
			t.Fatalf("codec: %v; reference: %v; frame: %q", err, want, raw)
		}
		if err == nil {
			sameAsJSON(t, in, raw)
			return
		}
		var e *wire.Error
		if !errors.As(err, &e) || !slices.Contains(wire.Codes(), e.Code) {
			t.Fatalf("not an error of the table: %#v", err)
		}
		if err := spec.Frame(spec.Out, e.Frame().Append(nil)); err != nil {
			t.Fatalf("its frame does not fit: %v", err)
		}
	})
}

// reference reads a frame strictly, with nothing of this package.
func reference(raw []byte) error {
	if len(raw) > 1024 {
		return errors.New("too large")
	}
	if !utf8.Valid(raw) {
		return errors.New("not UTF-8")
	}
	if err := plain(raw); err != nil {
		return err
	}
	// Ranges are of the number as read, not as written: 90.0000000000000000001 is 90.
	var read any
	if err := json.Unmarshal(raw, &read); err != nil {
		return err
	}
	again, err := json.Marshal(read)
	if err != nil {
		return err
	}
	return spec.Frame(spec.In, again)
}

// plain refuses duplicate names and integers written as fractions.
func plain(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	seen := map[string]bool{}
	depth, name := 0, ""
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			name = ""
			continue
		case string:
			if depth == 1 && name == "" {
				if seen[v] {
					return fmt.Errorf("%q twice", v)
				}
				seen[v], name = true, v
				continue
			}
		case json.Number:
			whole := slices.Contains([]string{"t", "t0", "seq", "level"}, name)
			if whole && strings.ContainsAny(v.String(), ".eE") {
				return fmt.Errorf("%s is not written as an integer", name)
			}
		}
		name = ""
	}
}

// TestNumbersAreExact: what comes in is the float that strconv reads, to the last bit.
func TestNumbersAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lat := rapid.Float64Range(-90, 90).Draw(t, "lat")
		form := rapid.SampledFrom([]byte{'e', 'f', 'g'}).Draw(t, "form")
		digits := rapid.IntRange(-1, 40).Draw(t, "digits")
		text := strconv.FormatFloat(lat, form, digits, 64)
		want, err := strconv.ParseFloat(text, 64)
		if err != nil || math.Abs(want) > 90 {
			t.Skip("rounded out of range")
		}
		var in wire.In
		frame := `{"type":"fix","seq":1,"t":1,"lat":` + text + `,"lng":3,"app_state":"foreground","precise":true}`
		if err := in.Decode([]byte(frame)); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if math.Float64bits(in.Lat) != math.Float64bits(want) {
			t.Fatalf("%s: got %v, want %v", text, in.Lat, want)
		}
	})
}

// TestDecodeForgets: nothing of one frame is left in the next.
func TestDecodeForgets(t *testing.T) {
	all := vectors(t, "vectors/frames/in-*.json")
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.SampledFrom(all).Draw(t, "first").bytes()
		second := rapid.SampledFrom(all).Draw(t, "second").bytes()
		var used, fresh wire.In
		_ = used.Decode(first)
		gotErr, wantErr := used.Decode(second), fresh.Decode(second)
		if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) || used != fresh {
			t.Fatalf("%q after %q differs from itself alone", second, first)
		}
	})
}

// TestDecodeDoesNotAlias: the caller may reuse its buffer.
func TestDecodeDoesNotAlias(t *testing.T) {
	raw := []byte(`{"type":"checkin","id":"01890a5d-ac96-774b-bcce-b302099a8057","kind":"pickup","ref":"A-1042"}`)
	var in wire.In
	if err := in.Decode(raw); err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] = 'x'
	}
	if in.Ref != "A-1042" || in.ID != "01890a5d-ac96-774b-bcce-b302099a8057" {
		t.Errorf("the frame changed with the buffer: %+v", in)
	}
}

func TestDecodeFixAllocatesNothing(t *testing.T) {
	raw := []byte(fixFrame)
	var in wire.In
	if n := testing.AllocsPerRun(200, func() {
		if err := in.Decode(raw); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
