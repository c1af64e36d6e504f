// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"doorstep/cmd/doorstep/demostore"
	spec "doorstep/mobile-sdk-spec"
	"doorstep/mobile-sdk-spec/go/client"
)

var recordAs = flag.String("record", "", "record a session as this version of the protocol")

const sessions = "../../mobile-sdk-spec/testdata/sessions"

// heardLine is a line of a recorded session: what the client said, or the shape of what it heard.
type heardLine struct {
	AfterMS int64          `json:"after_ms,omitempty"`
	In      map[string]any `json:"in,omitempty"`
	Out     string         `json:"out,omitempty"`   // a type
	State   string         `json:"state,omitempty"` // of a state
	Members []string       `json:"members,omitempty"`
}

// TestEarlierVersionsAreServed: a client that says what it said when its version was the newest is understood, and hears what it heard then:
// every frame with every member, in the same order of states, and the same close. More may come (V-1).
func TestEarlierVersionsAreServed(t *testing.T) {
	r := serveStores(t)
	r.console(t, demostore.ID)
	if *recordAs != "" {
		record(t, r)
		return
	}
	files, err := filepath.Glob(filepath.Join(sessions, "*", "*.ndjson"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no session was recorded: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file))+"/"+filepath.Base(file), func(t *testing.T) {
			said, due := readSession(t, file)
			got := r.retell(t, said)
			for _, want := range due {
				if !slices.ContainsFunc(got, func(l heardLine) bool {
					return l.Out == want.Out && l.State == want.State && !slices.ContainsFunc(want.Members, func(m string) bool { return !slices.Contains(l.Members, m) })
				}) {
					t.Errorf("no %s %s with %v came", want.Out, want.State, want.Members)
				}
			}
			if now, then := states(got), states(due); !slices.Equal(now, then) {
				t.Errorf("the states were %v, and are %v", then, now)
			}
		})
	}
}

func states(lines []heardLine) (list []string) {
	for _, l := range lines {
		if l.Out == "state" && (len(list) == 0 || list[len(list)-1] != l.State) {
			list = append(list, l.State)
		}
	}
	return list
}

func readSession(t *testing.T, file string) (said, due []heardLine) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(raw)); lines.Scan(); {
		var l heardLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		if l.In != nil {
			said = append(said, l)
		} else {
			due = append(due, l)
		}
	}
	if len(said) == 0 || len(due) == 0 {
		t.Fatalf("%s holds no session", file)
	}
	return said, due
}

// retell says it all again, at the pace it was said, with the times of now; and listens to the close.
func (r *running) retell(t *testing.T, said []heardLine) (heard []heardLine) {
	t.Helper()
	conn := r.opened(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			_, raw, err := conn.ReadMessage()
			if err != nil {
				if !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
					t.Errorf("the session ended with %v", err)
				}
				return
			}
			heard = append(heard, shapeOf(raw))
		}
	}()
	for _, l := range said {
		pace := time.NewTimer(time.Duration(l.AfterMS) * time.Millisecond)
		<-pace.C
		frame := maps.Clone(l.In)
		if _, timed := frame["t"]; timed {
			frame["t"] = time.Now().UnixMilli()
		}
		raw, err := json.Marshal(frame)
		if err != nil {
			t.Fatal(err)
		}
		if err := spec.Frame(spec.In, raw); err != nil {
			t.Errorf("what a client said is no frame any more: %v", err)
		}
		if err := conn.WriteMessage(websocket.TextMessage, raw); err != nil {
			t.Fatal(err)
		}
	}
	<-done
	return heard
}

// opened is a socket of somebody who has said yes, before the hello.
func (r *running) opened(t *testing.T) *websocket.Conn {
	t.Helper()
	key, err := client.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	app, err := client.New(client.Config{BaseURL: r.address(), Installation: key, Token: func(context.Context) (string, error) {
		return r.devKey.MintShopper("of "+t.Name(), "doorstep-walk", "adult", 15*time.Minute)
	}})
	if err != nil {
		t.Fatal(err)
	}
	prompt, err := app.Prompt(t.Context(), client.PromptRequest{Store: demostore.ID, Purpose: "assist", Opened: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.Decide(t.Context(), demostore.ID, prompt, client.Answer{Choice: "visit", Control: "button"}); err != nil {
		t.Fatal(err)
	}
	ticket, err := app.Ticket(t.Context(), demostore.ID, []string{"assist"})
	if err != nil {
		t.Fatal(err)
	}
	d := websocket.Dialer{Subprotocols: []string{"doorstep.v1", "doorstep.ticket." + ticket.Ticket}}
	conn, _, err := d.DialContext(t.Context(), ticket.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func shapeOf(raw []byte) heardLine {
	var members map[string]any
	_ = json.Unmarshal(raw, &members) // the witness before the server says if it is none
	l := heardLine{Members: slices.Sorted(maps.Keys(members))}
	l.Out, _ = members["type"].(string)
	l.State, _ = members["state"].(string)
	return l
}

// record writes a visit down: in, seen, a call for help, out and in again, goodbye.
func record(t *testing.T, r *running) {
	t.Helper()
	at := insideOf(t, r.indexes[0])
	seq := 0
	fix := func(afterMS int64) heardLine {
		seq++
		return heardLine{AfterMS: afterMS, In: map[string]any{"type": "fix", "seq": seq, "t": 1, "lat": at.Lat, "lng": at.Lng, "accuracy_m": 6, "accuracy_basis": "p68",
			"level": 0, "source": "sim", "mocked": false, "app_state": "foreground", "precise": true}}
	}
	said := []heardLine{
		{In: map[string]any{"type": "hello", "t": 1, "sdk": "recorded/1.0.0", "lang": "en", "fence": r.indexes[0].Site().Version}},
		fix(200), fix(1100), fix(1100),
		{AfterMS: 100, In: map[string]any{"type": "help", "id": "01890a5d-ac96-774b-bcce-b302099a8057", "topic": "fitting", "show_me": false}},
		{AfterMS: 300, In: map[string]any{"type": "time", "t0": 5}},
		{AfterMS: 700, In: map[string]any{"type": "outside", "seq": seq + 1, "t": 1, "where": "out"}},
	}
	seq++
	said = append(said, fix(1100), fix(1100), fix(1100), heardLine{AfterMS: 300, In: map[string]any{"type": "bye"}})
	var file bytes.Buffer
	lines := json.NewEncoder(&file)
	for _, l := range append(slices.Clone(said), r.retell(t, said)...) {
		if err := lines.Encode(l); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(sessions, *recordAs)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "visit.ndjson"), file.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}
