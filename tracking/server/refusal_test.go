// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"testing"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
)

// A refusal costs the feature itself and nothing else: whatever is public, about oneself, or for another purpose answers
// as before (brief, 8).
func TestARefusalChangesNothingElse(t *testing.T) {
	h := newHouse(t)
	a := h.app("shopper", h.web, nil)
	read := func() (out []string) {
		for _, path := range []string{"/v1/stores", "/v1/rules", "/v1/cards/" + demostore.ID, "/v1/quiet/" + demostore.ID, "/rules", "/v1/stores/" + demostore.ID + "/fences/" + h.index.Site().Version} {
			resp, body := h.get(path)
			out = append(out, path, resp.Status, string(body))
		}
		me, err := a.Me(t.Context(), demostore.ID)
		h.ok(err)
		views, err := a.Journal(t.Context())
		h.ok(err)
		p, err := a.Prompt(t.Context(), client.PromptRequest{Store: demostore.ID, Purpose: "pickup", Lang: "en"})
		h.ok(err)
		if len(me.Grants) != 0 || len(views) != 0 || !p.MayPrompt {
			t.Errorf("%d grants, %d views, asked about another purpose: %v", len(me.Grants), len(views), p.MayPrompt)
		}
		return out
	}
	before := read()
	if _, err := h.decide(a, "no"); err != nil {
		t.Fatal(err)
	}
	for i, after := range read() {
		if after != before[i] {
			t.Errorf("%s answers otherwise", before[i/3*3])
		}
	}
	p, err := a.Prompt(t.Context(), client.PromptRequest{Store: demostore.ID, Purpose: "assist", Lang: "en"})
	if err != nil || p.MayPrompt {
		t.Errorf("it prompts again for what was refused: %v", err)
	}
}
