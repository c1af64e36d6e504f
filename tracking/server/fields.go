// SPDX-License-Identifier: Apache-2.0

package server

import (
	"slices"
	"strings"
	"sync"

	"doorstep/consent"
	"doorstep/tracking/wire"
)

// fieldsOf is which fields of a frame may come in a session. It is made of the registry that is published, so
// that the two cannot differ: a field is taken if it is listed under a data type that a grant of this session allows;
// refused as not granted if it is listed elsewhere; and as undeclared if it is listed nowhere, whatever was granted.
type fieldsOf struct {
	fields  []string                 // listed and granted, sorted
	refused map[wire.Type][]unwanted // all others of those that frames can have: first what is undeclared
}

// datum is a field by which a frame carries data, and whether it is in one.
type datum struct {
	name string
	in   func(*wire.In) bool
}

// unwanted is one that must not come, and why.
type unwanted struct {
	datum
	code wire.Code
}

// collected are the fields by which frames carry data, by the frame. What only makes a fix a fix (seq, t) or
// guards against one (app_state, precise) is no datum; a fix without a place is none at all.
var collected = map[wire.Type][]datum{
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

// permits are the fields of every combination of data types that is granted, each weighed once: sessions share them.
type permits struct {
	mu  sync.Mutex // owns the rest
	reg *consent.Registry
	by  map[string]*fieldsOf // data types, joined
}

// of is what may come in a session with these data types.
func (p *permits) of(reg *consent.Registry, granted []string) *fieldsOf {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reg != reg { // it is another since something was published
		p.reg, p.by = reg, make(map[string]*fieldsOf)
	}
	key := strings.Join(granted, " ")
	if p.by[key] == nil {
		p.by[key] = permitted(reg, granted)
	}
	return p.by[key]
}

// permitted weighs every field that frames can have.
func permitted(reg *consent.Registry, granted []string) *fieldsOf {
	f := &fieldsOf{fields: reg.FieldsOf(granted), refused: map[wire.Type][]unwanted{}}
	for frame, list := range collected {
		var undeclared, notGranted []unwanted
		for _, c := range list {
			switch {
			case !reg.Declared(c.name):
				undeclared = append(undeclared, unwanted{c, wire.CodeUndeclared})
			case !slices.Contains(f.fields, c.name):
				notGranted = append(notGranted, unwanted{c, wire.CodeNotGranted})
			}
		}
		if all := append(undeclared, notGranted...); len(all) > 0 {
			f.refused[frame] = all
		}
	}
	return f
}

// unfit is the refusal of a frame that holds what it must not; nil if it does not. What is undeclared comes
// before what is not granted.
func (p *phone) unfit(in *wire.In) *wire.Error {
	for _, u := range p.may.refused[in.Type] {
		if u.in(in) {
			return &wire.Error{Code: u.code, Field: u.name, Seq: in.Seq}
		}
	}
	return nil
}
