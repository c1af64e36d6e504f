// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
	"golang.org/x/sync/errgroup"
)

// echoLoad is the yardstick's phones, in a process of their own. They send frames of the same bytes as the real ones at
// the same pace, and count what comes back.
type echoLoad struct {
	phones []*echoPhone
	back   atomic.Int64
}

type echoPhone struct {
	conn  *websocket.Conn
	frame []byte
	seq   int64
}

// toOpen says how many sockets to open, and where.
type toOpen struct {
	URL string `json:"url"`
	N   int    `json:"n"`
}

// toPace says how to send.
type toPace struct {
	Hz      float64 `json:"hz"`
	Seconds float64 `json:"seconds"`
}

// paced is what came of it.
type paced struct {
	Sent int64 `json:"sent"`
	Back int64 `json:"back"`
}

// ServeEchoLoad is the part that drives the yardstick. It serves until in ends.
func ServeEchoLoad(in io.Reader, out io.Writer) error {
	l := &echoLoad{}
	defer func() {
		for _, p := range l.phones {
			_ = p.conn.Close()
		}
	}()
	return Orders{"open": decoded(l.open), "pace": decoded(l.pace)}.Serve(in, out)
}

// decoded makes an order of a function with an argument.
func decoded[With any](f func(With) (any, error)) func(json.RawMessage) (any, error) {
	return func(raw json.RawMessage) (any, error) {
		var with With
		if err := json.Unmarshal(raw, &with); err != nil {
			return nil, err
		}
		return f(with)
	}
}

func (l *echoLoad) open(o toOpen) (any, error) {
	l.phones = make([]*echoPhone, o.N)
	var g errgroup.Group
	g.SetLimit(openers)
	for i := range l.phones {
		g.Go(func() error {
			conn, _, err := sockets(i).Dial(o.URL, nil)
			if err != nil {
				return fmt.Errorf("socket %d of the echo: %w", i+1, err)
			}
			l.phones[i] = &echoPhone{conn: conn}
			go l.listen(conn)
			return nil
		})
	}
	return nil, g.Wait()
}

func (l *echoLoad) listen(conn *websocket.Conn) {
	for {
		if _, _, err := conn.ReadMessage(); err != nil {
			return
		}
		l.back.Add(1)
	}
}

// pace sends, and waits until everything is back; or for as long as a measurement can.
func (l *echoLoad) pace(p toPace) (any, error) {
	l.back.Store(0)
	sent := pace(context.Background(), l.phones, p.Hz, time.Duration(p.Seconds*float64(time.Second)))
	for end := time.Now().Add(settle); l.back.Load() < sent && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	return paced{sent, l.back.Load()}, nil
}

// send sends a fix that a real phone could have sent. It is written anew each time, as theirs are.
func (p *echoPhone) send(now time.Time) bool {
	p.seq++
	p.frame = appendFix(p.frame[:0], p.seq, now.UnixMilli(), someplace, 0, stated)
	return p.conn.WriteMessage(websocket.TextMessage, p.frame) == nil
}
