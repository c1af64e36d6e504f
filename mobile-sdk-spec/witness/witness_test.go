// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gorilla/websocket"

	spec "doorstep/mobile-sdk-spec"
)

// TestReceiptsAreLookedInto: what they are about is held against the record's schema.
func TestReceiptsAreLookedInto(t *testing.T) {
	receipt := func(record string) string {
		return "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"receipt":`+record+`}`)) + ".c2ln"
	}
	frame := `{"type":"withdrawn","id":"01890a5d-ac96-774b-bcce-b302099a8057","removed":{"nodes":1,"consoles":0,"ms":1},"receipt":"`
	for text, complains := range map[string]int{receipt(`{}`): 1, receipt(`null`): 1, "a.b.c": 0} {
		if c := talks(t, "/v1/session", 4500, frame+text+`"}`); len(c.said) != complains {
			t.Errorf("%s: %v", text, c.said)
		}
	}
}

// TestMain has what servers say that are made up here count for nothing in a whole run.
func TestMain(m *testing.M) {
	if err := os.Unsetenv(Folder); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// complaints is a test that only listens to what a witness has to say.
type complaints struct {
	testing.TB
	cleanup []func()
	said    []string
}

func (c *complaints) Errorf(format string, _ ...any) { c.said = append(c.said, format) }
func (c *complaints) Cleanup(f func())               { c.cleanup = append(c.cleanup, f) }

// testify has a witness watch a server that says one thing, and returns the complaints.
func testify(t *testing.T, h http.HandlerFunc, ask func(url string)) *complaints {
	c := &complaints{TB: t}
	watched := Before(c, h)
	var serving sync.WaitGroup // until nothing more is written: what is noted is noted after that
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		serving.Add(1)
		defer serving.Done()
		watched.ServeHTTP(w, r)
	}))
	ask(server.URL)
	serving.Wait()
	server.Close()
	for _, f := range c.cleanup {
		f()
	}
	return c
}

func get(t *testing.T, path string) func(string) {
	return func(url string) {
		res, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
}

func TestAnswersAreHeldAgainstTheSpecification(t *testing.T) {
	for body, complains := range map[string]int{`{"t":1}`: 0, `{"t":1,"more":2}`: 1, `{}`: 1, ``: 1} {
		c := testify(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }, get(t, "/v1/time"))
		if len(c.said) != complains {
			t.Errorf("%q: %v", body, c.said)
		}
	}
	if c := testify(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) }, get(t, "/v1/nowhere")); len(c.said) != 1 {
		t.Errorf("an answer where there is no path: %v", c.said)
	}
	if c := testify(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<p>")) }, get(t, "/demo")); len(c.said) != 0 {
		t.Errorf("a page: %v", c.said)
	}
}

func TestFramesAreHeldAgainstTheSpecification(t *testing.T) {
	long := `{"type":"call","id":"01890a5d-ac96-774b-bcce-b302099a8057","text":"` + strings.Repeat("x", 200) + `","until":1}`
	for frame, complains := range map[string]int{`{"type":"unseen"}`: 0, `{"type":"unseen","why":1}`: 1, `{"type":"dance"}`: 1, `[]`: 1, long: 0} {
		t.Setenv(Folder, t.TempDir())
		h := func(w http.ResponseWriter, r *http.Request) {
			conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
			if err != nil {
				return
			}
			_ = conn.WriteMessage(websocket.TextMessage, []byte(frame))
			_ = conn.WriteMessage(websocket.CloseMessage, binary.BigEndian.AppendUint16(nil, 4501))
			_ = conn.Close()
		}
		listen := func(url string) {
			conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(url, "http")+"/v1/session", nil)
			if err != nil {
				t.Fatal(err)
			}
			for err == nil {
				_, _, err = conn.ReadMessage()
			}
			_ = conn.Close()
		}
		server := httptest.NewServer(http.HandlerFunc(h)) // of another process, as far as a witness can tell
		at, err := url.Parse(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		for how, c := range map[string]*complaints{"": testify(t, h, listen),
			"by a proxy": testify(t, httputil.NewSingleHostReverseProxy(at).ServeHTTP, listen)} {
			if len(c.said) != complains {
				t.Errorf("%q %s: %v", frame, how, c.said)
			}
		}
		server.Close()
	}
}

