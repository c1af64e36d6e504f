// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/gorilla/websocket"

	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
)

// phone is one shopper: asked, granted, let in by ticket, then a fix at a time. It holds a socket of its own rather than
// the reference client's session, whose slot, events and timers would cost the machine more than the server does.
type phone struct {
	run   *run
	n     int
	store string
	app   *client.Client
	stand stand

	mu      sync.Mutex // owns the rest, and writing to conn
	conn    *websocket.Conn
	url     string
	resume  string // the newest token for coming back
	seq     int64
	frame   []byte
	ref     reference
	leaves  bool      // steps out now and then
	shown   bool      // somebody looks where it is
	away    *absence  // the last step out, until it is told
	wentOut int64     // the number of its fix
	sent    [4]moment // of the last fixes
	heard   heard
	left    bool   // for good: it has withdrawn
	over    string // why the visit ended; empty while it lasts
}

// moment is when a fix was sent.
type moment struct {
	t      int64 // as it says itself
	at     time.Time
	counts bool // it was sent in a turn
}

// heard is what the server said became of fixes.
type heard struct {
	seq, accepted int64
	refused       map[geofence.Refusal]int64
}

// absence is one step outside, from its fix on.
type absence struct {
	at        time.Time
	suspended bool // the phone was told
	hidden    map[*console]bool
}

// openers is how many phones open at a time; no more than a server takes at once, or they would queue.
const openers = 32

const (
	purpose  = "assist"
	leaveBy  = 20  // a phone that leaves does so by every so manieth fix,
	blurBy   = 211 // and any other one's so manieth is too wide to be taken
	blurredM = 80
	comesIn  = 4 // fixes until who stepped out is visible again, and one more
)

// enter is all that comes before a socket: what is asked and answered.
func (p *phone) enter(ctx context.Context) error {
	prompt, err := p.app.Prompt(ctx, client.PromptRequest{Store: p.store, Purpose: purpose, Lang: "en"})
	if err != nil {
		return err
	}
	_, err = p.app.Decide(ctx, p.store, prompt, client.Answer{Choice: "visit", Control: "button"})
	return err
}

// open takes a ticket and opens the socket.
func (p *phone) open(ctx context.Context) error {
	t, err := p.app.Ticket(ctx, p.store, []string{purpose})
	if err != nil {
		return err
	}
	p.url = t.URL
	return p.dial(ctx, "doorstep.ticket."+t.Ticket, "")
}

// resumed opens another socket for the same visit, as a phone does whose network was gone.
func (p *phone) resumed(ctx context.Context) error {
	p.mu.Lock()
	token := p.resume
	p.mu.Unlock()
	return p.dial(ctx, "doorstep.resume."+token, token)
}

func (p *phone) dial(ctx context.Context, credential, resume string) error {
	conn, res, err := sockets(p.n, "doorstep.v1", credential).DialContext(ctx, p.url, nil)
	if err != nil {
		if res != nil {
			return fmt.Errorf("the socket was refused with status %d", res.StatusCode)
		}
		return err
	}
	w, err := p.greet(conn, resume)
	if err != nil {
		_ = conn.Close()
		return err
	}
	p.mu.Lock()
	p.conn, p.resume, p.over = conn, w.Resume, ""
	p.mu.Unlock()
	go p.listen(conn)
	return nil
}

func (p *phone) greet(conn *websocket.Conn, resume string) (w client.Welcome, err error) {
	hello := map[string]any{"type": "hello", "t": time.Now().UnixMilli(), "sdk": "bench/1.0.0", "lang": "en", "fence": p.run.floor.index.Site().Version}
	if resume != "" {
		hello["resume"] = resume
	}
	if err := conn.WriteJSON(hello); err != nil {
		return w, err
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	if err := conn.ReadJSON(&w); err != nil {
		return w, fmt.Errorf("no welcome: %w", err)
	}
	if resume != "" && !w.Resumed {
		return w, fmt.Errorf("the visit was not resumed")
	}
	return w, conn.SetReadDeadline(time.Time{})
}

// send sends the next fix.
func (p *phone) send(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil || p.left {
		return false
	}
	p.seq++
	s, accuracy := &p.stand.in[p.seq&3], int64(stated)
	switch {
	case p.leaves && p.run.loaded.Load() && (p.seq+int64(p.n))%leaveBy == 0:
		s = p.stand.out
		p.stepOut(now)
	case p.stand.out == nil && !p.shown && (p.seq+int64(p.n))%blurBy == 0:
		accuracy = blurredM
	}
	t := now.UnixMilli()
	p.sent[p.seq&3] = moment{t, now, p.run.turn.Load()}
	p.ref.step(p.run.Rules, geofence.Fix{Seq: p.seq, T: t, At: s.at, AccuracyM: float64(accuracy), Level: p.run.floor.level, HasLevel: true, Precise: true},
		s.place, t)
	p.frame = appendFix(p.frame[:0], p.seq, t, s.at, p.run.floor.level, accuracy)
	return p.conn.WriteMessage(websocket.TextMessage, p.frame) == nil
}

// due reports whether the phone has to send to stay: soon when it has just been outside, else only before its lease ends.
func (p *phone) due(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := silentMost + time.Duration(p.n%80)*100*time.Millisecond
	if p.seq-p.wentOut < comesIn {
		wait = time.Duration(float64(time.Second) / p.run.Hz)
	}
	return now.Sub(p.sent[p.seq&3].at) >= wait
}

// stepOut begins an absence. One that nobody told of before the next is a loss.
func (p *phone) stepOut(now time.Time) {
	if p.away != nil {
		p.run.lose(fmt.Sprintf("a step outside that the app (%t) and %d of %d consoles were told of before the next one",
			p.away.suspended, len(p.away.hidden), p.run.watching(p.store)))
	}
	p.away, p.wentOut = &absence{at: now, hidden: make(map[*console]bool)}, p.seq
}

// say sends anything else.
func (p *phone) say(frame map[string]any) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return errGone
	}
	return p.conn.WriteJSON(frame)
}

