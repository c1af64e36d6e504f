// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"doorstep/consent"
)

func withBody(r *http.Request, body any) *http.Request {
	b, _ := json.Marshal(body)
	r = r.Clone(r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	return r
}

// tallies are what was counted and written.
func (h *house) tallies() ([]consent.Tally, error) {
	return h.store.Tallies(h.Context(), "9999")
}

// ownStores is a registry of a retailer's own: the demonstration's store, and some kiosks.
const ownStores = `"stores": [
  {"store": "doorstep-demo", "jurisdiction": "eu", "health_care": false, "assessment": {"reference": "DPIA 1", "date": "1999-01-01", "kept_until": "2030-01-01"}},
  {"store": "kiosk", "jurisdiction": "us-wa", "health_care": false, "assessment": {"reference": "DPIA 2", "date": "1999-01-01", "kept_until": "2030-01-01"}},
  {"store": "clinic", "jurisdiction": "us-wa", "health_care": true, "assessment": {"reference": "DPIA 3", "date": "1999-01-01", "kept_until": "2030-01-01"}},
  {"store": "corner", "jurisdiction": "us-wa", "health_care": false, "health_zones": ["z9"], "assessment": {"reference": "DPIA 4", "date": "1999-01-01", "kept_until": "2030-01-01"}},
  {"store": "pharmacy", "jurisdiction": "eu", "health_care": true, "assessment": {"reference": "DPIA 5", "date": "1999-01-01", "kept_until": "2030-01-01"}},
  {"store": "early", "jurisdiction": "eu", "health_care": false, "assessment": {"reference": "DPIA 6", "date": "2999-01-01", "kept_until": "3030-01-01"}}
 ]`

var trying = regexp.MustCompile(`(?s) "for_trying_only": "[^"]*",\n|"stores": \[.*\]`)

// ownRegistry is the example made a retailer's own.
func ownRegistry(t *testing.T) map[string]string {
	t.Helper()
	text := string(exampleFiles(t)["registry.json"].Data)
	return map[string]string{"registry.json": trying.ReplaceAllStringFunc(text, func(s string) string {
		if strings.HasPrefix(s, `"stores"`) {
			return ownStores
		}
		return ""
	})}
}

// A store goes live only with an impact assessment on record, and not around health care where the law forbids a
// fence there: neither by its map nor by being opened, and with the map nothing is kept (brief, 21 and 22).
func TestGoingLive(t *testing.T) {
	files := exampleFiles(t)
	for name, text := range ownRegistry(t) {
		files[name].Data = []byte(text)
	}
	h := houseUnder(t, files, nil)
	zone := func(class string) string {
		return strings.Replace(kiosk(0), `"features":[`, `"features":[{"type":"Feature","id":"z1","properties":{"kind":"unit","floor":0,"class":"`+class+`"},
			"geometry":{"type":"Polygon","coordinates":[[[1.0002,0.0002],[1.0004,0.0002],[1.0004,0.0004],[1.0002,0.0004],[1.0002,0.0002]]]}},`, 1)
	}
	for _, c := range []struct {
		store, body string
		status      int
		code, says  string
	}{
		{"kiosk", kiosk(0), 200, "", ""},
		{"kiosk", zone("shoes"), 200, "", ""},
		{"kiosk", zone("clinic"), 409, "health_care", `zone "z1"`},
		{"kiosk", zone("healthcare"), 409, "health_care", "us-wa"},
		{"pharmacy", zone("pharmacy"), 200, "", ""}, // elsewhere it is no fence around health care that is unlawful
		{"clinic", kiosk(0), 409, "health_care", "store clinic"},
		{"corner", kiosk(0), 409, "health_care", `zone "z9"`},
		{"early", kiosk(0), 409, "not_assessed", "2999-01-01"},
		{"unknown", kiosk(0), 409, "not_assessed", `"unknown"`},
	} {
		var p storeAnswer
		status := h.admin("PUT", "/v1/admin/stores/"+c.store+"/map", c.body, &p)
		if status != c.status || p.Code != c.code || !strings.Contains(p.Detail, c.says) {
			t.Errorf("%s: %d %s (%s), want %d %s", c.store, status, p.Code, p.Detail, c.status, c.code)
		}
	}
	var list struct{ Stores []storeAnswer }
	h.want("the list", h.ask("GET", "/v1/stores", "", "", &list), http.StatusOK)
	h.want("stores", len(list.Stores), 3)

	// One that came in before it was looked at stays closed, says why, and is not opened by hand.
	h.ok(h.store.SaveMap(t.Context(), "clinic", "v1", []byte(kiosk(0)), "import"))
	h.ok(h.node.ReadStores(t.Context()))
	var admin struct {
		Stores []struct {
			ID, Barred string
			Open       bool
		}
	}
	h.want("the list", h.admin("GET", "/v1/admin/stores", "", &admin), http.StatusOK)
	found := false
	for _, s := range admin.Stores {
		if s.ID == "clinic" {
			found = true
			if s.Open || !strings.Contains(s.Barred, "forbids a fence around health care") {
				t.Errorf("%+v", s)
			}
		} else if !s.Open || s.Barred != "" {
			t.Errorf("%+v", s)
		}
	}
	h.want("found", found, true)
	var p storeAnswer
	h.want("opening it", h.admin("PUT", "/v1/admin/stores/clinic/closed", `{"closed":false}`, &p), http.StatusConflict)
	h.want("opening it", p.Code, "health_care")
	h.want("closing it", h.admin("PUT", "/v1/admin/stores/clinic/closed", `{"closed":true}`, nil), http.StatusOK)
}
