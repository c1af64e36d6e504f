// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	spec "doorstep/mobile-sdk-spec"
)

// Every event of a life of consent has its forms, and each fits its schema: what was given in all three, the
// others in all but Kantara's, which knows nothing else.
func TestFormsFitTheirSchemas(t *testing.T) {
	d := newDesk(t)
	jws := map[string]string{
		"given": d.receipt(t, consent.ForATerm, nil), "renewed": d.receipt(t, consent.ThisVisit, nil),
		"deferred": d.receipt(t, consent.NotNow, nil), "refused": d.receipt(t, consent.No, nil),
	}
	end := func(r consent.EndRequest) string {
		t.Helper()
		r.ID = uuid.NewString()
		e, err := d.End(t.Context(), r)
		ok(t, err)
		return e.Receipt
	}
	scope := consent.Scope{Installation: d.request().Installation, Store: "shop"}
	d.receipt(t, consent.ForATerm, nil)
	jws["withdrawn"] = end(consent.EndRequest{Kind: consent.EndGrant, Scope: scope, Purpose: "assist", Reason: consent.Withdrawn, Claimed: d.now})
	d.receipt(t, consent.ForATerm, nil)
	jws["revoked"] = end(consent.EndRequest{Kind: consent.EndStore, Scope: scope, Reason: consent.Revoked})
	jws["withdrawn of nothing"] = end(consent.EndRequest{Kind: consent.EndAll, Subject: d.request().Subject, Reason: consent.Withdrawn})
	d.receipt(t, consent.ThisVisit, nil)
	d.now = d.now.Add(48 * time.Hour)
	jws["expired"] = end(consent.EndRequest{Kind: consent.EndGrant, Scope: scope, Purpose: "assist", Reason: consent.Expired})
	for name, text := range jws {
		r, err := consent.VerifyReceiptAt(text, d.keys.JWKS(), d.now)
		ok(t, err)
		state := strings.Fields(name)[0]
		if r.Record.Event.State != state {
			t.Errorf("%s: its state is %q", name, r.Record.Event.State)
		}
		for form, schema := range map[consent.Form]string{consent.FormRecord: "record", consent.FormDPV: "receipt-dpv", consent.FormKantara: "receipt-kantara"} {
			raw, err := r.As(form)
			if form == consent.FormKantara && state != "given" && state != "renewed" {
				if !errors.Is(err, consent.ErrRequest) {
					t.Errorf("%s as %s: %v", name, form, err)
				}
				continue
			}
			ok(t, err)
			if err := spec.Body(schema, raw); err != nil {
				t.Errorf("%s as %s: %v\n%s", name, form, err, raw)
			}
		}
	}
}

// What a receipt says is in each form of it, under the name that the form has for it.
func TestFormsSayWhatTheReceiptSays(t *testing.T) {
	d := newDesk(t)
	r, err := consent.VerifyReceiptAt(d.receipt(t, consent.ThisVisit, nil), d.keys.JWKS(), d.now)
	ok(t, err)
	raw, err := r.As(consent.FormDPV)
	ok(t, err)
	var ld struct {
		Record struct {
			Status struct {
				Type string `json:"@type"`
				At   string `json:"dpv:isIndicatedAtTime"`
			} `json:"dpv:hasConsentStatus"`
			Subject struct {
				ID string `json:"dct:identifier"`
			} `json:"dpv:hasDataSubject"`
			Notice struct {
				Hash string `json:"schema:sha256"`
			} `json:"dpv:hasNotice"`
		} `json:"dpv:hasRecordOfActivity"`
	}
	ok(t, json.Unmarshal(raw, &ld))
	if s := ld.Record; s.Status.Type != "dpv:ConsentGiven" || s.Status.At != "2026-03-01T10:20:30Z" || s.Subject.ID != r.Subject || s.Notice.Hash != r.NoticeHash {
		t.Errorf("%+v", s)
	}
	raw, err = r.As(consent.FormKantara)
	ok(t, err)
	var k struct {
		ID        string `json:"consentReceiptID"`
		At        int64  `json:"consentTimestamp"`
		Sensitive bool
		Services  []struct {
			Purposes []struct{ Purpose, Termination string }
		}
	}
	ok(t, json.Unmarshal(raw, &k))
	if p := k.Services[0].Purposes[0]; k.ID != r.ID || k.At != d.now.Unix() || !k.Sensitive || p.Purpose != "assist" || !strings.Contains(p.Termination, "2026-03-01T22:20:30Z") {
		t.Errorf("%+v", k)
	}
	if _, err := r.As("poem"); !errors.Is(err, consent.ErrRequest) {
		t.Errorf("an unknown form: %v", err)
	}
}
