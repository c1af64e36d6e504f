// SPDX-License-Identifier: Apache-2.0

package wire

// Code names why a frame was refused. The values are the specification's, and the fence's
// refusals convert to it as they are.
type Code string

// The codes of a frame. The session goes on; ack counts them.
const (
	CodeOutside     Code = "outside"     // the fix lies outside the boundary
	CodeAccuracy    Code = "accuracy"    // unknown, zero or too wide
	CodeStale       Code = "stale"       // captured more than 15 s ago
	CodeFuture      Code = "future"      // captured more than 5 s ahead
	CodeOrder       Code = "order"       // the number is not above the last
	CodeMocked      Code = "mocked"      // a pretended location
	CodeSpeed       Code = "speed"       // faster than a person moves
	CodeRate        Code = "rate"        // more than five frames a second
	CodeUndeclared  Code = "undeclared"  // a field, type or value that is not declared
	CodeNotGranted  Code = "not_granted" // declared, but not in a grant of this session
	CodeBackground  Code = "background"  // not on screen, and no decision for the pocket
	CodeApproximate Code = "approximate" // approximate location only
	CodeRange       Code = "range"       // a number or a length out of its range
)

// The codes that end the session: the frame cannot be read as one of this protocol.
const (
	CodeMalformed Code = "malformed" // not JSON, a wrong type, a duplicate, something missing
	CodeTooLarge  Code = "too_large" // more than MaxIn bytes
	CodeNotUTF8   Code = "not_utf8"
)

// codeRow is what there is to say about a code.
type codeRow struct {
	code      Code
	retryable bool   // the same intention may be sent again, after the remedy
	close     int    // the close code that follows, 0 when the session goes on
	remedy    string // what the app does
}

var codeTable = [...]codeRow{
	{CodeOutside, false, 0, "Stop sending fixes; send `outside` and let the phone's own fence decide when to start again."},
	{CodeAccuracy, true, 0, "Send the next fix; ask for precise location if none gets below 50 m."},
	{CodeStale, true, 0, "Resynchronise the clock with a `time` frame and send a fresh fix; after a second refusal stop."},
	{CodeFuture, true, 0, "Resynchronise the clock with a `time` frame and send a fresh fix; after a second refusal stop."},
	{CodeOrder, false, 0, "Number frames upwards within a session, also after a resume."},
	{CodeMocked, false, 0, "Turn the pretended location off."},
	{CodeSpeed, true, 0, "Send the next fix; nothing is wrong if this is rare."},
	{CodeRate, true, 0, "Keep to min_ms of the last welcome or throttle."},
	{CodeUndeclared, false, 0, "Send only what the schema declares and welcome.fields lists."},
	{CodeNotGranted, false, 0, "Ask for the purpose with a prompt of its own, or leave the field out."},
	{CodeBackground, false, 0, "Pause when the app leaves the screen, or ask for the decision to stay on in a pocket."},
	{CodeApproximate, false, 0, "Offer precise location or a check-in by hand."},
	{CodeRange, false, 0, "Mend the value: see the field's schema for its range."},
	{CodeMalformed, false, CloseBadProtocol, "Mend the app: the frame does not fit its schema."},
	{CodeTooLarge, false, CloseTooBig, "Keep frames to 1 KiB."},
	{CodeNotUTF8, false, CloseNotUTF8, "Send text frames in UTF-8."},
}

func (c Code) row() codeRow {
	for _, r := range codeTable[:] {
		if r.code == c {
			return r
		}
	}
	return codeRow{code: c}
}

// Remedy says what the app does about the code; "" for a code of HTTP.
func (c Code) Remedy() string { return c.row().remedy }

// Retryable reports whether the same intention may be sent again, after the remedy.
func (c Code) Retryable() bool { return c.row().retryable }

// Codes lists every code, those of a frame first.
func Codes() []Code {
	out := make([]Code, len(codeTable))
	for i, r := range codeTable[:] {
		out[i] = r.code
	}
	return out
}

// Error is a frame that Decode refused.
type Error struct {
	Code   Code
	Field  string // the offending field; "?" when its name is not fit to be repeated; "" if none
	Seq    int64  // the frame's seq if it had a readable one, else 0
	Detail string // for the developer; never holds anything of the frame's values
}

// Error says the place and what is wrong there.
func (e *Error) Error() string {
	s := "frame " + string(e.Code)
	if e.Field != "" {
		s += ": field " + e.Field
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return s
}

// Close is the close code that must follow, or 0 when the session goes on.
func (e *Error) Close() int { return e.Code.row().close }

// Frame is the error frame that answers e.
func (e *Error) Frame() ErrorFrame {
	f := ErrorFrame{Code: e.Code, Scope: ScopeFrame, Seq: e.Seq, Field: e.Field, Retryable: e.Code.Retryable()}
	if e.Close() != 0 {
		f.Scope = ScopeSession
	}
	return f
}
