// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking"
	"doorstep/tracking/server/auth"
)

// journal is a page as it is answered.
type journal struct {
	Entries []struct {
		Kind, Role, Team, Company, Purpose, Reason, Store string
		Other                                             bool
		Fields                                            []string
		People                                            int
		OpenedT                                           int64 `json:"opened_t"`
		ClosedT                                           int64 `json:"closed_t"`
	}
	Employees, Contact, Next string
}

func (h *house) bearer(shopper string) http.Header {
	h.Helper()
	token, err := h.key.MintShopper(shopper, "app", "adult", 10*time.Minute)
	h.ok(err)
	return http.Header{"Authorization": {"Bearer " + token}}
}

// ms is a time as a body has it.
func ms(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

func (h *house) operator(name string) http.Header {
	h.Helper()
	token, err := h.key.MintAdmin(name, 10*time.Minute)
	h.ok(err)
	return http.Header{"Authorization": {"Bearer " + token}}
}

// wants sends a request and checks its answer's code; "" for success.
func (h *house) wants(code, method, path, body string, header http.Header) {
	h.Helper()
	if status, got := h.request(method, path, body, header.Clone()); got != code || (code == "") != (status < 300) {
		h.Errorf("%s %s: %d %q, want %q", method, path, status, got, code)
	}
}

// agreed is a shopper who has agreed, and their visit's pseudonym.
func (h *house) agreed(name string) (subject consent.Ref, visit string) {
	h.Helper()
	key, err := client.NewKey()
	h.ok(err)
	c, err := client.New(client.Config{BaseURL: h.url, Installation: key, HTTP: h.web, Token: func(context.Context) (string, error) {
		return h.key.MintShopper(name, "app", "adult", 10*time.Minute)
	}})
	h.ok(err)
	_, err = h.decide(c, "term")
	h.ok(err)
	keys := h.ledger.Keys()
	a, err := h.ledger.Ledger.Admit(h.Context(), consent.Scope{Installation: keys.Installation(key.Thumbprint()), Store: demostore.ID})
	h.ok(err)
	return keys.Subject(name), a.Visit
}

// A journal says when, what for, in which role, where, what, and for which company; not who. It is told in pages, of
// its shopper only.
func TestTheJournalSaysWhoButNotTheirNames(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		_, visit := h.agreed("ana")
		view := consent.View{Store: demostore.ID, Visit: visit, Alert: uuid.NewString(), Reader: "a shift", Role: "floor", Team: "Shoes",
			Purpose: "assist", Fields: []string{"position"}}
		for i := range consent.JournalPage + 5 {
			view.ID, view.Company = uuid.Must(uuid.NewV7()).String(), ""
			if i == 0 {
				view.Company = "Quay Promotions"
			}
			h.ok(h.ledger.OpenView(h.Context(), view))
			if i%3 > 0 { // several at the same time
				<-time.After(time.Millisecond)
			}
		}
		var all, page journal
		for path := "/v1/journal"; ; {
			page = journal{}
			h.fetch(path, h.bearer("ana"), &page)
			all.Entries = append(all.Entries, page.Entries...)
			if page.Next == "" {
				break
			}
			path = "/v1/journal?after=" + page.Next
		}
		if len(all.Entries) != consent.JournalPage+5 {
			h.Fatalf("%d entries on all pages, want %d: each once", len(all.Entries), consent.JournalPage+5)
		}
		for i, e := range all.Entries {
			if i > 0 && e.OpenedT > all.Entries[i-1].OpenedT {
				h.Fatal("not the newest first")
			}
			if e.Kind != "view" || e.Role != "floor" || e.Team != "Shoes" || e.Purpose != "assist" || e.Store != demostore.ID || e.People != 1 || len(e.Fields) != 1 {
				h.Fatalf("an entry is %+v", e)
			}
			first := i == len(all.Entries)-1
			if want := map[bool]string{true: "Quay Promotions", false: h.ledger.Registry().Controller.Name}[first]; e.Company != want || e.Other != first {
				h.Fatalf("entry %d is by %q, other %v", i, e.Company, e.Other)
			}
		}
		if page.Employees != "withheld" || page.Contact != h.ledger.Registry().Controller.Contact {
			h.Errorf("of employees it says %q, and to ask %q", page.Employees, page.Contact)
		}
		var other journal
		h.fetch("/v1/journal", h.bearer("ben"), &other)
		if len(other.Entries) != 0 {
			h.Error("somebody else's journal is shown")
		}
		h.wants("request", "GET", "/v1/journal?after=nowhere", "", h.bearer("ana"))
		h.wants("url_secret", "GET", "/v1/journal?sub=ana", "", h.bearer("ana"))
	})
}

