// SPDX-License-Identifier: Apache-2.0

// Package wire is the codec of the app's socket: JSON text frames between a phone and a node.
//
// What comes in is strict: one flat object of at most [MaxIn] bytes whose every field is declared
// for its type, within its range, and there at most once. What is not declared is not collected,
// so it is refused by name. What goes out is appended to the caller's buffer. Neither way
// needs reflection or a map; a fix is decoded without an allocation.
//
// Units: metres, metres a second, degrees (WGS 84; headings clockwise from north), and Unix
// milliseconds of server time. The frames are described for people in mobile-sdk-spec/SPEC.md and
// for machines in mobile-sdk-spec/schemas; the tests there hold this package against both.
package wire

// Limits of the socket. They are the specification's own.
const (
	MaxIn       = 1 << 10   // bytes of a frame from the app
	MaxOut      = 16 << 10  // bytes of a frame to the app
	MaxPerSec   = 5         // frames a second from the app
	MaxSafe     = 1<<53 - 1 // the largest integer of a frame: what every JSON reader holds exactly
	Subprotocol = "doorstep.v1"
)

// Prefixes of the second subprotocol offered at the opening, before a base64url token.
const (
	TicketPrefix = "doorstep.ticket."
	ResumePrefix = "doorstep.resume."
)

// MaxAccuracyM is the largest accuracy radius that is a number worth reading; beyond it, range.
const MaxAccuracyM = 100_000

// Type names a frame from the app.
type Type uint8

// The frames from the app. Their fields are in the comments of [In].
const (
	NoType Type = iota
	Hello
	Fix
	Outside
	Help
	Checkin
	Pause
	Time
	Auth
	MapOK
	Withdraw
	Bye
)

var typeNames = [...]string{
	Hello: "hello", Fix: "fix", Outside: "outside", Help: "help", Checkin: "checkin", Pause: "pause",
	Time: "time", Auth: "auth", MapOK: "map_ok", Withdraw: "withdraw", Bye: "bye",
}

// String is the type's name in a frame, "" for none.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return ""
}

// typeOf finds a type by its name in a frame.
func typeOf(name []byte) Type {
	for t := Hello; t <= Bye; t++ {
		if string(name) == typeNames[t] {
			return t
		}
	}
	return NoType
}
