// SPDX-License-Identifier: Apache-2.0

package consent

import "time"

// State is where a record stands, as in ISO/IEC TS 27560 and the W3C Data Privacy Vocabulary.
// Only Given and Renewed allow processing; the others return only through a new record.
type State string

// The states.
const (
	Given         State = "given"
	RefusedState  State = "refused"
	Deferred      State = "deferred"
	WithdrawnOver State = "withdrawn"
	RevokedOver   State = "revoked"
	ExpiredOver   State = "expired"
	Invalidated   State = "invalidated"
	Renewed       State = "renewed"
)

// Allows reports whether a record in this state allows processing.
func (s State) Allows() bool { return s == Given || s == Renewed }

// StateAfter is the state in which a reason leaves a grant.
func StateAfter(r Reason) State {
	switch r {
	case Expired:
		return ExpiredOver
	case Revoked:
		return RevokedOver
	case Superseded, Erased:
		return Invalidated
	}
	return WithdrawnOver
}

// Record is one consent event by the field names of ISO/IEC TS 27560.
type Record struct {
	Header     RecordHeader     `json:"header"`
	Processing RecordProcessing `json:"processing"`
	Party      []Party          `json:"party"`
	Event      RecordEvent      `json:"event"`
}

// RecordHeader names the record.
type RecordHeader struct {
	SchemaVersion string `json:"schema_version"`
	RecordID      string `json:"record_id"` // UUIDv7; for an end, the id that was asked for
	Principal     Ref    `json:"pii_principal_id"`
}

// RecordProcessing is what was decided about.
type RecordProcessing struct {
	PrivacyNotice    string   `json:"privacy_notice"` // id@version
	Language         string   `json:"language"`
	Purpose          []string `json:"purpose"` // exactly one when granted or refused; all it took, in an end
	Store            string   `json:"store,omitempty"`
	PIIInformation   []string `json:"pii_information"`
	Controllers      []string `json:"pii_controllers"`
	Storage          []string `json:"storage_locations"`
	Retention        []string `json:"retention_period"`
	Jurisdiction     string   `json:"jurisdiction"`
	Recipients       []string `json:"recipient_third_parties"`
	WithdrawalMethod string   `json:"withdrawal_method"`
}

// Party is somebody the record names.
type Party struct {
	ID      string `json:"party_id"`
	Name    string `json:"party_name"`
	Contact string `json:"party_contact"`
	Role    string `json:"party_role"`
}

// RecordEvent is what happened.
type RecordEvent struct {
	Time     time.Time  `json:"event_time"` // the server's
	Claimed  *time.Time `json:"claimed_time,omitempty"`
	Validity string     `json:"validity_duration"` // ISO 8601, "PT0S" where nothing is allowed
	Entity   Ref        `json:"entity_id"`         // the installation that decided; empty for a global stop
	Type     string     `json:"event_type"`        // "explicit consent", or the reason of an end
	State    string     `json:"event_state"`
	Method   string     `json:"method,omitempty"` // the control: button or switch
}

const recordSchema = "ISO/IEC TS 27560:2023"
