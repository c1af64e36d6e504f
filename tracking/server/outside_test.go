// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	spec "doorstep/mobile-sdk-spec"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking/server/webhooks"
)

// receiver is somebody outside, who checks what comes as the specification says.
type receiver struct {
	*house
	srv    *httptest.Server
	sender *webhooks.Sender
	key    []byte
	broken atomic.Bool // answers 500
	heard  chan string // the types of what was taken
	alert  atomic.Value
	id     atomic.Value // of the delivery
}

func (h *house) receiver() *receiver {
	r := &receiver{house: h, key: []byte("a key of 32 bytes, for a trial.."), heard: make(chan string, 16)}
	r.srv = httptest.NewTLSServer(http.HandlerFunc(r.take))
	h.Cleanup(r.srv.Close)
	dir := h.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.srv.Certificate().Raw})
	h.ok(os.WriteFile(filepath.Join(dir, "ca.pem"), ca, 0o600))
	file := filepath.Join(dir, "webhooks.json")
	h.ok(os.WriteFile(file, fmt.Appendf(nil, `{"endpoints":[{"id":"crm","url":%q,"secrets":["whsec_%s"]}],"allow_private":["127.0.0.0/8"],"ca_file":"ca.pem"}`,
		r.srv.URL, base64.StdEncoding.EncodeToString(r.key)), 0o600))
	s := &webhooks.Sender{Store: h.store, Path: file, Holder: "node", Now: time.Now, Log: h.said.Log()}
	r.sender = s
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	h.Cleanup(func() { cancel(); h.ok(<-done) })
	return r
}

func (r *receiver) take(w http.ResponseWriter, q *http.Request) {
	text, err := io.ReadAll(q.Body)
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(q.Header.Get("webhook-id") + "." + q.Header.Get("webhook-timestamp") + "." + string(text)))
	if want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)); err != nil || q.Header.Get("webhook-signature") != want {
		r.Errorf("signed %q, want %q, %v", q.Header.Get("webhook-signature"), want, err)
	}
	if err := spec.Body("webhook", text); err != nil {
		r.Errorf("%s: %v", text, err)
	}
	if r.broken.Load() {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	var m struct {
		Type string
		Data struct{ Alert string }
	}
	if err := json.Unmarshal(text, &m); err != nil {
		r.Error(err)
	}
	r.alert.Store(m.Data.Alert)
	r.id.Store(q.Header.Get("webhook-id"))
	r.heard <- m.Type
}

func (r *receiver) hears(want string) {
	r.Helper()
	select {
	case got := <-r.heard:
		r.want("told", got, want)
	case <-time.After(20 * time.Second):
		r.Fatalf("never told of %s", want)
	}
}

// counted waits until an operator's listener says so of what was sent.
func (r *receiver) counted(want ...string) {
	r.Helper()
	var text string
	for range 200 {
		w := httptest.NewRecorder()
		r.server.Metrics(r.sender).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
		text = w.Body.String()
		if !slices.ContainsFunc(want, func(line string) bool {
			return !regexp.MustCompile(`(?m)^doorstep_webhooks_` + line + `$`).MatchString(text)
		}) {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	r.Errorf("no %q in\n%s", want, text)
}

// The world outside hears of a call for help, signed, and that it is gone; what it could not be told waits where operators see it, and
// is not told any more once the shopper has withdrawn.
func TestTheOutsideIsTold(t *testing.T) {
	h := newHouse(t)
	h.server.Outside = h.store
	r := h.receiver()
	h.attended()
	var p peer
	app := h.app("shopper", h.web, h.dialer(&p.wire))
	s := h.connect(app)
	first, err := s.Help("size", false)
	h.ok(err)
	r.hears("alert.raised")
	h.want("of", r.alert.Load(), any(first))
	told, err := app.Journal(h.Context())
	h.ok(err)
	h.want("in the journal, once", len(told), 1)
	h.want("entry", fmt.Sprint(told[0].Kind, told[0].Company, told[0].Other, told[0].Fields), "webhookcrmfalse [visit alert kind]")
	r.broken.Store(true)
	_, err = s.Help("price", false)
	h.ok(err)
	var list struct {
		Deliveries []struct{ ID, State, Event, Fault string }
	}
	for range 200 {
		h.want("list", h.admin("GET", "/v1/admin/webhooks", "", &list), http.StatusOK)
		if len(list.Deliveries) == 1 && list.Deliveries[0].Fault != "" {
			break
		}
		<-time.After(20 * time.Millisecond)
	}
	r.counted("sent_total 1", "failed_total [1-9]", "dead_total 0", "waiting 1", "dead_letters 0", `oldest_waiting_seconds [0-9]+\.[0-9]+`)
	h.want("what waits", fmt.Sprintln(len(list.Deliveries), list.Deliveries[0].Event, list.Deliveries[0].Fault), "1 alert.raised answered 500\n")
	h.want("sent again, which it is anyway", h.admin("POST", "/v1/admin/webhooks/"+list.Deliveries[0].ID+"/replay", "", nil), http.StatusNotFound)
	r.broken.Store(false)
	_, err = app.Withdraw(h.Context(), app.NewWithdrawal(client.Withdrawal{Scope: "all"}))
	h.ok(err)
	r.hears("alert.gone") // of both: of the second it may have heard before it broke
	r.hears("alert.gone")
	r.counted("sent_total 3")
	h.want("as staff", h.ask("GET", "/v1/admin/webhooks", strings.TrimPrefix(h.staff("mei", time.Hour).Get("Authorization"), "Bearer "), "", nil), http.StatusForbidden)
}
