// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
)

// keep keeps the last answer's body.
type keep struct {
	http.RoundTripper
	body []byte
}

func (k *keep) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := k.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	k.body, err = io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(k.body))
	return res, err
}

// TestRecordedDecisionIsNotLost: a refusal that ends a visit whose traces cannot be purged is recorded
// all the same. Its answer holds what the shopper is owed; the same decision again waits for the rest.
func TestRecordedDecisionIsNotLost(t *testing.T) {
	h := newHouse(t)
	h.attended()
	k := &keep{RoundTripper: h.web.Transport}
	c := h.app("shopper", &http.Client{Transport: k}, nil)
	h.connect(c)
	prompt := h.prompted(c)
	no := client.Answer{Choice: "no", Control: "button"}
	h.live.deaf.Store(true)
	_, err := c.Decide(t.Context(), demostore.ID, prompt, no)
	p, ok := errors.AsType[*client.Problem](err)
	if !ok || p.Status != http.StatusServiceUnavailable || p.Code != "recorded_not_complete" {
		t.Fatalf("%v; want 503 recorded_not_complete", err)
	}
	var body struct {
		RecordID  string `json:"record_id"`
		Receipt   string `json:"receipt"`
		StopToken string `json:"stop_token"`
	}
	h.ok(json.Unmarshal(k.body, &body))
	if body.RecordID == "" || bytes.Count([]byte(body.Receipt), []byte(".")) != 2 || body.StopToken == "" {
		t.Fatalf("record %t, receipt %t, stop token %t", body.RecordID != "", body.Receipt != "", body.StopToken != "")
	}
	if _, err := c.Decide(t.Context(), demostore.ID, prompt, no); err == nil {
		t.Fatal("answered while the traces are not purged")
	}
	h.live.deaf.Store(false)
	d, err := c.Decide(t.Context(), demostore.ID, prompt, no)
	if err != nil || d.RecordID != body.RecordID || d.Receipt != body.Receipt || d.StopToken != body.StopToken {
		t.Fatalf("once more: %+v, %v", d, err)
	}
}

// A decision whose answer was lost is sent again and answered the same, to the letter; what differs in anything is refused, and
// so is what has been withdrawn meanwhile. What takes the place of a grant is called renewed wherever it is told of.
func TestADecisionIsAnsweredTheSameAgain(t *testing.T) {
	h := newHouse(t)
	k := &keep{RoundTripper: h.web.Transport}
	a := h.app("shopper", &http.Client{Transport: k}, nil)
	decide := func(p client.Prompt, choice string) (string, error) {
		_, err := a.Decide(t.Context(), demostore.ID, p, client.Answer{Choice: choice, Control: "button"})
		return string(k.body), err
	}
	refused := func(what string, p client.Prompt, choice string) {
		t.Helper()
		_, err := decide(p, choice)
		if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != http.StatusUnprocessableEntity || p.Code != "served_id" {
			t.Errorf("%s: %v", what, err)
		}
	}
	for n, state := range []string{"given", "renewed", "refused"} {
		p, choice := h.prompted(a), []string{"visit", "term", "no"}[n]
		first, err := decide(p, choice)
		h.ok(err)
		again, err := decide(p, choice)
		h.ok(err)
		if first != again || !strings.Contains(first, `"state":"`+state+`"`) {
			t.Errorf("%s: answered\n%s\nand then\n%s", choice, first, again)
		}
		refused("another choice", p, "not_now")
		me, err := a.Me(t.Context(), demostore.ID)
		if err != nil || state != "refused" && (len(me.Grants) != 1 || me.Grants[0].State != state) {
			t.Errorf("%s: told of oneself: %+v, %v", state, me.Grants, err)
		}
	}
	p := h.prompted(a)
	_, err := decide(p, "term")
	h.ok(err)
	_, err = a.Withdraw(t.Context(), client.Withdrawal{Scope: "all"})
	h.ok(err)
	refused("after a withdrawal", p, "term")
}
