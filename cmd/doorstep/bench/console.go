// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"
)

// console is one member of staff at one console.
type console struct {
	run    *run
	store  string
	url    string
	bearer string
	conn   *websocket.Conn
	write  sync.Mutex
}

// board is what all consoles were told of calls for help.
type board struct {
	mu    sync.Mutex
	calls map[string]*call
}

// call is one shopper's call for help. mu of the board owns it.
type call struct {
	phone    *phone
	known    [2]chan struct{} // by news, closed when a console has it
	on       map[*console]bool
	since    time.Time // of the withdrawal that is to end it
	last     time.Time // when a console was told that it is gone
	answered bool      // the withdrawal: from then on nobody may list it
	gone     chan struct{}
}

// news is what a console may be told of a call.
type news int

const (
	listed  news = iota // there is one
	visible             // and the shopper can be seen, up to a second later: only then a step outside hides anything
)

func (b *board) expect(id string, p *phone) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls[id] = &call{phone: p, known: [2]chan struct{}{make(chan struct{}), make(chan struct{})}, on: make(map[*console]bool), gone: make(chan struct{})}
}

func (b *board) find(id string) *call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[id]
}

// await waits until a console has the news of a call.
func (b *board) await(ctx context.Context, id string, what news) error {
	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	select {
	case <-b.find(id).known[what]:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("no console %s a call for help within %v", [...]string{"listed", "showed who made"}[what], settle)
	}
}

func (b *board) told(by *console, id string, what news) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[id]
	if c == nil {
		return
	}
	if c.on[by] = true; c.answered {
		by.run.lose("a console was told of a call after its withdrawal was answered")
	}
	select {
	case <-c.known[what]:
	default:
		close(c.known[what])
	}
}

// leaving begins the time until a call is gone from all consoles that list it; then what it returns is closed.
func (b *board) leaving(id string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[id]
	c.since = time.Now()
	return c.gone
}

// answer takes down that the withdrawal was answered. A console that had not been told of the call yet never will be.
func (b *board) answer(id string, run *run) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[id]
	c.answered = true
	c.settle(run)
}

// gone takes down that a console was told.
func (b *board) gone(by *console, id string, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.calls[id]
	if c == nil || !c.on[by] {
		return
	}
	delete(c.on, by)
	c.last = at
	c.settle(by.run)
}

// settle closes a call that is withdrawn and gone from the last console. Called with the board's mu held.
func (c *call) settle(run *run) {
	if !c.answered || len(c.on) > 0 {
		return
	}
	run.toGone.took(c.last.Sub(c.since))
	close(c.gone)
}

// signIn puts somebody on duty.
func (r *run) signIn(ctx context.Context, n int, store string) (*console, error) {
	token, err := r.MintStaff(fmt.Sprintf("shift-%d", n), store)
	if err != nil {
		return nil, err
	}
	c := &console{run: r, store: store, url: r.node(n), bearer: "Bearer " + token}
	c.conn, _, err = sockets(n, "doorstep.staff.v1").DialContext(ctx, "ws"+strings.TrimPrefix(c.url, "http")+"/v1/staff/socket",
		http.Header{"Authorization": {c.bearer}})
	if err != nil {
		return nil, fmt.Errorf("open a console: %w", err)
	}
	if err := c.say(map[string]any{"type": "hello", "since": 0}); err != nil {
		return nil, err
	}
	go c.listen()
	go c.beat(ctx)
	return c, nil
}

func (c *console) say(frame map[string]any) error {
	c.write.Lock()
	defer c.write.Unlock()
	return c.conn.WriteJSON(frame)
}

// beat says four times a second that somebody can see the page: without it nothing is shown.
func (c *console) beat(ctx context.Context) {
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for n := 1; c.say(map[string]any{"type": "beat", "n": n}) == nil; n++ {
		select {
		case <-ctx.Done():
			_ = c.conn.Close()
			return
		case <-tick.C:
		}
	}
}

func (c *console) listen() {
	for {
		_, raw, err := c.conn.ReadMessage()
		at := time.Now()
		if err != nil {
			if !c.run.closing.Load() {
				c.run.problem("a console was cut off")
			}
			return
		}
		c.take(raw, at)
	}
}

func (c *console) take(raw []byte, at time.Time) {
	if bytes.HasPrefix(raw, []byte(`{"type":"beat"`)) {
		return
	}
	var head struct {
		Type  string
		Alert json.RawMessage
		T     int64
		To    string `json:"presence"`

		Alerts []struct{ ID, Presence string }
	}
	if json.Unmarshal(raw, &head) != nil {
		c.run.problem("a frame to a console that is no JSON")
		return
	}
	switch head.Type {
	case "alert":
		var a struct{ ID, Presence string }
		_ = json.Unmarshal(head.Alert, &a)
		c.run.board.told(c, a.ID, listed)
		if a.Presence == "visible" {
			c.run.board.told(c, a.ID, visible)
		}
		return
	case "snapshot": // stands in for what it would have been told one by one, after a moment without a lease
		for _, a := range head.Alerts {
			if called := c.run.board.find(a.ID); called != nil && a.Presence == "hidden" {
				called.phone.hid(c, at)
			}
		}
		return
	}
	id := strings.Trim(string(head.Alert), `"`)
	called := c.run.board.find(id)
	switch {
	case called == nil:
	case head.Type == "position":
		called.phone.shownAt(head.T, at)
	case head.Type == "presence" && head.To == "visible":
		c.run.board.told(c, id, visible)
	case head.Type == "presence" && head.To == "hidden":
		called.phone.hid(c, at)
	case head.Type == "gone":
		c.run.board.gone(c, id, at)
	}
}

// claim takes a call, and looks where the shopper is.
func (c *console) claim(ctx context.Context, id string) error {
	body, err := json.Marshal(map[string]any{"action": "claim", "version": 1})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+"/v1/staff/alerts/"+id+"/actions", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", c.bearer)
	req.Header.Set("Idempotency-Key", uuid.NewString())
	res, err := c.run.http.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
		return fmt.Errorf("claim: status %d: %s", res.StatusCode, why)
	}
	return c.say(map[string]any{"type": "look", "alert": id})
}
