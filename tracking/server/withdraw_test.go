// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
)

// counting counts the requests that an app makes.
type counting struct {
	http.RoundTripper
	n atomic.Int64
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.n.Add(1)
	return c.RoundTripper.RoundTrip(r)
}

// Withdrawing takes fewer steps than granting did: one call, that states neither a reason nor anything to
// confirm, by whoever holds the stop token alone; and what it ended is over when it is answered.
func TestWithdrawingIsOneCall(t *testing.T) {
	h := newHouse(t)
	app := &counting{RoundTripper: h.web.Transport}
	c := h.app("shopper", &http.Client{Transport: app}, nil)
	d, err := h.decide(c, "term")
	h.ok(err)
	granting := app.n.Load()
	h.want("calls that a grant takes: the notice, and the decision on it", granting, int64(2))

	for scope, also := range map[string]string{"grant": `,"purpose":"assist"`, "store": "", "all": ""} {
		body := fmt.Sprintf(`{"id":%q,"scope":%q,"t":%d%s}`, uuid.NewString(), scope, time.Now().UnixMilli(), also)
		before := app.n.Load()
		res, err := app.RoundTrip(h.stopRequest(d.StopToken, body))
		h.ok(err)
		h.ok(res.Body.Close())
		h.want("withdrawing, "+scope, res.StatusCode, http.StatusOK)
		h.want("calls that it takes", app.n.Load()-before, int64(1))
		if me, err := c.Me(h.Context(), demostore.ID); err != nil || len(me.Grants) != 0 {
			t.Errorf("after withdrawing %s: %d grants, %v", scope, len(me.Grants), err)
		}
		_, err = h.decide(c, "term")
		h.ok(err)
	}
}

func (h *house) stopRequest(token, body string) *http.Request {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), http.MethodPost, h.url+"/v1/withdrawals", strings.NewReader(body))
	h.ok(err)
	r.Header.Set("Authorization", "Stop "+token)
	r.Header.Set("Content-Type", "application/json")
	return r
}

// A stop token is good for one thing, and not for filling the log: what finds nothing is recorded so often an hour, and asked so
// often a second. What finds something is never one too many.
func TestAStopTokenDoesNotFillTheLog(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		c := h.app("shopper", h.web, nil)
		d, err := h.decide(c, "term")
		h.ok(err)
		said := map[string]int{}
		for range 50 {
			res, err := h.web.Do(h.stopRequest(d.StopToken, fmt.Sprintf(`{"id":%q,"scope":"all","t":1}`, uuid.NewString())))
			h.ok(err)
			var p struct{ Detail string }
			h.ok(json.NewDecoder(res.Body).Decode(&p))
			h.ok(res.Body.Close())
			said[fmt.Sprint(res.StatusCode, " ", strings.HasPrefix(p.Detail, "nothing is in force"))]++
		}
		h.want("recorded", said["200 false"], 20)
		h.want("not recorded any more", said["429 true"], 20)
		h.want("not even asked", said["429 false"], 10)
		h.pass(time.Second)
		_, err = h.decide(c, "term")
		h.ok(err)
		res, err := h.web.Do(h.stopRequest(d.StopToken, fmt.Sprintf(`{"id":%q,"scope":"all","t":1}`, uuid.NewString())))
		h.ok(err)
		h.ok(res.Body.Close())
		h.want("what finds something", res.StatusCode, http.StatusOK)
	})
}
