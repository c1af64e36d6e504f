// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/consent/storetest"
	spec "doorstep/mobile-sdk-spec"
	"doorstep/tracking/server/auth"
)

// role is the header of somebody's shift in a role.
func (h *house) role(shift, role, store string) http.Header {
	h.Helper()
	token, err := h.key.MintStaff(shift, "Desk", role, store, time.Hour)
	h.ok(err)
	return http.Header{"Authorization": {"Bearer " + token}}
}

// fetch reads an answer of 200 that fits the specification.
func (h *house) fetch(path string, header http.Header, into any) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), http.MethodGet, h.url+path, nil)
	h.ok(err)
	r.Header = header
	res, err := h.web.Do(r)
	h.ok(err)
	b, err := io.ReadAll(res.Body)
	h.ok(err)
	h.ok(res.Body.Close())
	h.ok(spec.HTTP(http.MethodGet, r.URL.Path, res.StatusCode, b))
	if res.StatusCode != http.StatusOK {
		h.Fatalf("GET %s: %d %s", path, res.StatusCode, b)
	}
	h.ok(json.Unmarshal(b, into))
}

// Zone counts are for leads, of their own store, and say of whom they are.
func TestCountsAreForLeadsOfTheStore(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		version := h.index.Site().Version
		window := consent.WindowOf(time.Now())
		h.ok(h.ledger.KeepCounts(h.Context(), consent.Counted{Store: demostore.ID, Map: version, Window: window,
			Zones: storetest.Marks("a", map[string]int{"shoes": 9, "bags": 10, "beauty": 25})}))
		h.ok(h.ledger.KeepCounts(h.Context(), consent.Counted{Store: demostore.ID, Map: version, Window: window,
			Zones: storetest.Marks("b", map[string]int{"bags": 14, "gifts": 24})}))
		<-time.After(time.Until(window.Add(consent.CountWindow + 2*time.Second)))
		var a struct {
			Of      string
			Zones   []struct{ ID string }
			Windows []struct {
				OpenedT    int64 `json:"opened_t"`
				Some, Many []string
			}
		}
		h.fetch("/v1/staff/counts", h.role("lead", auth.RoleLead, demostore.ID), &a)
		if len(a.Windows) != 1 || a.Windows[0].OpenedT != window.UnixMilli() || a.Of != "of those sharing" ||
			!slices.Equal(a.Windows[0].Some, []string{"bags", "gifts"}) || !slices.Equal(a.Windows[0].Many, []string{"beauty"}) {
			h.Errorf("told %+v", a)
		}
		for _, z := range a.Zones {
			if z.ID == "toilets" || z.ID == "fitting-a" {
				h.Errorf("%s is counted", z.ID)
			}
		}
		if status, code := h.request("GET", "/v1/staff/counts", "", h.role("floor", auth.RoleFloor, demostore.ID)); status != 403 || code != "role" {
			h.Errorf("somebody of the floor: %d %s", status, code)
		}
		if status, code := h.request("GET", "/v1/staff/counts", "", h.role("lead", auth.RoleLead, "another")); status != 404 || code != "no_store" {
			h.Errorf("a lead of another store: %d %s", status, code)
		}
		if status, code := h.request("GET", "/v1/staff/counts?zone=shoes", "", h.role("lead", auth.RoleLead, demostore.ID)); status != 400 || code != "url_secret" {
			h.Errorf("a question of its own: %d %s", status, code)
		}
		if status, _ := h.request("GET", "/v1/staff/counts", "", nil); status != 401 {
			h.Errorf("a stranger: %d", status)
		}
	})
}
