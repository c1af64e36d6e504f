// SPDX-License-Identifier: Apache-2.0

package wire

import "github.com/go-faster/jx"

// frame writes one flat object. It is a value, so that a buffer on the caller's side is all the
// memory a frame needs.
type frame struct{ w jx.Writer }

func begin(b []byte, typ string) frame {
	f := frame{w: jx.Writer{Buf: b}}
	f.w.RawStr(`{"type":"`)
	f.w.RawStr(typ)
	f.w.RawStr(`"`)
	return f
}

func (f *frame) end() []byte {
	f.w.RawStr("}")
	return f.w.Buf
}

// name starts a member. Names are this package's own and need no escape.
func (f *frame) name(name string) {
	f.w.RawStr(`,"`)
	f.w.RawStr(name)
	f.w.RawStr(`":`)
}

func (f *frame) int(name string, v int64) {
	f.name(name)
	f.w.Int64(v)
}

func (f *frame) str(name, v string) {
	f.name(name)
	f.w.Str(v)
}

func (f *frame) bool(name string, v bool) {
	f.name(name)
	f.w.Bool(v)
}

// some writes a string only if it is not empty.
func (f *frame) some(name, v string) {
	if v != "" {
		f.str(name, v)
	}
}

// yes writes true, or nothing.
func (f *frame) yes(name string, v bool) {
	if v {
		f.bool(name, v)
	}
}

// more writes a number only if it is not zero.
func (f *frame) more(name string, v int64) {
	if v != 0 {
		f.int(name, v)
	}
}

// list writes an array of strings, [] for none.
func (f *frame) list(name string, vs []string) {
	f.name(name)
	f.w.ArrStart()
	for i, v := range vs {
		if i > 0 {
			f.w.Comma()
		}
		f.w.Str(v)
	}
	f.w.ArrEnd()
}

// Append adds the frame to b.
func (w Welcome) Append(b []byte) []byte {
	f := begin(b, "welcome")
	f.int("t", w.T)
	f.int("echo_t", w.EchoT)
	f.str("session", w.Session)
	f.str("word", w.Word)
	f.bool("resumed", w.Resumed)
	f.int("last_seq", w.LastSeq)
	f.str("resume", w.Resume)
	f.int("resume_ms", w.ResumeMS)
	f.int("lease_ms", w.LeaseMS)
	f.int("moving_ms", w.MovingMS)
	f.int("still_ms", w.StillMS)
	f.int("min_ms", w.MinMS)
	f.int("beat_ms", w.BeatMS)
	f.str("fence", w.Fence)
	f.list("purposes", w.Purposes)
	f.list("fields", w.Fields)
	f.int("auth_until", w.AuthUntil)
	return f.end()
}

// Append adds the frame to b.
func (a Ack) Append(b []byte) []byte {
	f := begin(b, "ack")
	f.int("t", a.T)
	f.int("seq", a.Seq)
	f.int("accepted_seq", a.AcceptedSeq)
	f.int("lease_until", a.LeaseUntil)
	if a.Refused != nil && !a.Refused.Empty() {
		f.refusals(a.Refused)
	}
	return f.end()
}

func (f *frame) refusals(r *Refusals) {
	f.name("refused")
	f.w.RawStr("{")
	first := true
	for i, n := range r.n {
		if n == 0 {
			continue
		}
		if !first {
			f.w.RawStr(",")
		}
		first = false
		f.w.RawStr(`"`)
		f.w.RawStr(string(codeTable[i].code))
		f.w.RawStr(`":`)
		f.w.UInt32(n)
	}
	f.w.RawStr("}")
}

// Append adds the frame to b.
func (s State) Append(b []byte) []byte {
	f := begin(b, "state")
	f.int("t", s.T)
	f.str("state", string(s.State))
	f.some("reason", s.Reason)
	f.more("code", int64(s.Code))
	f.more("last_accepted_t", s.LastAcceptedT)
	f.some("restart", string(s.Restart))
	return f.end()
}

// Append adds the frame to b.
func (s Seen) Append(b []byte) []byte {
	f := begin(b, "seen")
	f.str("by", s.By)
	f.some("team", s.Team)
	f.some("company", s.Company)
	f.yes("emergency", s.Emergency)
	f.int("since", s.Since)
	return f.end()
}

// Append adds the frame to b.
func (Unseen) Append(b []byte) []byte {
	f := begin(b, "unseen")
	return f.end()
}

// Append adds the frame to b.
func (h HelpUpdate) Append(b []byte) []byte {
	f := begin(b, "help_update")
	f.str("id", h.ID)
	f.str("state", string(h.State))
	return f.end()
}

// Append adds the frame to b.
func (c Call) Append(b []byte) []byte {
	f := begin(b, "call")
	f.str("id", c.ID)
	f.str("text", c.Text)
	f.int("until", c.Until)
	return f.end()
}

// Append adds the frame to b.
func (m Map) Append(b []byte) []byte {
	f := begin(b, "map")
	f.str("fence", m.Fence)
	f.str("url", m.URL)
	f.int("by", m.By)
	return f.end()
}

// Append adds the frame to b.
func (t Throttle) Append(b []byte) []byte {
	f := begin(b, "throttle")
	f.int("min_ms", t.MinMS)
	f.int("for_ms", t.ForMS)
	return f.end()
}

// Append adds the frame to b.
func (a AuthDue) Append(b []byte) []byte {
	f := begin(b, "auth_due")
	f.int("by", a.By)
	return f.end()
}

// Append adds the frame to b.
func (t TimeReply) Append(b []byte) []byte {
	f := begin(b, "time")
	f.int("t0", t.T0)
	f.int("t", t.T)
	return f.end()
}

// Append adds the frame to b.
func (w Withdrawn) Append(b []byte) []byte {
	f := begin(b, "withdrawn")
	f.str("id", w.ID)
	f.some("receipt", w.Receipt)
	f.name("removed")
	f.w.RawStr(`{"nodes":`)
	f.w.Int(w.Nodes)
	f.int("consoles", int64(w.Consoles))
	f.int("ms", w.MS)
	f.w.RawStr("}")
	return f.end()
}

// Append adds the frame to b.
func (e ErrorFrame) Append(b []byte) []byte {
	f := begin(b, "error")
	f.str("code", string(e.Code))
	f.str("scope", e.Scope)
	f.more("seq", e.Seq)
	f.some("field", e.Field)
	f.bool("retryable", e.Retryable)
	f.int("retry_ms", e.RetryMS)
	return f.end()
}
