// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"errors"
	"net/http"
	"testing"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
)

// TestShopperLimit: a shopper with many installations has no more than one; another shopper still has all.
func TestShopperLimit(t *testing.T) {
	h := newHouse(t)
	refused := 0
	for range 8 { // of 15 each: none reaches an installation's own limit
		c := h.app("many phones", h.web, nil)
		for range 15 {
			_, err := c.Me(t.Context(), demostore.ID)
			if p, ok := errors.AsType[*client.Problem](err); ok && p.Status == http.StatusTooManyRequests && p.Code == "rate" {
				refused++
			} else {
				h.ok(err)
			}
		}
	}
	if refused == 0 {
		t.Fatal("120 requests of one shopper at once were all answered")
	}
	_, err := h.app("one phone", h.web, nil).Me(t.Context(), demostore.ID)
	h.ok(err)
}
