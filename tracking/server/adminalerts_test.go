// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/tracking/server/auth"
)

const rulesAt = "/v1/admin/stores/" + demostore.ID + "/rules"

// Rules are put in force without a restart, answered as they are, audited, and taken away; those with a mistake change nothing.
func TestRulesAreAdministered(t *testing.T) {
	h := newHouse(t)
	rule := func(zone, purpose string) string {
		return fmt.Sprintf(`{"rules":[{"id":"long","name":"Long","zone":%q,"dwell":"5m","purpose":%q}]}`, zone, purpose)
	}
	var book struct{ Rules []struct{ ID, Dwell string } }
	h.want("put", h.admin("PUT", rulesAt, rule("shoes", "assist"), nil), http.StatusOK)
	h.want("get", h.admin("GET", rulesAt, "", &book), http.StatusOK)
	h.want("the rule", fmt.Sprint(book.Rules), "[{long 5m0s}]")
	if h.node.Atlas.Book(demostore.ID) == nil {
		t.Error("not in force")
	}
	for what, c := range map[string]struct{ body, says string }{
		"a zone":    {rule("Shoes", "assist"), "no zone"},
		"a private": {rule("toilets", "assist"), "do not see into"},
		"a purpose": {rule("shoes", "sell"), "no purpose"},
		"no JSON":   {"rules", "line 1"},
	} {
		var p storeAnswer
		h.want(what, h.admin("PUT", rulesAt, c.body, &p), http.StatusUnprocessableEntity)
		if p.Code != "bad_rules" || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: %s %s", what, p.Code, p.Detail)
		}
	}
	h.want("too long", h.admin("PUT", rulesAt, strings.Repeat(" ", 64<<10+1), nil), http.StatusRequestEntityTooLarge)
	h.want("of no store", h.admin("PUT", "/v1/admin/stores/nowhere/rules", "{}", nil), http.StatusNotFound)
	h.want("delete", h.admin("DELETE", rulesAt, "", nil), http.StatusNoContent)
	if h.node.Atlas.Book(demostore.ID) != nil {
		t.Error("still in force")
	}
	var audit struct{ Changes []struct{ What, By string } }
	h.want("changes", h.admin("GET", "/v1/admin/stores/"+demostore.ID+"/changes", "", &audit), http.StatusOK)
	if len(audit.Changes) != 2 || audit.Changes[0].What != "rules taken away" || audit.Changes[0].By == "" {
		t.Errorf("audited: %v", audit.Changes)
	}
	staff, err := h.key.MintStaff("shift", "Desk", auth.RoleAdmin, demostore.ID, 1<<40)
	h.ok(err)
	h.want("as staff", h.ask("PUT", rulesAt, staff, "{}", nil), http.StatusForbidden)
}
