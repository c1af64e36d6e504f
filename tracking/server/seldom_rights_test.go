// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking"
)

// TestEveryDecisionThatThereIs, and every way in which one ends, is told of in an export; and after a no nothing is asked until it is time again.
func TestEveryDecisionThatThereIs(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		key, err := client.NewKey()
		h.ok(err)
		a := h.installWith(key, "ana", 10*time.Minute)
		ask := client.PromptRequest{Store: demostore.ID, Purpose: "assist", Lang: "ar", Jurisdiction: "eu"}
		decide := func(choice, control string) {
			ask.Opened = true
			p, err := a.Prompt(h.Context(), ask)
			h.ok(err)
			h.want("direction", p.Notice.Dir, "rtl")
			h.get("/v1/notices/" + p.Notice.Hash)
			_, err = a.Decide(h.Context(), demostore.ID, p, client.Answer{Choice: choice, Control: control})
			h.ok(err)
			h.pass(time.Second)
		}
		decide("not_now", "button")
		decide("no", "switch")
		ask.Opened = false
		p, err := a.Prompt(h.Context(), ask)
		h.ok(err)
		h.want("asked again at once", p.MayPrompt, false)
		decide("visit", "button")
		decide("term", "switch")
		h.want("in place of the visit's", a.export().Decisions[3].State, "renewed")
		scope := consent.Scope{Installation: h.ledger.Keys().Installation(key.Thumbprint()), Store: demostore.ID}
		over := func(reason consent.Reason) {
			_, err := h.node.End(h.Context(), consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndStore, Scope: scope, Reason: reason})
			h.ok(err)
			decide("visit", "button")
		}
		over(consent.Revoked)
		over(consent.Expired)
		over(consent.Superseded)
		a.withdraw()
		var states []string
		for _, d := range a.export().Decisions {
			states = append(states, d.State)
		}
		slices.Sort(states)
		h.want("states", fmt.Sprint(states), "[deferred expired invalidated invalidated refused revoked withdrawn]")
	})
}

// TestEveryRequestThatThereIs is told of in an export, however it stands.
func TestEveryRequestThatThereIs(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		ana := h.granted("ana", 10*time.Minute)
		s := ana.session()
		s.walk([2]float64{6, 0}, 4*time.Second) // where no sensitive zone is on any level
		visit := ana.export().Scopes[0].Visit
		raise := func(kind tracking.AlertKind) string {
			a, err := h.node.Raise(h.Context(), tracking.Alert{Store: demostore.ID, Visit: visit, Kind: kind, Purpose: "assist", Topic: string(kind)})
			h.ok(err)
			return a.ID
		}
		for _, kind := range []tracking.AlertKind{tracking.Arrived, tracking.Called, tracking.Waiting, tracking.Rule, tracking.Emergency} {
			raise(kind)
		}
		for topic, actions := range map[string][]tracking.Action{"a": {tracking.Claim}, "b": {tracking.Claim, tracking.Resolve}, "c": {tracking.Snooze}, "d": {tracking.Escalate}, "e": {tracking.Expire}} {
			a, err := h.node.Raise(h.Context(), tracking.Alert{Store: demostore.ID, Visit: visit, Kind: tracking.Help, Purpose: "assist", Topic: topic})
			h.ok(err)
			for i, action := range actions {
				by := tracking.Actor{Shift: "mei", Tag: "Mei"}
				if action == tracking.Expire {
					by = tracking.Actor{}
				}
				_, err := h.node.Act(h.Context(), demostore.ID, a.ID, tracking.Change{Action: action, Expect: i + 1, Key: topic + string(action), By: by, Until: time.Now().Add(time.Minute)})
				h.ok(err)
			}
		}
		kinds, states := map[string]bool{}, map[string]bool{}
		for _, a := range ana.export().Alerts {
			kinds[a.Kind], states[a.State] = true, true
		}
		h.want("kinds", len(kinds), 6)
		h.want("states", len(states), 6)
		h.pass(40 * time.Second) // nothing is heard of her any more, and what she asked for outlives her position
		var e struct {
			Alerts []struct {
				Off bool `json:"location_off"`
			}
		}
		b, err := ana.Export(h.Context())
		h.ok(err)
		h.ok(json.Unmarshal(b, &e))
		h.want("location off", slices.ContainsFunc(e.Alerts, func(a struct {
			Off bool `json:"location_off"`
		}) bool {
			return a.Off
		}), true)
	})
}

// TestEveryHoldThatThereIs: of what is in the log, or of a store; and one that is lifted says by whom.
func TestEveryHoldThatThereIs(t *testing.T) {
	h := newHouse(t)
	ana, bea := h.operator("ana"), h.operator("bea")
	for _, scope := range []string{`"log_index":0`, `"store":"` + demostore.ID + `","from_t":1,"to_t":2`} {
		id := uuid.NewString()
		h.wants("", "POST", "/v1/admin/holds", `{"id":"`+id+`","reason":"Claim of a customer, file 4","until_t":`+ms(time.Now().Add(time.Hour))+`,`+scope+`}`, ana)
		h.wants("", "POST", "/v1/admin/holds/"+id+"/approve", "", bea)
		h.wants("", "DELETE", "/v1/admin/holds/"+id, "", ana)
	}
	var list struct {
		Holds []struct {
			LiftedBy string `json:"lifted_by"`
		}
	}
	h.fetch("/v1/admin/holds", bea, &list)
	h.want("lifted", len(list.Holds) == 2 && list.Holds[0].LiftedBy != "" && list.Holds[1].LiftedBy != "", true)
}