var errGone = fmt.Errorf("the phone's socket is closed")

// call asks for help, and returns the call's id.
func (p *phone) call() (string, error) {
	id := uuid.Must(uuid.NewV7()).String()
	p.run.board.expect(id, p)
	return id, p.say(map[string]any{"type": "help", "id": id, "topic": "size"})
}

// leave sends no fix any more.
func (p *phone) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = true
}

// isOpen reports whether the visit goes on.
func (p *phone) isOpen() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conn != nil && !p.left
}

// drop cuts the socket off without a word, as a lost network does.
func (p *phone) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		_ = p.conn.NetConn().Close()
		p.conn = nil
	}
}

// listen takes in what one socket says.
func (p *phone) listen(conn *websocket.Conn) {
	for {
		_, raw, err := conn.ReadMessage()
		at := time.Now()
		if err != nil {
			p.closed(conn, err)
			return
		}
		var f struct {
			Type, State, Reason string
			Code                json.RawMessage
			client.Ack
		}
		if json.Unmarshal(raw, &f) != nil {
			p.run.lose("a frame that is no JSON")
			continue
		}
		p.take(f.Type, f.State, f.Reason, string(f.Code), f.Ack, at)
	}
}

// closed is the end of a socket. Whom the server lets go of with the word to come back does so.
func (p *phone) closed(conn *websocket.Conn, err error) {
	p.mu.Lock()
	ours := p.conn != conn || p.left || p.run.closing.Load()
	if p.conn == conn {
		p.conn = nil
	}
	why := p.over
	p.mu.Unlock()
	if ours {
		return
	}
	p.run.lose(fmt.Sprintf("a socket was closed: %v %s", err, why))
	var c *websocket.CloseError
	if errors.As(err, &c) {
		if retry, _ := client.Outcome(c.Code); retry {
			p.run.comeBack(context.Background(), p)
		}
	}
}

func (p *phone) take(kind, state, reason, code string, ack client.Ack, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch kind {
	case "ack":
		p.heard.seq, p.heard.accepted = max(p.heard.seq, ack.Seq), max(p.heard.accepted, ack.AcceptedSeq)
		for why, n := range ack.Refused {
			if p.heard.refused == nil {
				p.heard.refused = make(map[geofence.Refusal]int64)
			}
			p.heard.refused[geofence.Refusal(why)] += int64(n)
		}
	case "state":
		switch {
		case state == "suspended" && p.away != nil && !p.away.suspended:
			p.away.suspended = true
			p.run.toSuspended.took(at.Sub(p.away.at))
			p.told()
		case state == "ended":
			p.over = reason
		}
	case "throttle":
		p.run.problem("a phone was told to slow down")
	case "auth_due":
		go p.renew()
	case "error":
		p.run.problem("an error: " + code)
	}
}

// told ends an absence when everybody was told of it. Called with mu held.
func (p *phone) told() {
	if p.away.suspended && len(p.away.hidden) == p.run.watching(p.store) {
		p.away = nil
	}
}

// hid takes down that a console hid the shopper; the last one counts.
func (p *phone) hid(by *console, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.away == nil || p.away.hidden[by] {
		return
	}
	if p.away.hidden[by] = true; len(p.away.hidden) == p.run.watching(p.store) {
		p.run.toHidden.took(at.Sub(p.away.at))
	}
	p.told()
}

// shownAt takes down that a console was shown the fix of server time t. Who begins to look is shown the last one again.
func (p *phone) shownAt(t int64, at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.sent {
		if m.t == t && m.counts {
			p.run.toConsole.took(at.Sub(m.at))
			p.run.dots.Add(1)
		}
	}
}

// renew answers that the token runs out.
func (p *phone) renew() {
	t, err := p.app.Ticket(context.Background(), p.store, []string{purpose})
	if err == nil {
		err = p.say(map[string]any{"type": "auth", "ticket": t.Ticket})
	}
	if err != nil {
		p.run.problem("a session could not be renewed")
	}
}
