// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	spec "doorstep/mobile-sdk-spec"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking"
	"doorstep/tracking/server/auth"
)

// exported is what a test wants of an export.
type exported struct {
	Subject   string
	Decisions []struct {
		State   string
		Receipt string
	}
	Ends    []struct{ Receipt string }
	Notices []struct{ Purpose string } `json:"notices_served"`
	Scopes  []struct {
		Store, Visit string
		Position     *struct{ Lat, Lng float64 }
	}
	StopTokens []struct{ Store string } `json:"stop_tokens"`
	Journal    []struct {
		Role, Purpose string
		Fields        []string
	}
	Alerts   []struct{ Kind, Topic, Ref, State string }
	Requests []struct {
		Kind, Recipient, Reason string
		Fields                  []string
		ApprovedT               int64 `json:"approved_t"`
	}
}

func (a *app) export() (out exported) {
	a.h.Helper()
	b, err := a.Export(a.h.Context())
	a.h.ok(err)
	a.h.ok(spec.HTTP(http.MethodGet, "/v1/me/export", http.StatusOK, b))
	a.h.ok(json.Unmarshal(b, &out))
	return out
}

// A shopper gets everything that is kept of them, on whichever phone they ask, the position of now included; and
// the journal tells that they did.
func TestExportHoldsEverything(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		ana := h.granted("ana", 10*time.Minute)
		s := ana.session()
		for range 4 { // where no sensitive zone is on any level
			s.fix(6, 0)
			h.pass(2 * time.Second)
		}
		_, err := ana.Prompt(h.Context(), client.PromptRequest{Store: demostore.ID, Purpose: "pickup", Lang: "en", Opened: true})
		h.ok(err)
		ben := h.granted("ben", 10*time.Minute)

		other := h.install("ana", 10*time.Minute) // her other phone
		e := other.export()
		if len(e.Decisions) != 1 || e.Decisions[0].State != "given" || len(e.Notices) != 1 || e.Notices[0].Purpose != "pickup" || len(e.StopTokens) != 1 {
			t.Fatalf("export: %+v", e)
		}
		if len(e.Scopes) != 1 || e.Scopes[0].Position == nil || e.Scopes[0].Position.Lat == 0 {
			t.Errorf("scopes: %+v", e.Scopes)
		}
		if len(e.Journal) != 1 || e.Journal[0].Purpose != consent.ReadExport {
			t.Errorf("journal: %+v", e.Journal)
		}
		ana.withdraw()
		e = other.export()
		if len(e.Ends) != 1 || e.Decisions[0].State != "withdrawn" || e.Scopes[0].Position != nil || len(e.Notices) != 0 || len(e.Journal) != 2 {
			t.Errorf("after a withdrawal: %+v", e)
		}
		if e := ben.export(); len(e.Decisions) != 1 || e.Subject == other.export().Subject {
			t.Errorf("somebody else's: %+v", e)
		}
		if e := h.install("nobody", 10*time.Minute).export(); len(e.Decisions)+len(e.Journal)+len(e.Scopes) != 0 {
			t.Errorf("a stranger's: %+v", e)
		}
	})
}

// What staff were called for is in an export as long as it is kept, and so is what they want to do that a second person
// has to approve.
func TestExportHoldsWhatStaffAreAskedToDo(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		ana := h.granted("ana", 10*time.Minute)
		visit := ana.export().Scopes[0].Visit
		a, err := h.node.Raise(h.Context(), tracking.Alert{Store: demostore.ID, Visit: visit, Kind: tracking.Help, Purpose: "assist", Topic: "fitting", Ref: "ORDER-4711"})
		h.ok(err)
		lead, admin, id := h.role("mei", auth.RoleLead, demostore.ID), h.operator("ana the admin"), uuid.NewString()
		h.wants("", "POST", "/v1/staff/break-glass", `{"id":"`+uuid.NewString()+`","alert":"`+a.ID+`","reason":"She has fallen and does not answer"}`, lead)
		h.pass(time.Second)
		h.wants("", "POST", "/v1/admin/disclosures", `{"id":"`+id+`","recipient":"District court","reason":"Order 17/2026, section 94","shopper":"ana","fields":["records"]}`, admin)
		e := ana.export()
		if len(e.Alerts) != 1 || e.Alerts[0].Kind != "help" || e.Alerts[0].Topic != "fitting" || e.Alerts[0].Ref != "ORDER-4711" || e.Alerts[0].State != "raised" {
			t.Errorf("alerts: %+v", e.Alerts)
		}
		if r := e.Requests; len(r) != 2 || r[0].Kind != "break_glass" || r[0].Reason != "She has fallen and does not answer" || r[1].Kind != "disclosure" ||
			r[1].Recipient != "District court" || len(r[1].Fields) != 1 || r[1].ApprovedT != 0 {
			t.Errorf("requests: %+v", r)
		}
		h.wants("", "POST", "/v1/admin/disclosures/"+id+"/approve", "", h.operator("bea"))
		ana.withdraw()
		e = ana.export()
		if len(e.Alerts) != 1 || e.Alerts[0].State != "gone" || e.Alerts[0].Topic+e.Alerts[0].Ref != "" || len(e.Requests) != 2 || e.Requests[1].ApprovedT == 0 {
			t.Errorf("after a withdrawal: %+v, %+v", e.Alerts, e.Requests)
		}
		if e := h.granted("ben", 10*time.Minute).export(); len(e.Alerts)+len(e.Requests) != 0 {
			t.Errorf("somebody else's: %+v", e)
		}
	})
}