// TestBodiesThatAreTakenAreHeldAgainstTheSpecification, and those that are refused are not.
func TestBodiesThatAreTakenAreHeldAgainstTheSpecification(t *testing.T) {
	for _, c := range []struct {
		body               string
		status, complaints int
	}{
		{`{"code":"c"}`, http.StatusNoContent, 0}, {`{"code":"c","more":1}`, http.StatusNoContent, 1}, {`{"code":"c","more":1}`, http.StatusBadRequest, 0},
		{``, http.StatusNoContent, 1}, {`{"code":"c"} {`, http.StatusNoContent, 1},
	} {
		h := func(w http.ResponseWriter, r *http.Request) {
			_, _ = r.Body.Read(make([]byte, 3)) // who needs no more of it
			if c.status == http.StatusNoContent {
				w.WriteHeader(c.status)
				return
			}
			w.WriteHeader(c.status)
			_, _ = w.Write([]byte(`{"type":"/problems/request","title":"T","status":400,"code":"request","detail":"D","remedy":"R","t":1}`))
		}
		got := testify(t, h, func(url string) {
			res, err := http.Post(url+"/v1/staff/session", "application/json", strings.NewReader(c.body))
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
		})
		if len(got.said) != c.complaints {
			t.Errorf("%q, answered with %d: %v", c.body, c.status, got.said)
		}
	}
}

// talks has a witness watch a socket on which a server says frames, and closes with a code.
func talks(t *testing.T, path string, code int, frames ...string) *complaints {
	return testify(t, func(w http.ResponseWriter, r *http.Request) {
		conn, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		for _, frame := range frames {
			_ = conn.WriteMessage(websocket.TextMessage, []byte(frame))
		}
		_ = conn.WriteMessage(websocket.CloseMessage, binary.BigEndian.AppendUint16(nil, uint16(code)))
		_ = conn.Close()
	}, func(url string) {
		conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(url, "http")+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for err == nil {
			_, _, err = conn.ReadMessage()
		}
		_ = conn.Close()
	})
}

// TestWhatIsNewInALongTalkIsLookedAt: after many frames of one form, one of the same members that says something else.
func TestWhatIsNewInALongTalkIsLookedAt(t *testing.T) {
	usual := slices.Repeat([]string{`{"type":"help_update","id":"01890a5d-ac96-774b-bcce-b302099a8057","state":"seen"}`}, often+5)
	for last, complains := range map[string]int{
		`{"type":"help_update","id":"01890a5d-ac96-774b-bcce-b302099a8057","state":"coming"}`: 0,
		`{"type":"help_update","id":"01890a5d-ac96-774b-bcce-b302099a8057","state":"gone"}`:   1,
		`{"type":"help_update","id":7,"state":"seen"}`:                                        1,
		`{"type":"help_update","id":"","state":"seen"}`:                                       1,
	} {
		if c := talks(t, "/v1/session", 4501, append(slices.Clip(usual), last)...); len(c.said) != complains {
			t.Errorf("%s: %v", last, c.said)
		}
	}
}

// TestCloseCodesAreHeldAgainstTheSpecification, each socket's against its own.
func TestCloseCodesAreHeldAgainstTheSpecification(t *testing.T) {
	for _, c := range []struct {
		path      string
		code      int
		complains int
	}{{"/v1/session", 4501, 0}, {"/v1/session", 4242, 1}, {"/v1/staff/socket", 4006, 0}, {"/v1/staff/socket", 4501, 1}, {"/v1/staff/socket", 1001, 0}} {
		if got := talks(t, c.path, c.code); len(got.said) != c.complains {
			t.Errorf("%s closed with %d: %v", c.path, c.code, got.said)
		}
	}
}

// TestTheAccount: what was seen counts, and what was not is named.
func TestTheAccount(t *testing.T) {
	dir := t.TempDir()
	if _, err := Take(dir); err == nil {
		t.Error("a run that collected nothing was accounted for")
	}
	t.Setenv(Folder, dir)
	testify(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"t":1}`)) }, get(t, "/v1/time"))
	talks(t, "/v1/session", 4501, `{"type":"ack","t":1,"seq":1,"accepted_seq":0,"lease_until":1,"refused":{"speed":1}}`)
	a, err := Take(dir)
	if err != nil || a.Seen != 2+7+1+1 {
		t.Errorf("%v: %d seen", err, a.Seen)
	}
	for name, never := range map[string]bool{"GET /v1/time 200": false, "http-time.t": false, "out-ack": false, "out-ack.refused.speed": false, "out close 4501": false,
		"out-ack without refused": true, "out-ack.refused.order": true, "out close 4500": true, "GET /v1/stores 200": true, "staff-out close 4006": true} {
		if slices.Contains(a.Never, name) != never {
			t.Errorf("never seen: %s: %v", name, !never)
		}
	}
	due, err := spec.Documented()
	if err != nil || a.Of != len(due) || len(due) < 1000 {
		t.Errorf("%d of %d; %v", a.Of, len(due), err)
	}
}
