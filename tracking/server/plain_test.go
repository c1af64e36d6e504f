// SPDX-License-Identifier: Apache-2.0

package server

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"pgregory.net/rapid"

	"doorstep/tracking/server/poll"
	"doorstep/tracking/wire"
)

// stream is a connection on which bytes have come in, and no more will.
type stream struct {
	net.Conn
	in io.Reader
}

func (s stream) Read(b []byte) (int, error)     { return s.in.Read(b) }
func (stream) Write(b []byte) (int, error)      { return len(b), nil }
func (stream) Close() error                     { return nil }
func (stream) SetDeadline(time.Time) error      { return nil }
func (stream) SetReadDeadline(time.Time) error  { return nil }
func (stream) SetWriteDeadline(time.Time) error { return nil }

// library is the library's end of a connection.
func library(t fataler, conn net.Conn) *websocket.Conn {
	r := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg=="} {
		r.Header.Set(k, v)
	}
	up := websocket.Upgrader{ReadBufferSize: leastBuffer}
	c, err := up.Upgrade(hijacked{conn: conn}, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(wire.MaxIn)
	return c
}

type fataler interface{ Fatal(...any) }

// byLibrary are the messages that the library reads, and what it ends with.
func byLibrary(c *websocket.Conn) (messages []string, end string) {
	for {
		kind, b, err := c.ReadMessage()
		if err != nil {
			var closed *websocket.CloseError
			if errors.As(err, &closed) {
				return messages, closed.Error()
			}
			return messages, err.Error()
		}
		messages = append(messages, string(rune('0'+kind))+string(b))
	}
}

// byBoth are those that are read as a phone's are: plain ones here, in pieces as they come, and from the first that is
// not, by the library.
func byBoth(t fataler, sent []byte, cuts []int) (messages []string, end string) {
	var b []byte
	for from := 0; from < len(sent) || len(b) > 0; {
		text, rest, is := plainFrame(b)
		switch {
		case is == plain:
			messages = append(messages, "1"+string(text))
			b = rest
			continue
		case is == partial && from < len(sent):
			to := len(sent)
			if len(cuts) > 0 {
				to, cuts = min(to, from+cuts[0]), cuts[1:]
			}
			b = append(slices.Clone(b), sent[from:to]...)
			from = to
			continue
		}
		l := poll.NewConn(stream{in: bytes.NewReader(sent[from:])})
		l.PutBack(b)
		more, end := byLibrary(library(t, l))
		return append(messages, more...), end
	}
	_, end = byLibrary(library(t, stream{in: strings.NewReader("")}))
	return messages, end
}

// masked is a frame as a client sends it.
func masked(first byte, text []byte, key uint32) []byte {
	b := []byte{first}
	switch {
	case len(text) < longLength:
		b = append(b, maskBit|byte(len(text)))
	default:
		b = binary.BigEndian.AppendUint16(append(b, maskBit|longLength), uint16(len(text)))
	}
	b = binary.LittleEndian.AppendUint32(b, key)
	text = slices.Clone(text)
	for i := range text {
		text[i] ^= byte(key >> (8 * (i % 4)))
	}
	return append(b, text...)
}

// TestPlainFramesAsTheLibrary: whatever an app sends, and however the network cuts it, it is read as the library alone would
// have read it.
func TestPlainFramesAsTheLibrary(t *testing.T) {
	counted := map[framing]int{}
	rapid.Check(t, func(t *rapid.T) {
		var sent []byte
		for range rapid.IntRange(1, 6).Draw(t, "frames") {
			text := rapid.SliceOfN(rapid.Byte(), 0, rapid.SampledFrom([]int{0, 7, 8, 9, 125, 126, 127, 300, wire.MaxIn, wire.MaxIn + 1}).Draw(t, "most")).Draw(t, "text")
			first := rapid.SampledFrom([]byte{0x81, 0x81, 0x81, 0x81, 0x81, 0x01, 0x80, 0x82, 0x88, 0x89, 0x8a, 0xc1, 0x83}).Draw(t, "first")
			f := masked(first, text, rapid.Uint32().Draw(t, "key"))
			if rapid.IntRange(0, 19).Draw(t, "unmasked") == 0 {
				f[1] &^= maskBit
			}
			_, _, is := plainFrame(slices.Clone(f))
			counted[is]++
			sent = append(sent, f...)
		}
		sent = sent[:len(sent)-rapid.IntRange(0, min(3, len(sent))).Draw(t, "cut off")]
		cuts := rapid.SliceOfN(rapid.IntRange(1, 300), 0, 8).Draw(t, "cuts")
		want, wantEnd := byLibrary(library(t, stream{in: bytes.NewReader(sent)}))
		got, end := byBoth(t, sent, cuts)
		if !slices.Equal(got, want) || !endsAlike(end, wantEnd) {
			t.Fatalf("read %q, %s; the library alone %q, %s", got, end, want, wantEnd)
		}
	})
	if counted[plain] == 0 || counted[unusual] == 0 {
		t.Fatalf("only %v were tried", counted)
	}
}

// endsAlike holds the ends of two streams to each other. One that breaks off within a frame and one that breaks off between
// two are the same to a phone.
func endsAlike(a, b string) bool {
	broken := func(s string) string {
		if strings.Contains(s, "unexpected EOF") || strings.Contains(s, "1006") {
			return "broken off"
		}
		return s
	}
	return broken(a) == broken(b)
}

// FuzzPlainFrame: no bytes are a plain frame that the library reads otherwise.
func FuzzPlainFrame(f *testing.F) {
	f.Add(masked(finalText, []byte(`{"type":"bye"}`), 0x01020304))
	f.Add(masked(finalText, make([]byte, 300), 0xffffffff))
	f.Add(append(masked(finalText, []byte("x"), 7), masked(0x89, nil, 9)...))
	f.Add([]byte{finalText, 0xff, 0, 0, 0, 0, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		want, wantEnd := byLibrary(library(t, stream{in: bytes.NewReader(b)}))
		got, end := byBoth(t, slices.Clone(b), nil)
		if !slices.Equal(got, want) || !endsAlike(end, wantEnd) {
			t.Fatalf("read %q, %s; the library alone %q, %s", got, end, want, wantEnd)
		}
	})
}
