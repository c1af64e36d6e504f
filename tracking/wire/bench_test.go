// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"doorstep/tracking/wire"
)

const fixFrame = `{"type":"fix","seq":41,"t":1790000000000,"lat":30.2931,"lng":120.0751,"accuracy_m":12.5,` +
	`"accuracy_basis":"p68","level":1,"source":"os","mocked":false,"app_state":"foreground","precise":true}`

// plainFix is what encoding/json needs for the same frame.
type plainFix struct {
	Type      string  `json:"type"`
	Seq       int64   `json:"seq"`
	T         int64   `json:"t"`
	Lat       float64 `json:"lat"`
	Lng       float64 `json:"lng"`
	AccuracyM float64 `json:"accuracy_m"`
	Basis     string  `json:"accuracy_basis"`
	Level     *int    `json:"level"`
	Source    string  `json:"source"`
	Mocked    bool    `json:"mocked"`
	AppState  string  `json:"app_state"`
	Precise   bool    `json:"precise"`
}

func BenchmarkDecodeFix(b *testing.B) {
	raw := []byte(fixFrame)
	b.Run("wire", func(b *testing.B) {
		var in wire.In
		b.ReportAllocs()
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			if err := in.Decode(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding-json-strict", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(raw)))
		for b.Loop() {
			var in plainFix
			d := json.NewDecoder(bytes.NewReader(raw))
			d.DisallowUnknownFields()
			if err := d.Decode(&in); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkAppendAck(b *testing.B) {
	buf := make([]byte, 0, 256)
	var refused wire.Refusals
	refused.Add(wire.CodeAccuracy)
	b.ReportAllocs()
	for b.Loop() {
		buf = wire.Ack{T: 1790000000000, Seq: 41, AcceptedSeq: 40, LeaseUntil: 1790000030000, Refused: &refused}.Append(buf[:0])
	}
}
