// SPDX-License-Identifier: Apache-2.0

//go:build unix

package main

import (
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorstep/cmd/doorstep/crowd"
	"doorstep/cmd/doorstep/demostore"
	"doorstep/geofence"
	"doorstep/tracking"
)

// outsider is a receiver that answers nothing while it is dumb.
type outsider struct {
	file  string // that a server is given
	dumb  atomic.Bool
	heard chan string // id and body of each attempt
}

func newOutsider(t *testing.T) *outsider {
	t.Helper()
	o := &outsider{file: filepath.Join(t.TempDir(), "webhooks.json"), heard: make(chan string, 16)}
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		if err != nil {
			return // whoever asked is dead
		}
		o.heard <- r.Header.Get("webhook-id") + " " + string(text)
		if o.dumb.Load() {
			<-r.Context().Done()
		}
	}))
	t.Cleanup(srv.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	receivers := fmt.Appendf(nil, `{"endpoints":[{"id":"crm","url":%q,"secrets":["whsec_%s"]}],"allow_private":["127.0.0.0/8"],"ca_file":"ca.pem"}`,
		srv.URL, base64.StdEncoding.EncodeToString([]byte("a key of 32 bytes, for a trial..")))
	for name, text := range map[string][]byte{filepath.Join(filepath.Dir(o.file), "ca.pem"): ca, o.file: receivers} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return o
}

func (o *outsider) hears(t *testing.T) string {
	t.Helper()
	select {
	case got := <-o.heard:
		return got
	case <-time.After(30 * time.Second):
		t.Fatal("the outside was told nothing")
		return ""
	}
}

// A server is killed while it tells the outside of a call for help, with another that it has not begun to tell of. The next one tells of
// both: of the first again, under its id and in the same words, and of none twice.
func TestKilledWhileItTellsTheOutside(t *testing.T) {
	t.Parallel()
	o := newOutsider(t)
	o.dumb.Store(true)
	d := alone(t)
	first := d.start("--webhooks", o.file)
	w, err := crowd.Watch(t.Context(), first.address, first.code)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	a := d.app(first.address)
	a.decide(t, demostore.ID, "visit")
	s := a.comeIn(t)
	callForHelp(t, s, w, false)
	begun := o.hears(t)
	later, err := s.Help("price", false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Until(t.Context(), later, func(a crowd.Seen) time.Time { return a.Raised }); err != nil {
		t.Fatal(err)
	}
	first.kill(t)
	o.dumb.Store(false)

	next := serveWith(t, settings{data: d.data, devKey: d.dev, indexes: []*geofence.Index{demoIndex(t)}, webhooks: o.file})
	next.ahead.Store(int64(45 * time.Second)) // by when the dead one's lease is out, and what it had in hand is due
	again, other := o.hears(t), o.hears(t)
	if strings.Contains(again, later) {
		again, other = other, again
	}
	if again != begun {
		t.Errorf("told again:\n%s\nat first:\n%s", again, begun)
	}
	if !strings.Contains(other, later) {
		t.Errorf("of the other: %s", other)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 100 { // what the receiver took is written down a moment later
		if sent, err := next.db.Deliveries(t.Context(), tracking.DeliverySent, 10); err != nil || len(sent) == 2 {
			break
		}
		<-tick.C
	}
	b, err := next.db.Backlog(t.Context())
	if err != nil || b != (tracking.Backlog{}) {
		t.Errorf("left: %+v, %v", b, err)
	}
	select {
	case more := <-o.heard:
		t.Errorf("told once more: %s", more)
	default:
	}
}
