// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking"
)

// dayPlaces are what is sealed under the key of a day, which an erasure does not destroy.
var dayPlaces = []string{"alert", "ending", "feed", "motion", "outbox"}

// opened is all that the keyring can still open of what lies in the tables under the key of a day.
func (e *estate) opened() (texts []string) {
	e.Helper()
	for _, place := range dayPlaces {
		rows, err := e.db.reader.Query(`SELECT body FROM ` + place)
		e.ok(err)
		for rows.Next() {
			var sealed string
			e.ok(rows.Scan(&sealed))
			if text, err := e.db.ring.OpenDay(place, sealed); err == nil {
				texts = append(texts, place+" "+string(text))
			}
		}
		e.ok(errors.Join(rows.Err(), rows.Close()))
	}
	return texts
}

// tells lists which of the secrets are in the texts.
func tells(texts []string, secrets map[string]string) (out []string) {
	for what, secret := range secrets {
		for _, text := range texts {
			if place, _, _ := strings.Cut(text, " "); strings.Contains(text, secret) {
				out = append(out, what+" in "+place)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// After an erasure not even the server's own keys open anything of the person: what servers tell each other and what
// waits for a second person goes with the rest. Of an alert that is over, a topic and a booking are nowhere before that.
func TestErasureLeavesNothingToOpen(t *testing.T) {
	e := newEstate(t)
	defer e.close()
	ctx := t.Context()
	scope := consent.Scope{Installation: e.ana.installation, Store: "shop"}
	a, err := e.ledger.Admit(ctx, scope)
	e.ok(err)
	alert := tracking.Alert{ID: uuid.NewString(), Store: "shop", Visit: a.Visit, Kind: tracking.Arrived, Purpose: "assist", Topic: "fitting-room", Ref: "ORDER-4711"}
	_, _, err = e.db.RaiseAlert(ctx, alert)
	e.ok(err)
	glass := consent.Motion{ID: uuid.NewString(), Kind: consent.GlassMotion, Store: "shop", Body: []byte(`{"alert":"` + alert.ID + `"}`), By: "mei"}
	e.ok(e.ledger.Move(ctx, glass))
	for _, who := range []consent.Ref{e.ana.subject, e.keys.Subject("nobody yet"), e.mate.subject} {
		e.ok(e.ledger.AskDisclosure(ctx, consent.Disclosure{ID: uuid.NewString(), Subject: who, Recipient: "District court",
			Reason: "Order 17/2026, section 94", Fields: []string{"receipts"}}, "mei"))
	}
	secrets := map[string]string{"the visit": a.Visit, "the shopper": string(e.ana.subject), "the phone": string(e.ana.installation),
		"the alert": alert.ID, "the topic": alert.Topic, "the booking": alert.Ref}
	if got := tells(e.opened(), map[string]string{"the topic": alert.Topic, "the booking": alert.Ref}); !slices.Equal(got, []string{"the booking in alert", "the topic in alert"}) {
		t.Errorf("of an open alert: %v", got)
	}
	since, err := e.ledger.Admit(ctx, scope) // what a node knows that has not heard of the end
	e.ok(err)
	e.ok(e.db.Join(ctx, "late"))
	e.begin()
	seen := strings.Join(tells(e.opened(), secrets), ", ")
	for _, what := range []string{"the visit in feed", "the visit in outbox", "the alert in motion", "the shopper in motion", "the phone in feed"} {
		if !strings.Contains(seen, what) {
			t.Fatalf("this test does not see %s, but %s", what, seen)
		}
	}
	if strings.Contains(seen, "topic") || strings.Contains(seen, "booking") {
		t.Errorf("of an alert that is over: %s", seen)
	}
	e.erase()
	if left := tells(e.opened(), secrets); left != nil {
		t.Errorf("left: %v", left)
	}
	if waits, err := e.ledger.Motions(ctx, consent.DisclosureMotion, ""); err != nil || len(waits) != 1 || !strings.Contains(string(waits[0].Body), string(e.mate.subject)) {
		t.Errorf("somebody else's request: %v, %v", waits, err)
	}
	if _, err := e.db.Poll(ctx, "late", since.Change); !errors.Is(err, consent.ErrBehind) {
		t.Errorf("a node that has not heard of the end goes on: %v", err)
	}
	all, err := e.db.Poll(ctx, "late", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.db.Poll(ctx, "late", all.Change); err != nil {
		t.Errorf("a node that has heard of it: %v", err)
	}
}
