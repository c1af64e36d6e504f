// SPDX-License-Identifier: Apache-2.0

package wire

// field numbers every field that any frame from the app may have; mask is a set of them.
type field uint8
type mask uint32

const (
	fType field = iota
	fT
	fT0
	fSeq
	fLat
	fLng
	fAccuracy
	fBasis
	fLevel
	fSpeed
	fHeading
	fSource
	fMocked
	fAppState
	fPrecise
	fWhere
	fSDK
	fLang
	fFence
	fResume
	fTicket
	fID
	fTopic
	fRef
	fShowMe
	fKind
	fReason
	fScope
	fNone // not declared
)

var fieldNames = [fNone]string{
	"type", "t", "t0", "seq", "lat", "lng", "accuracy_m", "accuracy_basis", "level", "speed_mps", "heading_deg",
	"source", "mocked", "app_state", "precise", "where", "sdk", "lang", "fence", "resume", "ticket", "id", "topic",
	"ref", "show_me", "kind", "reason", "scope",
}

// fieldOf is a switch and not a search, because it runs for every field of every fix.
func fieldOf(key []byte) field {
	switch string(key) {
	case "type":
		return fType
	case "t":
		return fT
	case "t0":
		return fT0
	case "seq":
		return fSeq
	case "lat":
		return fLat
	case "lng":
		return fLng
	case "accuracy_m":
		return fAccuracy
	case "accuracy_basis":
		return fBasis
	case "level":
		return fLevel
	case "speed_mps":
		return fSpeed
	case "heading_deg":
		return fHeading
	case "source":
		return fSource
	case "mocked":
		return fMocked
	case "app_state":
		return fAppState
	case "precise":
		return fPrecise
	case "where":
		return fWhere
	}
	return rareField(key)
}

func rareField(key []byte) field {
	for f := fSDK; f < fNone; f++ {
		if string(key) == fieldNames[f] {
			return f
		}
	}
	return fNone
}

func set(fields ...field) (m mask) {
	for _, f := range fields {
		m |= 1 << f
	}
	return m
}

func (m mask) has(f field) bool { return m&(1<<f) != 0 }

// first is the lowest field of a set that is not empty.
func (m mask) first() field {
	f := fType
	for ; f < fNone && !m.has(f); f++ {
	}
	return f
}

// shapes says for each type which fields it must have and which it may have.
var shapes = [...]struct{ must, may mask }{
	Hello: {set(fType, fT, fSDK, fLang, fFence), set(fResume)},
	Fix: {set(fType, fSeq, fT, fLat, fLng, fAppState, fPrecise),
		set(fAccuracy, fBasis, fLevel, fSpeed, fHeading, fSource, fMocked)},
	Outside:  {set(fType, fSeq, fT, fWhere), 0},
	Help:     {set(fType, fID, fTopic), set(fShowMe)},
	Checkin:  {set(fType, fID, fKind), set(fRef)},
	Pause:    {set(fType, fReason), 0},
	Time:     {set(fType, fT0), 0},
	Auth:     {set(fType, fTicket), 0},
	MapOK:    {set(fType, fFence, fSeq), 0},
	Withdraw: {set(fType, fID, fScope), 0},
	Bye:      {set(fType), 0},
}