// The glass over HTTP: one asks, somebody in charge approves, and the shopper reads why.
func TestTheGlassTakesTwo(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		_, visit := h.agreed("ana")
		a, err := h.node.Raise(h.Context(), tracking.Alert{Store: demostore.ID, Visit: visit, Kind: tracking.Help, Purpose: "assist"})
		h.ok(err)
		id, mei, lea := uuid.NewString(), h.role("mei", auth.RoleLead, demostore.ID), h.role("lea", auth.RoleLead, demostore.ID)
		body := func(reason string) string {
			return `{"id":"` + id + `","alert":"` + a.ID + `","reason":"` + reason + `"}`
		}
		approve := "/v1/staff/break-glass/" + id + "/approve"
		h.wants("request", "POST", "/v1/staff/break-glass", body("why not"), mei)
		h.wants("no_motion", "POST", approve, "", lea)
		h.wants("", "POST", "/v1/staff/break-glass", body("She has fallen and does not answer"), mei)
		h.wants("", "POST", "/v1/staff/break-glass", body("She has fallen and does not answer"), mei)
		h.wants("id_taken", "POST", "/v1/staff/break-glass", body("She has fallen and does not answer"), lea)
		var waiting struct {
			Asked []struct {
				ID, By, Reason string
				Mine           bool
			}
		}
		h.fetch("/v1/staff/break-glass", mei, &waiting)
		if len(waiting.Asked) != 1 || !waiting.Asked[0].Mine || waiting.Asked[0].By != "Desk" || waiting.Asked[0].ID != id {
			h.Errorf("waiting: %+v", waiting)
		}
		h.wants("same_person", "POST", approve, "", mei)
		h.wants("role", "POST", approve, "", h.role("kim", auth.RoleFloor, demostore.ID))
		h.wants("no_motion", "POST", approve, "", h.role("lea", auth.RoleLead, "annex"))
		h.wants("", "POST", approve, "", lea)
		h.wants("", "POST", approve, "", lea)
		h.wants("motion_over", "POST", approve, "", h.role("ann", auth.RoleAdmin, demostore.ID))
		var j journal
		h.fetch("/v1/journal", h.bearer("ana"), &j)
		if len(j.Entries) != 1 || j.Entries[0].Kind != "break_glass" || j.Entries[0].People != 2 || !strings.HasPrefix(j.Entries[0].Reason, "She has fallen") {
			h.Errorf("the journal holds %+v", j.Entries)
		}
	})
}

// What is handed over to an authority is in the journal before, with who receives it and what; a second administrator has
// decided on it. A request that was refused is nobody's.
func TestADisclosureIsJournalled(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.agreed("ana")
		ana, bea := h.operator("ana the admin"), h.operator("bea")
		body := func(id, rest string, instead ...string) string {
			who, why := `"recipient":"District court"`, `"reason":"Order 17/2026, section 94"`
			for _, other := range instead {
				if strings.HasPrefix(other, `"reason"`) {
					why = other
				} else {
					who = other
				}
			}
			return `{"id":"` + id + `",` + who + `,` + why + rest + `}`
		}
		id := uuid.NewString()
		h.wants("request", "POST", "/v1/admin/disclosures", body(id, ``), ana)
		h.wants("request", "POST", "/v1/admin/disclosures", body(id, `,"shopper":"ana","fields":[]`), ana)
		for _, misspelt := range []string{`"store":"nowhere","fields":["records"]`, `"purpose":"asist","fields":["records"]`, `"fields":["records","secrets"]`, `"refused":true,"store":"nowhere"`} {
			h.wants("request", "POST", "/v1/admin/disclosures", body(id, `,"shopper":"ana",`+misspelt), ana)
		}
		h.wants("no_motion", "POST", "/v1/admin/disclosures/"+id+"/approve", "", bea)
		h.wants("", "POST", "/v1/admin/disclosures", body(id, `,"shopper":"ana","store":"`+demostore.ID+`","purpose":"assist","fields":["records","journal"]`), ana)
		var j journal
		h.fetch("/v1/journal", h.bearer("ana"), &j)
		if len(j.Entries) != 0 {
			h.Error("journalled before anybody has approved it")
		}
		h.wants("same_person", "POST", "/v1/admin/disclosures/"+id+"/approve", "", ana)
		h.wants("no_motion", "POST", "/v1/admin/holds/"+id+"/approve", "", bea)
		h.wants("id_taken", "POST", "/v1/admin/disclosures", body(id, `,"shopper":"ana","store":"`+demostore.ID+`","purpose":"assist","fields":["records","journal","visits"]`), ana)
		for _, misspelt := range []string{`"store":"nowhere","fields":["records"]`, `"fields":["records","secrets"]`} { // as a program asked that did not look
			old := uuid.NewString()
			h.ok(h.ledger.Move(h.Context(), consent.Motion{ID: old, Kind: consent.DisclosureMotion, By: "eve",
				Body: []byte(`{"id":"` + old + `","subject":"` + string(h.ledger.Keys().Subject("ana")) + `","recipient":"District court","reason":"Order 17/2026",` + misspelt + `}`)}))
			h.wants("request", "POST", "/v1/admin/disclosures/"+old+"/approve", "", bea)
		}
		h.wants("", "POST", "/v1/admin/disclosures/"+id+"/approve", "", bea)
		h.wants("", "POST", "/v1/admin/disclosures/"+id+"/approve", "", bea)
		no := uuid.NewString()
		h.wants("", "POST", "/v1/admin/disclosures", body(no, `,"refused":true`), ana)
		h.wants("id_taken", "POST", "/v1/admin/disclosures", body(no, `,"refused":true`, `"reason":"Order 18/2026, section 94"`), ana)
		for _, named := range []string{`"reason":"Order 17/2026 about Ana, section 94"`, `"reason":"Order 17/2026, a.berg@example.org"`, `"recipient":"Lawyers of ana"`} {
			h.wants("request", "POST", "/v1/admin/disclosures", body(uuid.NewString(), `,"shopper":"ana","refused":true`, named), ana)
		}
		h.wants("", "POST", "/v1/admin/disclosures", body(uuid.NewString(), `,"shopper":"ana","refused":true`, `"reason":"Order 17/2026, about bananas"`), ana)
		h.fetch("/v1/journal", h.bearer("ana"), &j)
		if len(j.Entries) != 1 {
			h.Fatalf("the journal holds %+v", j.Entries)
		}
		if e := j.Entries[0]; e.Kind != "disclosure" || e.Company != "District court" || !e.Other || len(e.Fields) != 2 || e.People != 2 || e.Reason != "Order 17/2026, section 94" {
			h.Errorf("the entry is %+v", e)
		}
	})
}

