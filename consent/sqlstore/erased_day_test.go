// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking"
)

// dayPlaces are what is sealed under the key of a day, which an erasure does not destroy.
var dayPlaces = []string{"alert", "ending", "feed", "motion", "outbox", "webhook"}

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

// A phone that two people use stays as the other's.
func TestErasureLeavesASharedPhone(t *testing.T) {
	e := newEstate(t)
	defer e.close()
	other := benchShopper{e.mate.subject, e.ana.installation}
	e.ok(other.grant(t.Context(), e.ledger))
	e.begin()
	done, err := e.db.Erase(t.Context(), e.command())
	e.ok(err)
	if done.Shared != 1 || done.Removed["installations"] != 0 {
		t.Errorf("%d phones are shared, %d are gone", done.Shared, done.Removed["installations"])
	}
	a, err := e.ledger.Admit(t.Context(), consent.Scope{Installation: e.ana.installation, Store: "shop"})
	if err != nil || a.Subject != e.mate.subject || len(a.Grants) != 1 {
		t.Errorf("the other's phone: %+v, %v", a, err)
	}
}

// Whoever asks for the proof of an erasure after a crash behind its commit has the old keys destroyed first.
func TestProofOfAnErasureComesAfterItsKeys(t *testing.T) {
	e := newEstate(t)
	defer e.close()
	e.begin()
	e.eraseUpTo(true)
	if _, begun := e.db.ring.Rotations(); !begun {
		t.Fatal("the crash is not behind the commit")
	}
	_, err := e.ledger.Erasure(t.Context(), erasureID, e.request)
	e.ok(err)
	e.isErased()
}

// A proof that a hold names outlives its date, and goes when the hold is over.
func TestAHoldKeepsTheProofAtALeaf(t *testing.T) {
	e := newEstate(t)
	defer e.close()
	e.begin()
	e.erase()
	_, until, err := e.proofOf(0)
	e.ok(err)
	leaf, id := int64(0), uuid.NewString()
	over := until.AddDate(0, 1, 0)
	held := consent.New(e.db, e.keys, consent.DevelopmentRegistry(), func() time.Time { return until.Add(-time.Hour) })
	e.ok(held.AskHold(t.Context(), consent.Hold{ID: id, Leaf: &leaf, Until: over, Reason: "Claim of a customer, file 4"}, "mei"))
	_, err = held.ApproveHold(t.Context(), id, "lea")
	e.ok(err)
	e.ok(e.db.Prune(t.Context(), until.Add(time.Hour), time.Hour))
	if _, _, err := e.proofOf(0); err != nil {
		t.Errorf("while it is held: %v", err)
	}
	e.ok(e.db.Prune(t.Context(), over.Add(time.Second), time.Hour))
	if _, _, err := e.proofOf(0); !errors.Is(err, consent.ErrNoLeaf) {
		t.Errorf("afterwards: %v", err)
	}
}

// What has outlived its time goes from the tables, whether anybody could still be given it or not.
func TestPruneEmptiesWhatIsOver(t *testing.T) {
	e := newEstate(t)
	defer e.close()
	ctx := t.Context()
	_, err := e.ana.ask(ctx, e.ledger)
	e.ok(err)
	a, err := e.ledger.Admit(ctx, consent.Scope{Installation: e.ana.installation, Store: "shop"})
	e.ok(err)
	alert, _, err := e.db.RaiseAlert(ctx, tracking.Alert{ID: uuid.NewString(), Store: "shop", Visit: a.Visit, Kind: tracking.Help, Purpose: "assist"})
	e.ok(err)
	_, err = e.db.ChangeAlert(ctx, "shop", alert.ID, tracking.Change{Action: tracking.Claim, Key: "k", By: tracking.Actor{Shift: "s1"}, Now: time.Now()})
	e.ok(err)
	for _, left := range []struct {
		after             time.Duration
		served, alertKeys int64
	}{{0, 1, 1}, {consent.ServedLife + time.Minute, 0, 1}, {consent.FeedLife + time.Minute, 0, 0}} {
		e.ok(e.db.Prune(ctx, time.Now().Add(left.after), 10*consent.FeedLife))
		for table, want := range map[string]int64{"served": left.served, "alert_key": left.alertKeys} {
			var n int64
			e.ok(e.db.row(ctx, `SELECT COUNT(*) FROM `+table).into(&n))
			if n != want {
				t.Errorf("after %v: %d rows of %s, want %d", left.after, n, table, want)
			}
		}
	}
}
