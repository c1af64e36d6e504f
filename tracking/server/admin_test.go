// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/geofence"
	"doorstep/mobile-sdk-spec"
	"doorstep/tracking/server/auth"
)

// readMap reads a map of one GeoJSON file.
func readMap(store string, sources []byte) (*geofence.Index, error) {
	site, _, err := geofence.Load(store, geofence.Source{Name: "map.geojson", Data: sources})
	if err != nil {
		return nil, err
	}
	return geofence.NewIndex(site)
}

// kiosk is a map of a square of some 100 m, so many hundredths of a degree north of the equator.
func kiosk(north float64) string {
	s, n := north*0.01, north*0.01+0.001
	return fmt.Sprintf(`{"type":"FeatureCollection","store_name":"Kiosk","features":[{"type":"Feature","properties":{"kind":"boundary","floor":0},
		"geometry":{"type":"Polygon","coordinates":[[[1,%[1]v],[1.001,%[1]v],[1.001,%[2]v],[1,%[2]v],[1,%[1]v]]]}}]}`, s, n)
}

// admin asks as an operator, holds the answer to its schema, and returns it.
func (h *house) admin(method, path, body string, into any) int {
	h.Helper()
	token, err := h.key.MintAdmin("ana", time.Hour)
	h.ok(err)
	return h.ask(method, path, token, body, into)
}

