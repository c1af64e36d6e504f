// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// The forms of a receipt in which others read it. None of them is signed: the receipt is what proves.

// Form names one of them.
type Form string

// The forms.
const (
	FormRecord  Form = "record"  // the record as ISO/IEC TS 27560 names its fields
	FormDPV     Form = "dpv"     // JSON-LD in the W3C Data Privacy Vocabulary, profile dpv-27560
	FormKantara Form = "kantara" // Kantara Initiative consent receipt 1.1.0; for what was given only
)

// As gives the receipt in a form, as JSON. Kantara's knows nothing but consent that was given: a refusal or an
// end answers ErrRequest.
func (r Receipt) As(f Form) (json.RawMessage, error) {
	if r.IssuedAt == nil || r.ExpiresAt == nil || r.ID == "" {
		return nil, fmt.Errorf("%w: it says neither when it was issued nor what it is about: this is no receipt", ErrRequest)
	}
	var v any
	switch f {
	case FormRecord:
		v = r.Record
	case FormDPV:
		v = r.dpv()
	case FormKantara:
		if !State(r.Record.Event.State).Allows() {
			return nil, fmt.Errorf("%w: Kantara's form is for consent that was given, and this is %q", ErrRequest, r.Record.Event.State)
		}
		v = r.kantara()
	default:
		return nil, fmt.Errorf("%w: %q is no form of a receipt", ErrRequest, f)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("a receipt as %s: %w", f, err)
	}
	return text, nil
}

// formTime is a time as the forms write it.
func formTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// notStated stands where Kantara's form wants something that the registry does not say.
const notStated = "not stated"

func stated(s string) string {
	if s == "" {
		return notStated
	}
	return s
}

// kantara is the receipt by the fields of the Kantara Initiative's specification, version 1.1.0, of 2018-02-20.
func (r Receipt) kantara() node {
	p, e := r.Record.Processing, r.Record.Event
	controllers := []node{}
	for _, party := range r.Record.Party {
		controllers = append(controllers, node{
			"piiController": party.Name, "onBehalf": false, "contact": party.Contact, "email": stated(party.Email), "phone": stated(party.Phone),
			"address": node{"streetAddress": stated(party.Address)}, "piiControllerUrl": party.ID,
		})
	}
	purposes := []node{}
	for _, name := range p.Purpose {
		purposes = append(purposes, node{
			"purpose": name, "purposeCategory": []string{"1 - Core Function"}, "consentType": "EXPLICIT", "piiCategory": p.PIIInformation, "primaryPurpose": true,
			"termination": fmt.Sprintf("at the latest %s; before that when it is withdrawn: %s", formTime(e.Time.Add(e.Lasts())), p.WithdrawalMethod),
			// Recipients are kinds of readers among the controller's own people; who else is told stands in the journal.
			"thirdPartyDisclosure": false,
		})
	}
	out := node{
		"version": "KI-CR-v1.1.0", "jurisdiction": p.Jurisdiction, "consentTimestamp": e.Time.Unix(), "consentReceiptID": r.ID, "language": p.Language,
		"collectionMethod": "a " + stated(e.Method) + " in an app, after a notice", "piiPrincipalId": r.Subject, "piiControllers": controllers,
		"policyUrl": r.Issuer, "services": []node{{"service": "being found by staff in the store " + p.Store, "purposes": purposes}},
		"sensitive": false, "spiCat": []string{},
	}
	if slices.Contains(p.PIIInformation, "position") { // precise location: PIPL 28, CPRA 1798.140
		out["sensitive"], out["spiCat"] = true, []string{"precise location"}
	}
	return out
}
