// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/problem"
	"doorstep/tracking/wire"
)

const (
	staffProtocol = "doorstep.staff.v1"
	consoleSilent = 10 * time.Second // a console that sends no beat for so long is gone
	consoleFrame  = 512
	consoleUnread = 64 << 10 // bytes that wait for a console to read; by itself the kernel would keep megabytes, and nobody would notice
)

// screen is the console's socket.
type screen struct {
	srv     *Server
	conn    *websocket.Conn
	release func() // gives the places back that the socket takes up
	once    sync.Once
}

func (s *Server) screen(w http.ResponseWriter, r *http.Request) {
	if !s.ready(w, r, staffProtocol) {
		return
	}
	who, session, err := s.staff.Staff(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	x, ok := s.Atlas.Index(who.Store)
	if !ok {
		s.fail(w, r, problem.New(problem.NoStore))
		return
	}
	release, err := s.consoles.address(s, r)
	if err == nil {
		release, err = s.consoles.person(s.shift(who), release)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	up := websocket.Upgrader{Subprotocols: []string{staffProtocol}, HandshakeTimeout: helloWait,
		CheckOrigin: func(*http.Request) bool { return true }} // StaffEntry has
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		release()
		return // Upgrade has answered
	}
	if line, ok := conn.NetConn().(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = line.SetWriteBuffer(consoleUnread / 2) // Linux makes it twice as much
	}
	c := &screen{srv: s, conn: conn, release: release}
	go c.serve(who, session, x.Site())
}

// Write implements tracking.Screen: at most writeWait, and then the console is cut.
func (c *screen) Write(frame any) error {
	b, err := json.Marshal(frame)
	if err != nil {
		return err
	}
	_ = c.conn.SetWriteDeadline(time.Now().Add(writeWait))
	return c.conn.WriteMessage(websocket.TextMessage, b)
}

// Close implements tracking.Screen. It fails a Write that is under way.
func (c *screen) Close(why consent.Reason) {
	code := wire.CloseTooSlow
	if why == "shutting_down" {
		code = wire.CloseRestart
	}
	c.close(code)
}

func (c *screen) close(code int) {
	c.say(code)
	_ = c.conn.Close()
}

// say writes the close frame, once.
func (c *screen) say(code int) {
	c.once.Do(func() {
		message := websocket.FormatCloseMessage(code, wire.LookupClose(code).Name)
		_ = c.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(writeWait/4))
	})
}

// cut closes on a console that floods. It is the reader's, and takes in for a moment what is on its
// way: with that unread, a reset would overtake the close frame.
func (c *screen) cut(code int) {
	c.say(code)
	_ = c.conn.SetReadDeadline(time.Now().Add(closeGrace))
	_, _ = io.Copy(io.Discard, c.conn.NetConn())
	_ = c.conn.Close()
}

type consoleWelcome struct {
	Type     string            `json:"type"`
	T        int64             `json:"t"`
	Store    map[string]string `json:"store"`
	Person   map[string]string `json:"person"`
	BeatMS   int64             `json:"beat_ms"`
	StaleMS  int64             `json:"stale_ms"`
	Training bool              `json:"training"`
	Epoch    string            `json:"epoch"` // in which offsets are counted: for hello, on coming back
	Fence    string            `json:"fence"` // version of the map that positions are in metres of
}

