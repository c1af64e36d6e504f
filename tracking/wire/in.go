// SPDX-License-Identifier: Apache-2.0

package wire

// AccuracyBasis says what share of true positions a stated radius holds.
type AccuracyBasis string

// The bases: 68 % on Android, 95 % on the web, undefined on iOS.
const (
	BasisP68     AccuracyBasis = "p68"
	BasisP95     AccuracyBasis = "p95"
	BasisUnknown AccuracyBasis = "unknown"
)

// Source says what made the fix.
type Source string

// The sources.
const (
	SourceOS   Source = "os"
	SourceGNSS Source = "gnss"
	SourceWiFi Source = "wifi"
	SourceBLE  Source = "ble"
	SourceTag  Source = "tag"
	SourceWeb  Source = "web"
	SourceSim  Source = "sim"
)

// AppState says where the app is. Anything else than these two is refused as background.
type AppState string

// The states of the app in which a fix may be sent.
const (
	Foreground AppState = "foreground"
	Pocket     AppState = "pocket" // needs a decision of its own
)

// Where says how far outside the phone knows itself to be.
type Where string

// The answers of the phone's own fence.
const (
	WhereEdge    Where = "edge"    // within the doubt of the fix: nothing changes, nothing is renewed
	WhereOut     Where = "out"     // outside: suspends
	WhereFar     Where = "far"     // more than 100 m outside: ends
	WhereUnknown Where = "unknown" // no usable fix: nothing is renewed
)

// PauseReason says why an app goes quiet.
type PauseReason string

// The reasons of a pause.
const (
	PauseUser       PauseReason = "user"
	PauseBackground PauseReason = "background"
	PausePermission PauseReason = "permission"
)

// CheckinKind says what a shopper came for.
type CheckinKind string

// The kinds of a check-in.
const (
	CheckinPickup      CheckinKind = "pickup"
	CheckinAppointment CheckinKind = "appointment"
)

// Scope says how much a withdrawal takes.
type Scope string

// The scopes: the session's purposes, everything at this store, everything everywhere.
const (
	WithdrawGrant Scope = "grant"
	WithdrawStore Scope = "store"
	WithdrawAll   Scope = "all"
)

// In is any frame from the app: Type says which fields mean something. The zero value is ready
// and may be decoded into again and again; nothing in it refers to the decoded bytes afterwards.
//
//	hello    T, SDK, Lang, Fence, Resume?
//	fix      Seq, T, Lat, Lng, AppState, Precise; AccuracyM (0 unknown), Basis, Level, SpeedMPS, HeadingDeg, Source, Mocked
//	outside  Seq, T, Where
//	help     ID, Topic, ShowMe?
//	checkin  ID, Kind, Ref?
//	pause    Reason
//	time     T0 (the phone's clock)
//	auth     Ticket
//	map_ok   Fence, Seq
//	withdraw ID, Scope
//	bye
type In struct {
	Type Type

	T, T0, Seq int64 // Unix milliseconds; Seq from 1

	Lat, Lng   float64 // degrees, WGS 84
	AccuracyM  float64 // radius; 0 is unknown
	Basis      AccuracyBasis
	Level      int // the map's ordinal, if HasLevel
	HasLevel   bool
	SpeedMPS   float64 // if HasSpeed
	HasSpeed   bool
	HeadingDeg float64 // 0 ≤ h < 360, clockwise from north, if HasHeading
	HasHeading bool
	Source     Source // empty when not said
	Mocked     bool
	AppState   AppState
	Precise    bool
	Where      Where
	SDK, Lang  string
	Fence      string // version of the map held, or now in use
	Resume     string
	Ticket     string
	ID         string // UUID in its 36-character form
	Topic, Ref string
	ShowMe     bool
	Kind       CheckinKind
	Reason     PauseReason
	Scope      Scope
}
