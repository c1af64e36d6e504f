// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"testing"
	"time"

	spec "doorstep/mobile-sdk-spec"
)

// vectorsOf reads a file of vectors, and fails if it is empty.
func vectorsOf[T any](t *testing.T, name string) []T {
	t.Helper()
	raw, err := spec.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []T }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(file.Cases) == 0 {
		t.Fatalf("%s has no cases", name)
	}
	return file.Cases
}

func TestCloseCodes(t *testing.T) {
	for _, v := range vectorsOf[struct {
		Code     int
		Kind     string
		ClearsOn string `json:"clears_on"`
	}](t, "vectors/close-codes.json") {
		retry, restart := Outcome(v.Code)
		if retry != (v.Kind == "retry") || restart != v.ClearsOn {
			t.Errorf("%d: retry %v, restart %q; want %s, %q", v.Code, retry, restart, v.Kind, v.ClearsOn)
		}
	}
}

func TestBackoff(t *testing.T) {
	for _, v := range vectorsOf[struct {
		N       int
		BoundMS int64 `json:"bound_ms"`
	}](t, "vectors/backoff.json") {
		most := time.Duration(v.BoundMS) * time.Millisecond
		var longest time.Duration
		for range 500 {
			longest = max(longest, Backoff(v.N, 0))
		}
		if longest > most || longest < most*9/10 {
			t.Errorf("attempt %d: the longest of 500 waits is %v, the bound %v", v.N, longest, most)
		}
		if got := Backoff(v.N, 30_000); got != 30*time.Second {
			t.Errorf("attempt %d: %v although the server asked for 30 s", v.N, got)
		}
	}
}

func TestClock(t *testing.T) {
	for _, v := range vectorsOf[struct {
		Name      string
		Exchanges []struct{ Sent, Received, T int64 }
		At        int64
		Expect    *int64
	}](t, "vectors/clock.json") {
		var c clock
		for _, e := range v.Exchanges {
			c.observe(time.UnixMilli(e.Sent), time.UnixMilli(e.Received), e.T)
		}
		if v.Expect == nil {
			if c.known {
				t.Errorf("%s: the clock claims to know", v.Name)
			}
			continue
		}
		if got := c.serverMS(v.At); got != *v.Expect {
			t.Errorf("%s: got %d, want %d", v.Name, got, *v.Expect)
		}
	}
}

func TestDigest(t *testing.T) {
	for _, v := range vectorsOf[struct {
		Name, Title, Digest string
		Blocks              []Block
		Choices             []string
	}](t, "vectors/digest.json") {
		p := Prompt{Title: v.Title, Blocks: v.Blocks}
		for _, label := range v.Choices {
			p.Choices = append(p.Choices, Choice{Label: label})
		}
		if got := p.Shown(); got != v.Digest {
			t.Errorf("%s: got %s, want %s", v.Name, got, v.Digest)
		}
	}
}

func TestReceipts(t *testing.T) {
	raw, err := spec.Files.ReadFile("vectors/receipts.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Keys json.RawMessage }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectorsOf[struct{ Name, Receipt, Signature string }](t, "vectors/receipts.json") {
		if got, _ := CheckReceipt(v.Receipt, file.Keys); string(got) != v.Signature {
			t.Errorf("%s: %s, want %s", v.Name, got, v.Signature)
		}
	}
}
