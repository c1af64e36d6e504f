// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	spec "doorstep/mobile-sdk-spec"
	"doorstep/tracking/wire"
)

const (
	someID = "01890a5d-ac96-774b-bcce-b302099a8057"
	now    = 1790000000000
)

func refusals(codes ...wire.Code) *wire.Refusals {
	var r wire.Refusals
	for _, c := range codes {
		r.Add(c)
	}
	return &r
}

// frames pairs one or more values of each frame with the text that vectors/frames/out-good.json has for it.
var frames = map[string]interface{ Append([]byte) []byte }{
	"welcome": wire.Welcome{T: now, EchoT: now, Session: "5b1d0f2c9a7e4630", Word: "Maple ▲ green", Resume: "Zm9vYmFy_-",
		ResumeMS: 30000, LeaseMS: 30000, MovingMS: 2000, StillMS: 10000, MinMS: 1000, BeatMS: 10000, Fence: "v",
		Purposes: []string{"assist"}, Fields: []string{"lat", "lng", "accuracy_m"}, AuthUntil: now},
	"welcome back": wire.Welcome{T: now, EchoT: now, Session: "5b1d0f2c9a7e4630", Word: "Maple ▲ green", Resumed: true, LastSeq: 41,
		Resume: "Zm9vYmFy_-", ResumeMS: 30000, LeaseMS: 30000, MovingMS: 2000, StillMS: 10000, MinMS: 1000, BeatMS: 10000, Fence: "v", AuthUntil: now},
	"ack":                              wire.Ack{T: now, Seq: 41, AcceptedSeq: 40, LeaseUntil: now + 30000, Refused: refusals(wire.CodeAccuracy, wire.CodeStale, wire.CodeStale)},
	"ack before anything was accepted": wire.Ack{T: now, Refused: &wire.Refusals{}},
	"state entering":                   wire.State{T: now, State: wire.StateEntering},
	"state active":                     wire.State{T: now, State: wire.StateActive, LastAcceptedT: now},
	"state suspended":                  wire.State{T: now, State: wire.StateSuspended, Reason: "seems_out", LastAcceptedT: now},
	"state ended, left":                wire.State{T: now, State: wire.StateEnded, Reason: "left_store", Code: 4501, LastAcceptedT: now, Restart: wire.ByUser},
	"state ended, may be retried":      wire.State{T: now, State: wire.StateEnded, Reason: "silent", Code: 4003},
	"seen":                             wire.Seen{By: "floor", Team: "Shoes", Since: now},
	"seen, in an emergency":            wire.Seen{By: "floor", Company: "Quay Security", Emergency: true, Since: now},
	"unseen":                           wire.Unseen{},
	"help_update":                      wire.HelpUpdate{ID: someID, State: wire.HelpComing},
	"call":                             wire.Call{ID: someID, Text: "Come to the service desk", Until: now},
	"map":                              wire.Map{Fence: "v2", URL: "/v1/stores/harbour/fences/v2", By: now},
	"throttle":                         wire.Throttle{MinMS: 5000, ForMS: 60000},
	"auth_due":                         wire.AuthDue{By: now},
	"time":                             wire.TimeReply{T0: 12345, T: now},
	"time as a beat":                   wire.TimeReply{T: now},
	"withdrawn":                        wire.Withdrawn{ID: someID, Receipt: "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl", Nodes: 2, Consoles: 3, MS: 84},
	"error":                            wire.ErrorFrame{Code: wire.CodeStale, Scope: wire.ScopeFrame, Seq: 41, Retryable: true},
	"error with a field":               wire.ErrorFrame{Code: wire.CodeUndeclared, Scope: wire.ScopeFrame, Field: "device_id"},
	"error of the session":             wire.ErrorFrame{Code: "nobody_on_duty", Scope: wire.ScopeSession, Retryable: true, RetryMS: 60000},
}

func TestFramesAreTheVectors(t *testing.T) {
	cases := vectors(t, "vectors/frames/out-good.json")
	if len(cases) != len(frames) {
		t.Errorf("%d vectors, %d frames here", len(cases), len(frames))
	}
	for _, c := range cases {
		frame, ok := frames[c.Name]
		if !ok {
			t.Errorf("no frame for vector %q", c.Name)
			continue
		}
		got := frame.Append([]byte("kept"))
		if string(got[:4]) != "kept" {
			t.Fatalf("%s: overwrote the buffer", c.Name)
		}
		got = got[4:]
		if err := spec.Frame(spec.Out, got); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		if a, b := tree(t, got), tree(t, []byte(c.Text)); !reflect.DeepEqual(a, b) {
			t.Errorf("%s:\n got %s\nwant %s", c.Name, got, c.Text)
		}
	}
}

func tree(t *testing.T, raw []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	return v
}

// TestTextIsEscaped: whatever a word, a team or a text holds, the frame stays one JSON object.
func TestTextIsEscaped(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(1, 100, -1).Draw(t, "text")
		raw := wire.Call{ID: someID, Text: text, Until: now}.Append(nil)
		var got struct{ Text string }
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		if got.Text != text {
			t.Fatalf("got %q, want %q", got.Text, text)
		}
	})
}

func TestEveryCodeOfAFrameIsCounted(t *testing.T) {
	for _, c := range wire.Codes() {
		r := refusals(c, c)
		session := (&wire.Error{Code: c}).Close() != 0
		if r.Empty() != session {
			t.Errorf("%s: counted %v, ends the session %v", c, !r.Empty(), session)
		}
		raw := wire.Ack{T: now, Seq: 1, Refused: r}.Append(nil)
		if err := spec.Frame(spec.Out, raw); err != nil {
			t.Errorf("%s: %v", c, err)
		}
		r.Reset()
		if !r.Empty() {
			t.Errorf("%s: still there after Reset", c)
		}
		if c.Remedy() == "" {
			t.Errorf("%s has no remedy", c)
		}
	}
}