// serve is the console's life. Its session's end closes it.
func (c *screen) serve(who auth.Staff, session *auth.StaffSession, site *geofence.Site) {
	defer c.release()
	defer c.close(wire.CloseBye)
	person := c.srv.person(who)
	seen, ok := c.hello()
	if !ok {
		c.close(wire.CloseBadProtocol)
		return
	}
	epoch, err := c.srv.Node.Alerts.AlertEpoch(context.Background())
	if err != nil {
		c.close(wire.CloseDependency)
		return
	}
	err = c.Write(consoleWelcome{Type: "welcome", T: c.srv.now(),
		Store: map[string]string{"id": who.Store, "name": site.Name}, Fence: site.Version, Epoch: epoch,
		Person: map[string]string{"shift": person.Shift, "tag": who.Tag, "role": who.Role},
		BeatMS: tracking.BeatEvery.Milliseconds(), StaleMS: tracking.ConsoleStale.Milliseconds()})
	if err != nil {
		return
	}
	console, leave, err := c.srv.Node.Rejoin(context.Background(), who.Store, person, c, seen)
	if err != nil {
		c.srv.Log.Warn("console not joined", "error", err)
		c.close(wire.CloseDependency)
		return
	}
	defer leave()
	if now, ok := c.srv.Atlas.Index(who.Store); !ok || now.Site() != site { // it was told of a map that is another already
		c.close(wire.CloseDependency)
		return
	}
	over := make(chan struct{})
	defer close(over)
	go c.endWith(who, session, over)
	c.read(console, session)
}

// endWith closes the socket when the shift or the sign-in ends.
func (c *screen) endWith(who auth.Staff, session *auth.StaffSession, over <-chan struct{}) {
	end := time.NewTimer(time.Until(who.ExpiresAt))
	defer end.Stop()
	var gone <-chan struct{}
	if session != nil {
		gone = session.Gone()
	}
	select {
	case <-over:
	case <-gone:
		c.close(wire.CloseExpired)
	case <-end.C:
		c.close(wire.CloseExpired)
	}
}

// consoleIn is any frame from a console.
type consoleIn struct {
	Type    string `json:"type"`
	Since   int64  `json:"since"`
	Epoch   string `json:"epoch"`
	N       int64  `json:"n"`
	Touched bool   `json:"touched"` // somebody has touched the device since the beat before
	Alert   string `json:"alert"`
}

// hello is the first frame: how far the console had come, if it has been here before.
func (c *screen) hello() (tracking.Seen, bool) {
	c.conn.SetReadLimit(consoleFrame)
	limitControls(c.conn)
	_ = c.conn.SetReadDeadline(time.Now().Add(helloWait))
	kind, b, err := c.message()
	var in consoleIn
	if err != nil || kind != websocket.TextMessage || strict(b, &in) != nil || in.Type != "hello" || in.Since < 0 {
		return tracking.Seen{}, false
	}
	return tracking.Seen{Offset: in.Since, Epoch: in.Epoch}, true
}

func (c *screen) read(console *tracking.Console, session *auth.StaffSession) {
	var frames perSecond
	for {
		_ = c.conn.SetReadDeadline(time.Now().Add(consoleSilent))
		kind, b, err := c.message()
		if errors.Is(err, errTooFast) {
			c.cut(wire.CloseTooFast)
		}
		if err != nil {
			return
		}
		if frames.count(time.Now()) > framesTolerate { // beats come four times a second
			c.cut(wire.CloseRate)
			return
		}
		var in consoleIn
		if kind != websocket.TextMessage || strict(b, &in) != nil {
			c.close(wire.CloseBadProtocol)
			return
		}
		switch in.Type {
		case "beat":
			if session != nil && !session.Touch(context.Background(), in.Touched) {
				c.close(wire.CloseExpired)
				return
			}
			console.Beat(in.N)
		case "look":
			c.look(console, in.Alert)
		case "look_away":
			console.LookAway(in.Alert)
		default:
			c.close(wire.CloseBadProtocol)
			return
		}
	}
}

// message reads one whole message, for which there is messageWait from its first frame.
func (c *screen) message() (kind int, b []byte, err error) {
	kind, r, err := c.conn.NextReader()
	if err != nil {
		return 0, nil, err
	}
	_ = c.conn.SetReadDeadline(time.Now().Add(messageWait))
	b, err = io.ReadAll(r)
	return kind, b, err
}

func (c *screen) look(console *tracking.Console, alert string) {
	ctx, cancel := context.WithTimeout(context.Background(), helloWait)
	defer cancel()
	if err := console.Look(ctx, alert); err != nil {
		p := asProblem(err)
		console.Tell(p.Code, alert, p.Title)
	}
}
