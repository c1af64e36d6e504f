// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	spec "doorstep/mobile-sdk-spec"
	"doorstep/tracking/server/auth"
)

// get asks without a token and holds the answer to the specification.
func (h *house) get(path string, headers ...string) (*http.Response, []byte) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), http.MethodGet, h.url+path, nil)
	h.ok(err)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := h.web.Do(r)
	h.ok(err)
	body, err := io.ReadAll(resp.Body)
	h.ok(err)
	h.ok(resp.Body.Close())
	if strings.HasPrefix(path, "/v1/") {
		bare, _, _ := strings.Cut(path, "?")
		h.ok(spec.HTTP(http.MethodGet, bare, resp.StatusCode, body))
	}
	return resp, body
}

// The map that phones draw: every zone of every level in one answer, to be kept for ever, and of a
// sensitive zone nothing but its shape.
func TestMapIsWholeAndNamesNothingSensitive(t *testing.T) {
	h := newHouse(t)
	site := h.index.Site()
	address := "/v1/stores/" + demostore.ID + "/maps/" + site.Version
	resp, body := h.get(address)
	if resp.StatusCode != http.StatusOK || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") {
		t.Fatalf("%d, %q", resp.StatusCode, resp.Header.Get("Cache-Control"))
	}
	var m struct {
		Levels []struct {
			Ordinal int
			Zones   []struct {
				ID, Name, Class string
				Sensitive       bool
				Polygon         [][][][2]float64
			}
		}
	}
	h.ok(json.Unmarshal(body, &m))
	sensitive := 0
	for i, level := range site.Levels {
		if m.Levels[i].Ordinal != level.Ordinal || len(m.Levels[i].Zones) != len(level.Zones) {
			t.Errorf("level %d: %d zones of %d", level.Ordinal, len(m.Levels[i].Zones), len(level.Zones))
			continue
		}
		for k, z := range level.Zones {
			got := m.Levels[i].Zones[k]
			if len(got.Polygon) != len(z.Shape) || len(got.Polygon[0][0]) != len(z.Shape[0][0]) {
				t.Errorf("%s: another shape", z.ID)
			}
			if z.Sensitive {
				sensitive++
				if got.ID+got.Name+got.Class != "" || !got.Sensitive {
					t.Errorf("a sensitive zone is told apart: %+v", got)
				}
			} else if got.ID != z.ID || got.Name != z.Name {
				t.Errorf("%s is called %q %q", z.ID, got.ID, got.Name)
			}
		}
	}
	if sensitive == 0 {
		t.Error("the store has no sensitive zone: this proves nothing")
	}
	if plain, same := h.get(address, "Accept-Encoding", "identity"); !resp.Uncompressed || plain.Header.Get("Content-Encoding") != "" || !bytes.Equal(same, body) {
		t.Error("the map comes compressed to those who take that (here: who say nothing), and plain to the others")
	}
	for _, wrong := range []string{"/v1/stores/nowhere/maps/" + site.Version, "/v1/stores/" + demostore.ID + "/maps/0123456789abcdef"} {
		if resp, _ := h.get(wrong); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", wrong, resp.StatusCode)
		}
	}
}

// A console's map is compressed to who takes that, and is for who is signed in.
func TestStaffMapIsCompressedAndForStaff(t *testing.T) {
	h := newHouse(t)
	if resp, _ := h.get("/v1/staff/map"); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a sign-in: %d", resp.StatusCode)
	}
	token, err := h.key.MintStaff("shift", "Desk", auth.RoleFloor, demostore.ID, time.Hour)
	h.ok(err)
	resp, body := h.get("/v1/staff/map", "Authorization", "Bearer "+token)
	plain, same := h.get("/v1/staff/map", "Authorization", "Bearer "+token, "Accept-Encoding", "identity")
	if resp.StatusCode != http.StatusOK || !resp.Uncompressed || plain.Header.Get("Content-Encoding") != "" || !bytes.Equal(body, same) {
		t.Errorf("%d, compressed %v; and plain for who asks so: %q", resp.StatusCode, resp.Uncompressed, plain.Header.Get("Content-Encoding"))
	}
	if got := resp.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("kept by the browser: %q", got)
	}
}

// A person at the front door is shown the way; a program is told, as ever, that there is nothing.
func TestFrontDoor(t *testing.T) {
	h := newHouse(t)
	resp, body := h.get("/", "Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		t.Fatalf("a browser at /: %d, %q", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	for _, link := range []string{`href="/shopper/"`, `href="/console/"`, `href="/demo"`, `href="/rules"`} {
		if !strings.Contains(string(body), link) {
			t.Errorf("the front door does not lead to %s", link)
		}
		if resp, _ := h.get(strings.Trim(strings.TrimPrefix(link, "href="), `"`), "Accept", "text/html"); resp.StatusCode != http.StatusOK {
			t.Errorf("%s leads to %d", link, resp.StatusCode)
		}
	}
	if v := strings.Join(resp.Header.Values("Vary"), ","); !strings.Contains(v, "Accept,") {
		t.Errorf("a cache would give a program the page: Vary is %q", v)
	}
	for path, accept := range map[string]string{"/": "application/json", "/nothing": "text/html"} {
		resp, body := h.get(path, "Accept", accept)
		if resp.StatusCode != http.StatusNotFound || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s for %s: %d %q", path, accept, resp.StatusCode, body)
		}
	}
}