func (h *house) ask(method, path, token, body string, into any) int {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), method, h.url+path, strings.NewReader(body))
	h.ok(err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := h.web.Do(r)
	h.ok(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	h.ok(err)
	h.ok(spec.HTTP(method, path, resp.StatusCode, b))
	if into != nil {
		h.ok(json.NewDecoder(bytes.NewReader(b)).Decode(into))
	}
	return resp.StatusCode
}

type storeAnswer struct {
	ID, Name, Fence, Hours, Zone, Code, Detail string
	Given, Open, Closed                        bool
}

func (h *house) want(what string, got, want any) {
	h.Helper()
	if got != want {
		h.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestAdministratorsOnly(t *testing.T) {
	h := newHouse(t)
	shopper, err := h.key.MintShopper("shopper", "app", "adult", time.Minute)
	h.ok(err)
	staff, err := h.key.MintStaff("shift", "Desk", auth.RoleAdmin, demostore.ID, time.Hour)
	h.ok(err)
	for _, c := range []struct{ method, path string }{
		{"GET", "/v1/admin/stores"}, {"PUT", "/v1/admin/stores/kiosk/map"}, {"DELETE", "/v1/admin/stores/kiosk/map"},
		{"PUT", "/v1/admin/stores/kiosk/hours"}, {"PUT", "/v1/admin/stores/kiosk/closed"}, {"GET", "/v1/admin/stores/kiosk/changes"},
	} {
		h.want(c.method+" "+c.path+" without a token", h.ask(c.method, c.path, "", "{}", nil), http.StatusUnauthorized)
		h.want(c.method+" "+c.path+" as a shopper", h.ask(c.method, c.path, shopper, "{}", nil), http.StatusForbidden)
		h.want(c.method+" "+c.path+" as staff", h.ask(c.method, c.path, staff, "{}", nil), http.StatusForbidden)
	}
}

// A store is imported, replaced, given hours, closed, opened and withdrawn without a restart, and each
// change is kept with who made it.
func TestAStoreIsAdministered(t *testing.T) {
	h := newHouse(t)
	var a, b storeAnswer
	h.want("put", h.admin("PUT", "/v1/admin/stores/kiosk/map", kiosk(0), &a), http.StatusOK)
	h.want("the new store", a, storeAnswer{ID: "kiosk", Name: "Kiosk", Fence: a.Fence, Open: true})
	h.want("its fence", h.ask("GET", "/v1/stores/kiosk/fences/"+a.Fence, "", "", nil), http.StatusOK)
	h.want("put again", h.admin("PUT", "/v1/admin/stores/kiosk/map", kiosk(0), nil), http.StatusOK)
	h.want("replaced", h.admin("PUT", "/v1/admin/stores/kiosk/map", kiosk(1), &b), http.StatusOK)
	if a.Fence == b.Fence {
		t.Error("the same version for another map")
	}
	h.want("hours", h.admin("PUT", "/v1/admin/stores/kiosk/hours", `{"hours":"24/7; Dec 25 off","zone":"Europe/Berlin"}`, &b), http.StatusOK)
	h.want("the hours", b.Hours+" "+b.Zone, "24/7; Dec 25 off Europe/Berlin")
	h.want("close", h.admin("PUT", "/v1/admin/stores/kiosk/closed", `{"closed":true}`, &b), http.StatusOK)
	h.want("closed", b.Closed && !b.Open, true)
	var public struct{ Stores []storeAnswer }
	h.want("the public list", h.ask("GET", "/v1/stores", "", "", &public), http.StatusOK)
	h.want("stores", len(public.Stores), 2)
	for _, s := range public.Stores {
		h.want(s.ID+" is open", s.Open, s.ID == demostore.ID)
	}
	b = storeAnswer{}
	h.want("open", h.admin("PUT", "/v1/admin/stores/kiosk/closed", `{"closed":false}`, &b), http.StatusOK)
	h.want("opened", b.Closed, false)
	var list struct{ Stores []storeAnswer }
	h.want("the administrators' list", h.admin("GET", "/v1/admin/stores", "", &list), http.StatusOK)
	h.want("stores", len(list.Stores), 2)
	h.want("withdraw", h.admin("DELETE", "/v1/admin/stores/kiosk/map", "", nil), http.StatusNoContent)
	h.want("its fence is gone", h.ask("GET", "/v1/stores/kiosk/fences/"+b.Fence, "", "", nil), http.StatusNotFound)

	var audit struct{ Changes []struct{ What, By string } }
	h.want("changes", h.admin("GET", "/v1/admin/stores/kiosk/changes", "", &audit), http.StatusOK)
	var what []string
	for _, c := range audit.Changes {
		what = append(what, strings.Fields(c.What)[0])
		if c.By == "" || strings.Contains(c.By, "ana") || c.By != audit.Changes[0].By {
			t.Errorf("%q was made by %q", c.What, c.By)
		}
	}
	h.want("the changes", strings.Join(what, " "), "map opened closed hours map map")
}

func TestWhatAnAdministratorIsRefused(t *testing.T) {
	h := newHouse(t)
	h.want("a store to work on", h.admin("PUT", "/v1/admin/stores/kiosk/map", kiosk(0), nil), http.StatusOK)
	given := "/v1/admin/stores/" + demostore.ID
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"PUT", "/v1/admin/stores/kiosk/map", "{}", 422, "bad_map"},
		{"PUT", "/v1/admin/stores/Not-An-Id/map", kiosk(0), 422, "bad_map"},
		{"PUT", "/v1/admin/stores/kiosk/map", strings.Repeat(" ", 64<<20+1), 413, "too_large"},
		{"PUT", given + "/map", kiosk(0), 409, "map_given"},
		{"DELETE", given + "/map", "", 409, "map_given"},
		{"DELETE", "/v1/admin/stores/nowhere/map", "", 404, "no_store"},
		{"PUT", "/v1/admin/stores/kiosk/hours", `{"hours":"whenever","zone":"UTC"}`, 422, "bad_hours"},
		{"PUT", "/v1/admin/stores/kiosk/hours", `{"hours":"24/7","zone":""}`, 422, "bad_hours"},
		{"PUT", "/v1/admin/stores/kiosk/hours", `{"hours":"24/7","zone":"UTC","until":1}`, 400, "request"},
		{"PUT", "/v1/admin/stores/nowhere/hours", `{"hours":"24/7","zone":"UTC"}`, 404, "no_store"},
		{"PUT", "/v1/admin/stores/kiosk/closed", `{}`, 400, "request"},
		{"PUT", "/v1/admin/stores/nowhere/closed", `{"closed":true}`, 404, "no_store"},
	} {
		var p storeAnswer
		status := h.admin(c.method, c.path, c.body, &p)
		if status != c.status || p.Code != c.code {
			t.Errorf("%s %s: %d %s (%s), want %d %s", c.method, c.path, status, p.Code, p.Detail, c.status, c.code)
		}
	}
}

// A shopper in a store that is closed is told so, and can come back when it opens.
func TestClosingEndsTheVisit(t *testing.T) {
	h := newHouse(t)
	p := h.phone()
	h.want("close", h.admin("PUT", "/v1/admin/stores/"+demostore.ID+"/closed", `{"closed":true}`, nil), http.StatusOK)
	if code := p.within(5 * time.Second); code != 4507 {
		t.Errorf("closed with %d; want 4507", code)
	}
	h.want("open", h.admin("PUT", "/v1/admin/stores/"+demostore.ID+"/closed", `{"closed":false}`, nil), http.StatusOK)
	h.phone()
}