// Of somebody who is not known, or not any more, there is no journal: nothing is approved.
func TestADisclosureOfNobodyIsRefused(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		gone := h.granted("gone", 10*time.Minute)
		ana, bea := h.operator("ana the admin"), h.operator("bea")
		ask := func(who string) (approve string) {
			id := uuid.NewString()
			h.wants("", "POST", "/v1/admin/disclosures",
				`{"id":"`+id+`","recipient":"District court","reason":"Order 17/2026, section 94","shopper":"`+who+`","fields":["records"]}`, ana)
			return "/v1/admin/disclosures/" + id + "/approve"
		}
		before := ask("gone")
		_, err := gone.Erase(h.Context(), gone.NewErasure())
		h.ok(err)
		h.wants("no_motion", "POST", before, "", bea) // what was asked of somebody is erased with them
		for _, who := range []string{"gone", "misspelt"} {
			approve := ask(who)
			h.wants("no_shopper", "POST", approve, "", bea)
			h.wants("no_shopper", "POST", approve, "", bea)
		}
	})
}

// A legal hold takes two administrators, a scope and an end.
func TestAHoldTakesTwo(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		ana, bea := h.operator("ana"), h.operator("bea")
		id, now := uuid.NewString(), time.Now()
		body := func(scope string, until time.Time) string {
			return `{"id":"` + id + `","reason":"Claim of a customer, file 4","until_t":` + ms(until) + scope + `}`
		}
		span := `,"store":"` + demostore.ID + `","from_t":` + ms(now.Add(-time.Hour)) + `,"to_t":` + ms(now)
		h.wants("request", "POST", "/v1/admin/holds", body("", now.Add(time.Hour)), ana)
		h.wants("request", "POST", "/v1/admin/holds", body(span+`,"log_index":4`, now.Add(time.Hour)), ana)
		h.wants("request", "POST", "/v1/admin/holds", body(span, now.Add(consent.HoldMost+time.Hour)), ana)
		h.wants("request", "POST", "/v1/admin/holds", body(span, now), ana)
		h.wants("request", "POST", "/v1/admin/holds", body(`,"store":"`+demostore.ID+`","from_t":1,"to_t":253402300800000`, now.Add(time.Hour)), ana)
		h.wants("", "POST", "/v1/admin/holds", body(span, now.Add(time.Hour)), ana)
		var list struct {
			Holds []struct{ ID, By, Approved string }
		}
		h.fetch("/v1/admin/holds", bea, &list)
		if len(list.Holds) != 0 {
			h.Error("in force before anybody has approved it")
		}
		h.wants("same_person", "POST", "/v1/admin/holds/"+id+"/approve", "", ana)
		h.wants("", "POST", "/v1/admin/holds/"+id+"/approve", "", bea)
		h.fetch("/v1/admin/holds", bea, &list)
		if len(list.Holds) != 1 || list.Holds[0].By == list.Holds[0].Approved || list.Holds[0].Approved == "" {
			h.Errorf("holds: %+v", list.Holds)
		}
		h.wants("", "DELETE", "/v1/admin/holds/"+id, "", ana)
		h.wants("no_hold", "DELETE", "/v1/admin/holds/"+id, "", ana)
		h.wants("door", "GET", "/v1/admin/holds", "", h.role("lead", auth.RoleLead, demostore.ID))
	})
}
