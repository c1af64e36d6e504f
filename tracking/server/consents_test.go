// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"

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
// all the same, and its answer can be had once only. It holds what the shopper is owed.
func TestRecordedDecisionIsNotLost(t *testing.T) {
	h := newHouse(t)
	h.console()
	k := &keep{RoundTripper: h.web.Transport}
	c := h.app("shopper", &http.Client{Transport: k}, nil)
	h.connect(c)
	h.live.deaf.Store(true)
	_, err := h.decide(c, "no")
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
	if p.RetryMS != 0 {
		t.Fatalf("told to repeat after %d ms what can be sent once only", p.RetryMS)
	}
}
