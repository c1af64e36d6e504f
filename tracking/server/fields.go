// SPDX-License-Identifier: Apache-2.0

package server

import (
	"slices"

	"doorstep/consent"
	"doorstep/tracking/wire"
)

// fieldsOf is which fields of a frame may come in a session. It is made of the registry that is published, so
// that the two cannot differ: a field is taken if it is listed under a data type that a grant of this session allows;
// refused as not granted if it is listed elsewhere; and as undeclared if it is listed nowhere, whatever was granted.
type fieldsOf struct {
	fields  []string             // listed and granted, sorted
	refused map[string]wire.Code // all others of those that frames can have
}

// collected are the fields by which frames carry data, by the frame. What only makes a fix a fix (seq, t) or
// guards against one (app_state, precise) is no datum; a fix without a place is none at all.
var collected = map[wire.Type][]struct {
	name string
	in   func(*wire.In) bool
}{
	wire.Fix: {
		{"lat", always}, {"lng", always},
		{"accuracy_m", func(in *wire.In) bool { return in.AccuracyM != 0 }},
		{"accuracy_basis", func(in *wire.In) bool { return in.Basis != "" }},
		{"level", func(in *wire.In) bool { return in.HasLevel }},
		{"speed_mps", func(in *wire.In) bool { return in.HasSpeed }},
		{"heading_deg", func(in *wire.In) bool { return in.HasHeading }},
		{"source", func(in *wire.In) bool { return in.Source != "" }},
		{"mocked", func(in *wire.In) bool { return in.Mocked }},
	},
	wire.Help: {
		{"topic", always},
		{"show_me", func(in *wire.In) bool { return in.ShowMe }},
	},
	wire.Checkin: {
		{"kind", always},
		{"ref", func(in *wire.In) bool { return in.Ref != "" }},
	},
}

func always(*wire.In) bool { return true }

// permitted weighs every field that frames can have.
func permitted(reg *consent.Registry, granted []string) fieldsOf {
	f := fieldsOf{fields: reg.FieldsOf(granted), refused: map[string]wire.Code{}}
	for _, list := range collected {
		for _, c := range list {
			switch {
			case !reg.Declared(c.name):
				f.refused[c.name] = wire.CodeUndeclared
			case !slices.Contains(f.fields, c.name):
				f.refused[c.name] = wire.CodeNotGranted
			}
		}
	}
	return f
}

// unfit is the refusal of a frame that holds what it must not; nil if it does not. What is undeclared comes
// before what is not granted.
func (p *phone) unfit(in *wire.In) *wire.Error {
	var bad *wire.Error
	for _, c := range collected[in.Type] {
		code := p.may.refused[c.name]
		if code == "" || !c.in(in) || bad != nil && code != wire.CodeUndeclared {
			continue
		}
		bad = &wire.Error{Code: code, Field: c.name, Seq: in.Seq}
		if code == wire.CodeUndeclared {
			return bad
		}
	}
	return bad
}
