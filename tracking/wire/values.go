// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"bytes"
	"strconv"

	"github.com/go-faster/jx"
)

// value reads the value of a declared field. It reports whether reading can go on.
func (p *parser) value(f field) bool {
	in := p.in
	switch f {
	case fT:
		return p.integer(f, 1, MaxSafe, &in.T)
	case fT0:
		return p.integer(f, 0, MaxSafe, &in.T0)
	case fSeq:
		return p.integer(f, 1, MaxSafe, &in.Seq)
	case fLat:
		return p.number(f, -90, 90, &in.Lat)
	case fLng:
		return p.number(f, -180, 180, &in.Lng)
	case fAccuracy:
		return p.number(f, 0, MaxAccuracyM, &in.AccuracyM)
	case fLevel:
		var v int64
		ok := p.integer(f, -100, 300, &v)
		in.Level, in.HasLevel = int(v), true
		return ok
	case fSpeed:
		in.HasSpeed = true
		return p.number(f, 0, 1000, &in.SpeedMPS)
	case fHeading:
		in.HasHeading = true
		ok := p.number(f, 0, 360, &in.HeadingDeg)
		if in.HeadingDeg == 360 {
			p.outOfRange(f)
		}
		return ok
	case fMocked:
		return p.boolean(f, &in.Mocked)
	case fPrecise:
		return p.boolean(f, &in.Precise)
	case fShowMe:
		return p.boolean(f, &in.ShowMe)
	}
	return p.text(f)
}

func (p *parser) outOfRange(f field) {
	p.refuse(&p.wrong, &Error{Code: CodeRange, Field: fieldNames[f], Detail: "out of range"})
}

// wrongType notes a value of another type and steps over it.
func (p *parser) wrongType(f field, want string) bool {
	p.refuse(&p.wrong, malformed(fieldNames[f], want+" expected"))
	return p.d.Skip() == nil
}

// number reads a float exactly as strconv does, in lo ≤ v ≤ hi.
func (p *parser) number(f field, lo, hi float64, into *float64) bool {
	num, ok := p.digits(f)
	if num == nil {
		return ok
	}
	v, err := strconv.ParseFloat(string(num), 64)
	if err != nil || v < lo || v > hi { // the syntax was checked: an error is an overflow
		p.outOfRange(f)
		return true
	}
	*into = v
	return true
}

// digits reads a number's text, which is valid JSON. It is nil if there is none; ok then says
// whether reading can go on.
func (p *parser) digits(f field) (num jx.Num, ok bool) {
	kind := p.d.Next()
	if kind != jx.Number {
		return nil, p.notANumber(f, kind)
	}
	raw, err := p.d.Raw() // what Num does, without looking at the type once more
	if err != nil {
		return nil, p.notANumber(f, kind)
	}
	return jx.Num(raw), true
}

// notANumber tells the not-a-numbers of sloppy encoders, which are out of range, from other
// values, which are of the wrong type. JSON has no such literals, so reading ends there.
func (p *parser) notANumber(f field, kind jx.Type) bool {
	if kind != jx.Invalid && kind != jx.Number {
		return p.wrongType(f, "a number")
	}
	_, rest, _ := bytes.Cut(p.raw, []byte(`"`+fieldNames[f]+`"`))
	rest = bytes.TrimLeft(rest, " \t\r\n:-")
	if bytes.HasPrefix(rest, []byte("NaN")) || bytes.HasPrefix(rest, []byte("Infinity")) {
		p.outOfRange(f)
		p.aborted = true
	}
	return false
}

// integer reads an integer written without fraction or exponent, in lo ≤ v ≤ hi.
func (p *parser) integer(f field, lo, hi int64, into *int64) bool {
	num, ok := p.digits(f)
	if num == nil {
		return ok
	}
	if !num.IsInt() {
		p.refuse(&p.wrong, malformed(fieldNames[f], "an integer without fraction or exponent expected"))
		return true
	}
	v, fits := parseInt(num)
	if !fits || v < lo || v > hi {
		p.outOfRange(f)
		return true
	}
	*into = v
	return true
}

// parseInt reads -?[0-9]+; false on overflow. The digits were checked before.
func parseInt(num []byte) (int64, bool) {
	neg := num[0] == '-'
	if neg {
		num = num[1:]
	}
	if len(num) > 18 {
		return 0, false
	}
	var v int64
	for _, c := range num {
		v = v*10 + int64(c-'0')
	}
	if neg {
		v = -v
	}
	return v, true
}

func (p *parser) boolean(f field, into *bool) bool {
	if p.d.Next() != jx.Bool {
		return p.wrongType(f, "true or false")
	}
	v, err := p.d.Bool()
	*into = v
	return err == nil
}
