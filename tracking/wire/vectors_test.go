// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"strings"
	"testing"

	spec "doorstep/mobile-sdk-spec"
	"doorstep/tracking/wire"
)

// vectorCase is one line of vectors/frames/in-*.json, which no implementation wrote.
type vectorCase struct {
	Name   string `json:"name"`
	Text   string `json:"text"`
	Base64 []byte `json:"base64"`
	Code   string `json:"code"`
	Field  string `json:"field"`
	Seq    int64  `json:"seq"`
	Schema string `json:"schema"` // what the schema alone says of a bad frame: rejects, accepts, either
}

func (c vectorCase) bytes() []byte {
	if c.Base64 != nil {
		return c.Base64
	}
	return []byte(c.Text)
}

// vectors reads every case of the files that match, and fails if there is none.
func vectors(t testing.TB, glob string) []vectorCase {
	t.Helper()
	names, err := fs.Glob(spec.Files, glob)
	if err != nil {
		t.Fatal(err)
	}
	var all []vectorCase
	for _, name := range names {
		raw, err := spec.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var file struct{ Cases []vectorCase }
		if err := json.Unmarshal(raw, &file); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(file.Cases) == 0 {
			t.Fatalf("%s has no cases", name)
		}
		all = append(all, file.Cases...)
	}
	if len(all) == 0 {
		t.Fatalf("no vectors in %s", glob)
	}
	return all
}

func TestDecodeAgreesWithTheVectors(t *testing.T) {
	for _, c := range vectors(t, "vectors/frames/in-*.json") {
		t.Run(c.Name, func(t *testing.T) {
			var in wire.In
			err := in.Decode(c.bytes())
			if c.Code == "" {
				if err != nil {
					t.Fatalf("refused: %v", err)
				}
				sameAsJSON(t, in, c.bytes())
				return
			}
			var e *wire.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want %s", err, c.Code)
			}
			if string(e.Code) != c.Code || e.Field != c.Field || e.Seq != c.Seq {
				t.Errorf("got code %q field %q seq %d, want %q %q %d", e.Code, e.Field, e.Seq, c.Code, c.Field, c.Seq)
			}
		})
	}
}

func TestSchemasAgreeWithTheVectors(t *testing.T) {
	for _, c := range vectors(t, "vectors/frames/in-*.json") {
		t.Run(c.Name, func(t *testing.T) {
			err := spec.Frame(spec.In, c.bytes())
			switch {
			case c.Code == "" && err != nil:
				t.Errorf("the schema refuses a good frame: %v", err)
			case c.Schema == "accepts" && err != nil:
				t.Errorf("only the codec should refuse this: %v", err)
			case c.Schema == "rejects" && err == nil:
				t.Error("the schema accepts a bad frame")
			}
		})
	}
}

// TestErrorsRepeatNoValues holds the refusals against what was sent: names may be repeated, values not.
func TestErrorsRepeatNoValues(t *testing.T) {
	for _, c := range vectors(t, "vectors/frames/in-*.json") {
		var in wire.In
		err := in.Decode(c.bytes())
		if err == nil {
			continue
		}
		for _, value := range []string{"30.29", "120.07", "00:00:5e", "01890a5d", "Ada"} {
			if strings.Contains(err.Error(), value) {
				t.Errorf("%s: the error repeats %q: %v", c.Name, value, err)
			}
		}
	}
}

// sameAsJSON compares the decoded frame, member by member, with what encoding/json reads.
func sameAsJSON(t *testing.T, in wire.In, raw []byte) {
	t.Helper()
	var want map[string]any
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	got := members(in)
	for name, w := range want {
		g, ok := got[name]
		if !ok {
			t.Errorf("%s was lost", name)
		} else if g != w {
			t.Errorf("%s = %v, want %v", name, g, w)
		}
	}
}

// members is In as encoding/json would show it, empty fields included.
func members(in wire.In) map[string]any {
	return map[string]any{
		"type": in.Type.String(), "t": float64(in.T), "t0": float64(in.T0), "seq": float64(in.Seq),
		"lat": in.Lat, "lng": in.Lng, "accuracy_m": in.AccuracyM, "accuracy_basis": string(in.Basis),
		"level": float64(in.Level), "speed_mps": in.SpeedMPS, "heading_deg": in.HeadingDeg,
		"source": string(in.Source), "mocked": in.Mocked, "app_state": string(in.AppState), "precise": in.Precise,
		"where": string(in.Where), "sdk": in.SDK, "lang": in.Lang, "fence": in.Fence, "resume": in.Resume,
		"ticket": in.Ticket, "id": in.ID, "topic": in.Topic, "ref": in.Ref, "show_me": in.ShowMe,
		"kind": string(in.Kind), "reason": string(in.Reason), "scope": string(in.Scope),
	}
}