// An erasure ends a live session, leaves nothing to export, and answers a signed proof, the same to every
// repetition. Nobody else loses anything; the shopper may come back, and is asked anew.
func TestErasureOverHTTP(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		ana, ben := h.granted("ana", 10*time.Minute), h.granted("ben", 10*time.Minute)
		_, err := h.decide(ana.Client, "no") // a refusal has a quiet time
		h.ok(err)
		_, err = h.decide(ana.Client, "term")
		h.ok(err)
		s := ana.session()
		s.enter()
		id := ana.NewErasure()
		jws, err := ana.Erase(h.Context(), id)
		h.ok(err)
		h.pass(0)
		if code, _ := s.closed(); code != 4500 {
			t.Errorf("the session was closed with %d", code)
		}
		_, set := h.get("/.well-known/jwks.json")
		p, err := consent.VerifyErasureProof(jws, set)
		h.ok(err)
		if p.ID != id || p.Erasure.Removed["decisions"] != 3 || p.Erasure.Removed["scopes"] != 1 || p.Erasure.Removed["installations"] != 1 || len(p.Erasure.Stays) < 4 {
			t.Errorf("proof: %+v", p)
		}
		again, err := ana.Erase(h.Context(), id)
		if err != nil || again != jws {
			t.Errorf("repeated: another answer, %v", err)
		}
		if e := ana.export(); len(e.Decisions)+len(e.Ends)+len(e.Scopes)+len(e.StopTokens)+len(e.Journal) != 0 {
			t.Errorf("left: %+v", e)
		}
		if e := ben.export(); len(e.Decisions) != 1 {
			t.Errorf("somebody else's: %+v", e)
		}
		prompt, err := ana.Prompt(h.Context(), client.PromptRequest{Store: demostore.ID, Purpose: "assist", Lang: "en"})
		if err != nil || !prompt.MayPrompt {
			t.Errorf("a stranger may be asked: %+v, %v", prompt.MayPrompt, err)
		}
		_, err = h.decide(ana.Client, "visit") // and may come back
		h.ok(err)
		back := ana.session()
		back.enter()
		h.pass(time.Second)
		if !back.told("active") {
			t.Errorf("back again: %v", back.states())
		}
	})
}

// An erasure is not answered while it is not true everywhere, and is finished by a repetition.
func TestErasureIsNotAnsweredEarly(t *testing.T) {
	h := newHouse(t)
	h.attended()
	c := h.app("shopper", h.web, nil)
	h.connect(c)
	h.live.deaf.Store(true)
	id := c.NewErasure()
	if _, err := c.Erase(h.Context(), id); err == nil {
		t.Fatal("answered while positions could not be purged")
	}
	h.live.deaf.Store(false)
	if _, err := c.Erase(h.Context(), id); err != nil {
		t.Fatal(err)
	}
	h.ledger.deaf.Store(true)
	if _, err := c.Erase(h.Context(), c.NewErasure()); err == nil {
		t.Fatal("answered while the ledger could not be asked")
	}
}

// An erasure that has begun and cannot be gone through with yet is said to be recorded, and not to have failed: the same
// request again finishes it.
func TestAnErasureThatHasBegunSaysSo(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		ana := h.granted("ana", 10*time.Minute)
		id := ana.NewErasure()
		h.ledger.silent.Store(true) // the end goes through; that this node heard of it does not
		_, err := ana.Erase(h.Context(), id)
		p, ok := errors.AsType[*client.Problem](err)
		if !ok || p.Status != http.StatusServiceUnavailable || p.Code != "recorded_not_complete" {
			t.Fatalf("%v; want 503 recorded_not_complete", err)
		}
		h.ledger.silent.Store(false)
		h.pass(2 * time.Second)
		_, err = ana.Erase(h.Context(), id)
		h.ok(err)
	})
}
