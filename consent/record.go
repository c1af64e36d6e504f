// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"slices"
	"time"
)

// State is where a record stands, as in ISO/IEC TS 27560 and the W3C Data Privacy Vocabulary. Only Given and
// Renewed allow processing; the others return only through a new record. Before a record there is nothing to
// stand anywhere: Unknown is that there is none, Requested that a notice was served (Served).
//
//	no record ── served ──┬─ Given ────┬── Withdrawn, Revoked, Expired, Invalidated
//	                      ├─ Renewed ──┘   (Renewed: what was in force is decided anew; it takes the place of
//	                      ├─ Refused        the former record, which is Invalidated by it)
//	                      └─ Deferred
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

// logged reports whether the events of this state are in the log: all of them are.
func (s State) logged() bool {
	switch s {
	case Given, Renewed, RefusedState, Deferred, WithdrawnOver, RevokedOver, ExpiredOver, Invalidated:
		return true
	}
	return false
}

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
	RecordID      string `json:"record_id"` // UUIDv8, which follows from the answer; for an end, the id that was asked for
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
	Address string `json:"party_address,omitempty"`
	Email   string `json:"party_email,omitempty"`
	Phone   string `json:"party_phone,omitempty"`
}

// RecordEvent is what happened.
type RecordEvent struct {
	Time     time.Time  `json:"event_time"`             // the server's
	Claimed  *time.Time `json:"claimed_time,omitempty"` // the client's, as claimed
	Client   *time.Time `json:"client_time,omitempty"`  // the same, clamped to Time when it was too far ahead
	Validity string     `json:"validity_duration"`      // ISO 8601, "PT0S" where nothing is allowed
	Entity   Ref        `json:"entity_id"`              // the installation that decided; empty for a global stop
	Type     string     `json:"event_type"`             // "explicit consent", or the reason of an end
	State    string     `json:"event_state"`
	Method   string     `json:"method,omitempty"` // the control: button or switch
}

// Lasts is how long the event allows processing, 0 if not at all.
func (e RecordEvent) Lasts() time.Duration {
	var seconds int64
	if n, err := fmt.Sscanf(e.Validity, "PT%dS", &seconds); err != nil || n != 1 || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

const recordSchema = "ISO/IEC TS 27560:2023"

const nothingAllowed = "PT0S"

// happened is an event at the server's time, with what the client claims beside it. A claim of 1970 or
// before is none: it is the zero of one notation or another.
func happened(now, claim time.Time) RecordEvent {
	e := RecordEvent{Time: stamp(now), Validity: nothingAllowed}
	if claim.UnixMilli() > 0 {
		claimed, client := stamp(claim), stamp(claim)
		if claim.After(now.Add(ClaimAhead)) {
			client = e.Time
		}
		e.Claimed, e.Client = &claimed, &client
	}
	return e
}

// stamp is a time as records hold it: UTC, whole milliseconds, so that JSON gives it back unchanged.
func stamp(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// iso8601 is a duration in whole seconds, as records and data types write it.
func iso8601(d time.Duration) string { return fmt.Sprintf("PT%dS", int64(d/time.Second)) }

// baseRecord fills in what the registry says about some purposes.
func (l *Ledger) baseRecord(id string, subject Ref, purposes []string) Record {
	c := l.Registry().Controller
	r := Record{
		Header: RecordHeader{SchemaVersion: recordSchema, RecordID: id, Principal: subject},
		Processing: RecordProcessing{
			Purpose: append([]string{}, purposes...), Controllers: []string{c.ID}, Storage: l.Registry().Storage, WithdrawalMethod: l.Registry().Withdrawal,
		},
		Party: []Party{{ID: c.ID, Name: c.Name, Contact: c.Contact, Role: "pii controller", Address: c.Address, Email: c.Email, Phone: c.Phone}},
	}
	var data, recipients []string
	for _, name := range purposes {
		purpose, _ := l.Registry().Purpose(name)
		data, recipients = append(data, purpose.Data...), append(recipients, purpose.Recipients...)
	}
	r.Processing.inData(l.Registry(), data, recipients)
	return r
}

// inData fills in which data are processed, for how long they and what is kept beside them stay, and who receives them.
func (p *RecordProcessing) inData(reg *Registry, data, recipients []string) {
	p.PIIInformation, p.Recipients, p.Retention = slices.Clone(data), slices.Clone(recipients), nil
	for _, d := range data {
		t, _ := reg.dataType(d)
		p.Retention = append(p.Retention, d+" "+t.Retention)
	}
	for _, k := range reg.beside() {
		p.Retention = append(p.Retention, k.what+" "+isoSpan(k.span))
	}
	for _, list := range []*[]string{&p.PIIInformation, &p.Recipients, &p.Retention} {
		slices.Sort(*list)
		*list = append([]string{}, slices.Compact(*list)...) // a list without anything in it, and not null
	}
}

// decisionRecord is the record of an answer to a served notice.
func (l *Ledger) decisionRecord(id string, s Served, r DecisionRequest, life, now time.Time) Record {
	rec := l.baseRecord(id, s.Subject, []string{s.Purpose})
	if n, ok := l.Registry().NoticeByHash(s.Notice); ok { // what was asked, which can be less than what is declared
		rec.Processing.inData(l.Registry(), n.Data, n.Recipients)
	}
	rec.Processing.PrivacyNotice = s.NoticeID + "@" + s.Version
	rec.Processing.Language, rec.Processing.Jurisdiction, rec.Processing.Store = s.Lang, s.Jurisdiction, s.Scope.Store
	rec.Event = happened(now, r.DecidedAt)
	rec.Event.Entity, rec.Event.Type, rec.Event.Method = s.Scope.Installation, "explicit consent", r.Control
	switch r.Choice {
	case No:
		rec.Event.State = string(RefusedState)
	case NotNow:
		rec.Event.State = string(Deferred)
	default:
		rec.Event.State, rec.Event.Validity = string(Given), iso8601(life.Sub(now))
	}
	return rec
}

// Ended makes the ledger a Sealer: the event of an end and of the grants that it took.
func (l *Ledger) Ended(c EndCommand, took []EndedRecord) Event {
	var purposes, notices []string
	for _, t := range took {
		purposes, notices = append(purposes, t.Purpose), append(notices, t.Notice)
	}
	if len(took) == 0 && c.Purpose != "" {
		purposes = []string{c.Purpose}
	}
	slices.Sort(purposes)
	rec := l.baseRecord(c.ID, c.Subject, slices.Compact(purposes))
	if c.Kind != EndAll {
		rec.Processing.Store, rec.Event.Entity = c.Scope.Store, c.Scope.Installation
	}
	entity := rec.Event.Entity
	rec.Event = happened(c.Now, c.Claimed)
	rec.Event.Entity, rec.Event.Type, rec.Event.State = entity, string(c.Reason), string(StateAfter(c.Reason))
	slices.Sort(notices)
	notice := ""
	if notices = slices.Compact(notices); len(notices) == 1 {
		notice = notices[0]
	}
	return newEvent(rec, notice)
}
