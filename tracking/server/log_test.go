// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorstep/consent"
)

// Anybody can keep a checkpoint, and hold the log to it later: signature, growth, and every leaf.
func TestAnybodyCanAuditTheLog(t *testing.T) {
	h := newHouse(t)
	h.granted("ana", time.Minute)
	resp, early := h.get("/v1/log/checkpoint")
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") || resp.StatusCode != http.StatusOK {
		t.Fatalf("%d, %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	_, key := h.get("/v1/log/key")
	first := h.checkpoint(early, key)
	h.granted("ben", time.Minute)
	_, late := h.get("/v1/log/checkpoint")
	last := h.checkpoint(late, key)
	if first.Size == 0 || last.Size <= first.Size {
		t.Fatalf("sizes %d and %d", first.Size, last.Size)
	}
	var grown consent.Consistency
	_, b := h.get(fmt.Sprintf("/v1/log/consistency?from=%d&to=%d", first.Size, last.Size))
	h.ok(json.Unmarshal(b, &grown))
	h.ok(grown.Verify())
	h.want("from", grown.From, first.TreeHead)
	h.want("to", grown.To, last.TreeHead)
	var page struct {
		From   int64
		Leaves []string
	}
	_, b = h.get(fmt.Sprintf("/v1/log/leaves?from=0&to=%d", last.Size))
	h.ok(json.Unmarshal(b, &page))
	h.want("leaves", int64(len(page.Leaves)), last.Size)
	for i, leaf := range page.Leaves {
		var p consent.Proof
		resp, b := h.get(fmt.Sprintf("/v1/log/proof?index=%d&size=%d", i, last.Size))
		h.ok(json.Unmarshal(b, &p))
		h.ok(p.Verify())
		h.want("leaf", p.Leaf, leaf)
		h.want("tree", p.Tree, last.TreeHead)
		if !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("what cannot change is not kept: %q", resp.Header.Get("Cache-Control"))
		}
	}
	resp, _ = h.get("/v1/log/proof?index=0")
	if strings.Contains(resp.Header.Get("Cache-Control"), "immutable") {
		t.Error("a proof in the newest tree is kept for good")
	}
}

func (h *house) checkpoint(signed, keys []byte) consent.Checkpoint {
	h.Helper()
	c, err := consent.OpenCheckpoint(signed, strings.Fields(string(keys))...)
	h.ok(err)
	return c
}

func TestLogQuestionsThatHaveNoAnswer(t *testing.T) {
	h := newHouse(t)
	for path, want := range map[string]int{
		"/v1/log/proof":                        http.StatusBadRequest,
		"/v1/log/proof?index=":                 http.StatusBadRequest,
		"/v1/log/proof?index=-1":               http.StatusBadRequest,
		"/v1/log/proof?index=1e3":              http.StatusBadRequest,
		"/v1/log/proof?index=0&size=0":         http.StatusBadRequest,
		"/v1/log/proof?index=9007199254740992": http.StatusNotFound,
		"/v1/log/proof?index=9007199254740993": http.StatusBadRequest,
		"/v1/log/proof?index=0&index=1":        http.StatusBadRequest,
		"/v1/log/proof?index=0&shopper=ana":    http.StatusBadRequest,
		"/v1/log/consistency":                  http.StatusBadRequest,
		"/v1/log/consistency?from=9&to=3":      http.StatusNotFound,
		"/v1/log/leaves?from=0":                http.StatusBadRequest,
		"/v1/log/leaves?from=5&to=1":           http.StatusOK,
		"/v1/log/checkpoint?size=1":            http.StatusBadRequest,
	} {
		if resp, body := h.get(path); resp.StatusCode != want {
			t.Errorf("%s: %d %s, want %d", path, resp.StatusCode, body, want)
		}
	}
}
