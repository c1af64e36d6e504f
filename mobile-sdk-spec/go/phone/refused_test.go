// SPDX-License-Identifier: Apache-2.0

package phone

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"doorstep/mobile-sdk-spec/go/client"
)

// A withdrawal that the server cannot take as it is, is told and kept, and not repeated; one of everything settles it (W-5).
func TestAWithdrawalThatCannotBeTaken(t *testing.T) {
	var mu sync.Mutex // owns the next two
	var asked []string
	var kept Kept
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b struct{ ID, Scope string }
		if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
			t.Error(err)
		}
		mu.Lock()
		asked = append(asked, b.Scope)
		mu.Unlock()
		if b.Scope == "all" {
			fmt.Fprintf(w, `{"id":%q,"receipt":"a.b.c","change":1,"removed":{"nodes":1,"consoles":0,"ms":1}}`, b.ID)
			return
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		fmt.Fprint(w, `{"type":"/problems/not_on_record","title":"Nothing was withdrawn","status":422,"code":"not_on_record","t":1}`)
	}))
	defer server.Close()
	key, err := client.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(client.Config{BaseURL: server.URL, Installation: key, Token: func(context.Context) (string, error) { return "token", nil }})
	if err != nil {
		t.Fatal(err)
	}
	open := func(from Kept) *Phone {
		return New(Config{Client: c, Keep: func(k Kept) { mu.Lock(); kept = k; mu.Unlock() }}, from)
	}
	heard := func(p *Phone) {
		t.Helper()
		p.work.Wait()
		if why := p.Refused(); why == nil || why.Code != "not_on_record" || p.State() != Stopping {
			t.Fatalf("it says %v in %s", why, p.State())
		}
	}
	p := open(Kept{Grants: []Grant{{Store: "s", Purpose: "assist"}}, Store: "s"})
	p.Withdraw("grant", "asist")
	heard(p)
	p.Close()
	p = open(kept)
	defer p.Close()
	heard(p)
	p.Withdraw("all", "")
	p.work.Wait()
	if p.State() != Off || p.Refused() != nil || len(kept.Stop) != 0 {
		t.Errorf("after all: %s, %v, %d kept", p.State(), p.Refused(), len(kept.Stop))
	}
	if !slices.Equal(asked, []string{"grant", "grant", "all"}) {
		t.Errorf("asked %v", asked)
	}
}
