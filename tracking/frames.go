// SPDX-License-Identifier: Apache-2.0

package tracking

// The frames a console is sent, as JSON. x and y are metres in the store's frame; a console never
// sees a latitude. t is Unix milliseconds of server time; offset is a change number, by which a
// console that reconnects knows what it has seen.

// AlertFrame is an alert as a console shows it. Zone, word and presence are joined live.
type AlertFrame struct {
	ID        string        `json:"id"`
	Kind      AlertKind     `json:"kind"`
	Topic     string        `json:"topic,omitempty"`
	Ref       string        `json:"ref,omitempty"`
	State     AlertState    `json:"state"`
	Version   int           `json:"version"`
	HolderTag string        `json:"holder_tag,omitempty"`
	Mine      bool          `json:"mine"`
	RaisedT   int64         `json:"raised_t"`
	ChangedT  int64         `json:"changed_t"`
	DueT      int64         `json:"due_t"`
	Presence  string        `json:"presence"` // visible, hidden, off, gone
	Reason    string        `json:"reason,omitempty"`
	Zone      *ZoneFrame    `json:"zone,omitempty"`
	Word      string        `json:"word,omitempty"`
	ShowMe    bool          `json:"show_me,omitempty"`
	Booking   *BookingFrame `json:"booking,omitempty"`
	Desk      string        `json:"desk,omitempty"`     // for a call: the zone to come to
	AtDesk    string        `json:"at_desk,omitempty"`  // for a call: near or at it; while visible
	Rule      string        `json:"rule,omitempty"`     // what staff read of the rule that raised it; while visible
	Priority  string        `json:"priority,omitempty"` // low or high; normal is left out
	Quiet     bool          `json:"quiet,omitempty"`    // others are told of it: no sound here
}

// BookingFrame is what the reference that somebody presented was found to be. Who it is, the order's code says.
type BookingFrame struct {
	Case  BookingCase `json:"case"`
	T     int64       `json:"t,omitempty"` // when it is due
	Desk  string      `json:"desk,omitempty"`
	Proxy bool        `json:"proxy,omitempty"` // somebody else than who booked was to come
	Store string      `json:"store,omitempty"` // where it is, if that is another
}

// ZoneFrame names the zone a visit is in, certain or likely.
type ZoneFrame struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Level  int    `json:"level"`
	Likely bool   `json:"likely"`
}

type (
	snapshotFrame struct {
		Type   string       `json:"type"`
		Offset int64        `json:"offset"`
		Alerts []AlertFrame `json:"alerts"`
	}
	alertFrame struct {
		Type   string     `json:"type"`
		Offset int64      `json:"offset"`
		Alert  AlertFrame `json:"alert"`
	}
	presenceFrame struct {
		Type     string `json:"type"`
		Alert    string `json:"alert"`
		Presence string `json:"presence"`
		T        int64  `json:"t"`
	}
	liveFrame struct {
		Type     string     `json:"type"`
		Alert    string     `json:"alert"`
		Zone     *ZoneFrame `json:"zone"`
		Word     string     `json:"word"`
		Rule     string     `json:"rule,omitempty"`
		AtDesk   string     `json:"at_desk,omitempty"`
		Priority string     `json:"priority,omitempty"`
		Quiet    bool       `json:"quiet,omitempty"`
	}
	positionFrame struct {
		Type      string  `json:"type"`
		Alert     string  `json:"alert"`
		N         int64   `json:"n"`
		X         float64 `json:"x"`
		Y         float64 `json:"y"`
		AccuracyM float64 `json:"accuracy_m"`
		Level     *int    `json:"level"`
		T         int64   `json:"t"`
	}
	goneFrame struct {
		Type   string `json:"type"`
		Alert  string `json:"alert"`
		Offset int64  `json:"offset"`
		Reason string `json:"reason"`
		T      int64  `json:"t"`
		Proof  string `json:"proof"`
	}
	beatFrame struct {
		Type    string `json:"type"`
		N       int64  `json:"n"`
		Serving bool   `json:"serving"`
	}
	errorFrame struct {
		Type   string `json:"type"`
		Code   string `json:"code"`
		Alert  string `json:"alert,omitempty"`
		Detail string `json:"detail"`
	}
)

// The values of presence.
const (
	presenceVisible = "visible"
	presenceHidden  = "hidden"
	presenceOff     = "off"
	presenceGone    = "gone"
)
