// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking"
	"doorstep/tracking/server"
)

// caller is a connected app of a shopper's, under the app's name.
func (h *house) caller(shopper, app string) (*client.Client, *client.Session, *peer) {
	h.Helper()
	key, err := client.NewKey()
	h.ok(err)
	p := &peer{}
	c, err := client.New(client.Config{BaseURL: h.url, Installation: key, HTTP: h.web, Dialer: h.dialer(&p.wire),
		Token: func(context.Context) (string, error) { return h.key.MintShopper(shopper, app, "adult", 10*time.Minute) }})
	h.ok(err)
	return c, h.connect(c), p
}

const spying = `{"type":"fix","seq":%d,"t":1,"lat":54,"lng":3,"precise":true,"app_state":"foreground","mac_address":"x"}`

// An app that goes on asking for what is undeclared is kept out: its sockets are closed, it gets no ticket, its name is
// shown to the operator, who can let it in again. One phone of it is not enough, and other apps are not touched (brief, 18).
func TestAnAppThatAsksForTheUndeclaredIsKeptOut(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := buildHouse(t, l, (&net.Dialer{}).DialContext, tracking.SystemClock{}, func(c *server.Config) {
		c.Undeclared = server.Undeclared{After: 20, For: time.Hour} // two of each shopper count
	})
	h.attended()
	victim, bystander, _ := h.caller("victim", "nosy")
	_, other, _ := h.caller("other", "decent")
	spy := func(n int) {
		for i := range n {
			_, s, p := h.caller(fmt.Sprint("spy", n, i), "nosy")
			for seq := range 5 {
				h.ok(p.write(frame(opText|last, fmt.Sprintf(spying, seq+1))))
				if e := refusal(t, s); e.Code != "undeclared" || e.Field != "mac_address" {
					t.Fatalf("%+v", e)
				}
			}
			s.Kill()
		}
	}
	spy(9)
	if _, err := h.suspensions(); err != nil {
		t.Fatal(err)
	}
	if list, _ := h.suspensions(); len(list) != 0 {
		t.Fatalf("kept out too early: %+v", list)
	}
	_, s, p := h.caller("the last one", "nosy")
	for seq := range 2 {
		h.ok(p.write(frame(opText|last, fmt.Sprintf(spying, seq+1))))
	}
	for name, s := range map[string]*client.Session{"the spy": s, "the bystander": bystander} {
		if code := closedWith(t, s); code != 4509 {
			t.Errorf("%s was closed with %d", name, code)
		}
		for end := time.Now().Add(10 * time.Second); ; runtime.Gosched() { // the visit ends too, right after its socket
			if _, there := h.node.Find(s.Welcome().Session); !there {
				break
			} else if time.Now().After(end) {
				t.Fatalf("the visit of %s goes on without a socket", name)
			}
		}
	}
	list, err := h.suspensions()
	h.ok(err)
	if len(list) != 1 || list[0].App != "nosy" || !list[0].Out || list[0].UntilT-list[0].SinceT != time.Hour.Milliseconds() {
		t.Fatalf("the operator sees %+v", list)
	}
	_, err = victim.ConnectWith(t.Context(), "doorstep-demo", h.index.Site().Version, []string{"assist"})
	if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != 403 || p.Code != "suspended" {
		t.Errorf("a ticket for it: %v", err)
	}
	select {
	case e := <-other.Events():
		if c, ok := e.(client.Closed); ok {
			t.Errorf("another app was closed with %d", c.Code)
		}
	default:
	}
	h.want("another app's name", h.admin("DELETE", "/v1/admin/apps/decent/suspension", "", nil), http.StatusNotFound)
	h.want("let in", h.admin("DELETE", "/v1/admin/apps/nosy/suspension", "", nil), http.StatusNoContent)
	h.connect(victim)
	if list, _ := h.suspensions(); len(list) != 1 || list[0].Out || list[0].LiftedBy == "" || strings.Contains(list[0].LiftedBy, "ana") {
		t.Errorf("after it was lifted: %+v", list)
	}
	_, s, p = h.caller("later", "nosy")
	h.ok(h.server.Reread(t.Context()))                    // a suspension that was lifted closes nobody
	h.ok(p.write(frame(opText|last, withdrawing("all")))) // and who is still there withdraws, which is counted
	if code := closedWith(t, s); code == 4509 {
		t.Error("closed by a suspension that was lifted")
	}
	h.ok(h.ledger.WriteCounts(t.Context()))
	tallies, err := h.tallies()
	h.ok(err)
	n := int64(0)
	for _, x := range tallies {
		if x.Kind == consent.TallyWithdrawal {
			n += x.N
		}
	}
	h.want("withdrawals counted", n, int64(1))
}

func withdrawing(scope string) string {
	return fmt.Sprintf(`{"type":"withdraw","id":%q,"scope":%q}`, uuid.NewString(), scope)
}

type suspended struct {
	App      string
	Out      bool
	SinceT   int64  `json:"since_t"`
	UntilT   int64  `json:"until_t"`
	LiftedBy string `json:"lifted_by"`
}

func (h *house) suspensions() ([]suspended, error) {
	h.Helper()
	var list struct{ Apps []suspended }
	if status := h.admin("GET", "/v1/admin/apps", "", &list); status != http.StatusOK {
		return nil, fmt.Errorf("status %d", status)
	}
	return list.Apps, nil
}

func closedWith(t *testing.T, s *client.Session) int {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		select {
		case e, open := <-s.Events():
			if c, ok := e.(client.Closed); ok {
				return c.Code
			}
			if !open {
				return 0
			}
		case <-limit:
			t.Fatal("it was not closed")
		}
	}
}

// What the specification does not declare is refused in a body as in a frame, with the member's name.
func TestAnUndeclaredMemberIsRefusedAndCounted(t *testing.T) {
	h := newHouse(t)
	last := &keep{RoundTripper: h.web.Transport}
	a := h.app("shopper", &http.Client{Transport: addMember{last}}, nil)
	_, err := a.Prompt(t.Context(), client.PromptRequest{Store: "doorstep-demo", Purpose: "assist", Lang: "en"})
	p, ok := errors.AsType[*client.Problem](err)
	if !ok || p.Status != 422 || p.Code != "undeclared" || !strings.Contains(p.Detail, "device_id") {
		t.Fatalf("%v", err)
	}
	h.ok(h.ledger.WriteCounts(t.Context()))
	list, err := h.tallies()
	h.ok(err)
	if len(list) != 1 || list[0].App != "app" || list[0].What != "undeclared" || list[0].N != 1 {
		t.Errorf("counted: %+v", list)
	}
}

// addMember adds a member to each body that is sent.
type addMember struct{ next http.RoundTripper }

func (m addMember) RoundTrip(r *http.Request) (*http.Response, error) {
	var body map[string]any
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return nil, err
	}
	body["device_id"] = "x"
	return m.next.RoundTrip(withBody(r, body))
}
