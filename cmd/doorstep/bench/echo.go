// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"

	"github.com/gorilla/websocket"
)

// ServeEcho is the yardstick: the least that a WebSocket server can do with a position, send it back. It reads inside
// its handler with buffers of 1 KiB, as the library's own example does. It serves until in ends.
func ServeEcho(in io.Reader, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	up := websocket.Upgrader{ReadBufferSize: 1 << 10, WriteBufferSize: 1 << 10}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return // Upgrade has answered
		}
		defer conn.Close()
		for {
			kind, b, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, b) != nil {
				return
			}
		}
	})}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	err = Orders{"tidy": Tidy, "address": func(json.RawMessage) (any, error) { return "ws://" + l.Addr().String(), nil }}.Serve(in, out)
	_ = srv.Close()
	if stopped := <-served; !errors.Is(stopped, http.ErrServerClosed) {
		return errors.Join(err, stopped)
	}
	return err
}
