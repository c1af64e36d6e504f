// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"io"
	"unicode/utf8"

	"github.com/go-faster/jx"
)

// Decode reads one frame into in, which it overwrites. A refusal is an [*Error]; in then holds
// nothing to be used.
//
// Of several faults the answer does not depend on the order of the fields: what cannot be read as
// JSON comes first, then what is not declared, then wrong and out-of-range values in the order they
// came, then what is missing.
func (in *In) Decode(b []byte) error {
	*in = In{}
	if len(b) > MaxIn {
		return &Error{Code: CodeTooLarge, Detail: "a frame has at most 1024 bytes"}
	}
	if !utf8.Valid(b) {
		return &Error{Code: CodeNotUTF8}
	}
	p := parser{in: in, raw: b}
	p.d.ResetBytes(b)
	if !p.object() {
		if p.aborted {
			p.wrong.Seq = in.Seq
			return p.wrong
		}
		return malformed("", "not one JSON object")
	}
	if err := p.verdict(); err != nil {
		err.Seq = in.Seq
		return err
	}
	return nil
}

// parser is one pass over one frame. It goes on after a wrong value, so that the answer can name
// the frame's number wherever that stands.
type parser struct {
	d          jx.Decoder
	in         *In
	raw        []byte
	seen       mask
	undeclared *Error // the first of each kind
	wrong      *Error
	aborted    bool // wrong is the answer although reading could not go on
}

// object reads the whole text. It reports whether it is one JSON object and nothing after it.
func (p *parser) object() bool {
	if p.d.Next() != jx.Object {
		return false
	}
	it, err := p.d.ObjIter()
	if err != nil {
		return false
	}
	for it.Next() {
		if !p.member(it.Key()) {
			return false
		}
	}
	return it.Err() == nil && p.d.Skip() == io.EOF
}

// member reads one value. It reports whether reading can go on.
func (p *parser) member(key []byte) bool {
	f := fieldOf(key)
	if f == fNone {
		p.refuse(&p.undeclared, &Error{Code: CodeUndeclared, Field: safeName(key), Detail: "not a field of this protocol"})
		return p.d.Skip() == nil
	}
	if p.seen.has(f) {
		p.refuse(&p.wrong, malformed(fieldNames[f], "given twice"))
		return p.d.Skip() == nil
	}
	p.seen |= 1 << f
	return p.value(f)
}

func (p *parser) refuse(slot **Error, e *Error) {
	if *slot == nil {
		*slot = e
	}
}

// verdict weighs what was found against the shape of the type.
func (p *parser) verdict() *Error {
	if p.in.Type == NoType {
		return firstOf(p.undeclared, p.wrong, malformed("type", "missing"))
	}
	shape := shapes[p.in.Type]
	if extra := p.seen &^ (shape.must | shape.may); extra != 0 && p.undeclared == nil {
		p.undeclared = &Error{Code: CodeUndeclared, Field: fieldNames[extra.first()], Detail: "not declared for this type"}
	}
	if e := firstOf(p.undeclared, p.wrong); e != nil {
		return e
	}
	if missing := shape.must &^ p.seen; missing != 0 {
		return malformed(fieldNames[missing.first()], "missing")
	}
	return nil
}

func firstOf(errs ...*Error) *Error {
	for _, e := range errs {
		if e != nil {
			return e
		}
	}
	return nil
}

func malformed(field, detail string) *Error {
	return &Error{Code: CodeMalformed, Field: field, Detail: detail}
}

// safeName repeats a stranger's field name only if it looks like one: a name could carry a value.
func safeName(key []byte) string {
	if len(key) == 0 || len(key) > 32 {
		return "?"
	}
	for i, c := range key {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '_') {
			return "?"
		}
	}
	return string(key)
}
