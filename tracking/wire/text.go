// SPDX-License-Identifier: Apache-2.0

package wire

import "github.com/go-faster/jx"

// text reads a string field: a word of a list becomes its constant, free text is checked and copied.
func (p *parser) text(f field) bool {
	if p.d.Next() != jx.String {
		return p.wrongType(f, "a string")
	}
	s, err := p.d.StrBytes()
	if err != nil {
		return false
	}
	if !p.word(f, s) && !p.free(f, s) {
		p.badText(f, s)
	}
	return true
}

func (p *parser) badText(f field, s []byte) {
	e := &Error{Code: CodeRange, Field: fieldNames[f], Detail: "not a value, length or form that is declared"}
	switch {
	case f == fType:
		e.Code = CodeUndeclared
	case f == fAppState && string(s) == "background":
		e.Code, e.Detail = CodeBackground, "fixes are sent from the screen, or from a pocket after a decision of its own"
	}
	p.refuse(&p.wrong, e)
}

// word sets a field whose values are listed. The constants are returned, so nothing is copied.
func (p *parser) word(f field, s []byte) bool {
	in := p.in
	switch f {
	case fType:
		in.Type = typeOf(s)
		return in.Type != NoType
	case fBasis:
		return pick(s, &in.Basis, BasisP68, BasisP95, BasisUnknown)
	case fSource:
		return pick(s, &in.Source, SourceOS, SourceGNSS, SourceWiFi, SourceBLE, SourceTag, SourceWeb, SourceSim)
	case fAppState:
		return pick(s, &in.AppState, Foreground, Pocket)
	case fWhere:
		return pick(s, &in.Where, WhereEdge, WhereOut, WhereFar, WhereUnknown)
	case fKind:
		return pick(s, &in.Kind, CheckinPickup, CheckinAppointment)
	case fReason:
		return pick(s, &in.Reason, PauseUser, PauseBackground, PausePermission)
	case fScope:
		return pick(s, &in.Scope, WithdrawGrant, WithdrawStore, WithdrawAll)
	}
	return false
}

func pick[W ~string](s []byte, into *W, words ...W) bool {
	for _, w := range words {
		if string(s) == string(w) {
			*into = w
			return true
		}
	}
	return false
}

// free sets a field of free text, if its form is right.
func (p *parser) free(f field, s []byte) bool {
	in := p.in
	switch f {
	case fSDK:
		return keep(s, &in.SDK, 1, 64, isPrintable)
	case fLang:
		return keep(s, &in.Lang, 2, 35, isLang)
	case fFence:
		return keep(s, &in.Fence, 1, 64, isToken)
	case fResume:
		return keep(s, &in.Resume, 1, 256, isToken)
	case fTicket:
		return keep(s, &in.Ticket, 1, 256, isToken)
	case fID:
		return isUUID(s) && keep(s, &in.ID, 36, 36, isLang)
	case fTopic:
		return keep(s, &in.Topic, 1, 32, isTopic)
	case fRef:
		return keep(s, &in.Ref, 1, 64, isPrintable)
	}
	return false
}

// keep copies s if it has between least and most bytes, all of them fit.
func keep(s []byte, into *string, least, most int, fit func(byte) bool) bool {
	if len(s) < least || len(s) > most {
		return false
	}
	for _, c := range s {
		if !fit(c) {
			return false
		}
	}
	*into = string(s)
	return true
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
func isLang(c byte) bool  { return isAlnum(c) || c == '-' }
func isToken(c byte) bool { return isAlnum(c) || c == '-' || c == '_' || c == '.' || c == '~' }
func isTopic(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}
func isPrintable(c byte) bool { return c >= 0x20 && c < 0x7f }

// isUUID checks the 36-character form, in either case.
func isUUID(s []byte) bool {
	if len(s) != 36 {
		return false
	}
	for i, c := range s {
		dash := i == 8 || i == 13 || i == 18 || i == 23
		hex := c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
		if dash != (c == '-') || !dash && !hex {
			return false
		}
	}
	return true
}
