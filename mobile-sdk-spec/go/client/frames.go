// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// The frames from the app, as encoding/json writes them.
type (
	helloFrame struct {
		Type   string `json:"type"`
		T      int64  `json:"t"`
		SDK    string `json:"sdk"`
		Lang   string `json:"lang"`
		Fence  string `json:"fence"`
		Resume string `json:"resume,omitempty"`
	}
	fixFrame struct {
		Type       string   `json:"type"`
		Seq        int64    `json:"seq"`
		T          int64    `json:"t"`
		Lat        float64  `json:"lat"`
		Lng        float64  `json:"lng"`
		AccuracyM  *float64 `json:"accuracy_m,omitempty"`
		Basis      *string  `json:"accuracy_basis,omitempty"`
		Level      *int     `json:"level,omitempty"`
		SpeedMPS   *float64 `json:"speed_mps,omitempty"`
		HeadingDeg *float64 `json:"heading_deg,omitempty"`
		Source     *string  `json:"source,omitempty"`
		Mocked     *bool    `json:"mocked,omitempty"`
		AppState   string   `json:"app_state"`
		Precise    bool     `json:"precise"`
	}
	outsideFrame struct {
		Type  string `json:"type"`
		Seq   int64  `json:"seq"`
		T     int64  `json:"t"`
		Where string `json:"where"`
	}
	helpFrame struct {
		Type   string `json:"type"`
		ID     string `json:"id"`
		Topic  string `json:"topic"`
		ShowMe bool   `json:"show_me"`
	}
	checkinFrame struct {
		Type string `json:"type"`
		ID   string `json:"id"`
		Kind string `json:"kind"`
		Ref  string `json:"ref,omitempty"`
	}
	pauseFrame struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	}
	timeFrame struct {
		Type string `json:"type"`
		T0   int64  `json:"t0"`
	}
	authFrame struct {
		Type   string `json:"type"`
		Ticket string `json:"ticket"`
	}
	mapFrame struct {
		Type  string `json:"type"`
		Fence string `json:"fence"`
		Seq   int64  `json:"seq"`
	}
	withdrawFrame struct {
		Type  string `json:"type"`
		ID    string `json:"id"`
		Scope string `json:"scope"`
	}
	plainFrame struct {
		Type string `json:"type"`
	}
)

// fixOf fills in what a Fix may leave out, and leaves out what the session may not send (F-1).
func fixOf(f Fix, seq, t int64, may func(field string) bool) fixFrame {
	out := fixFrame{Type: "fix", Seq: seq, T: t, Lat: f.Lat, Lng: f.Lng, AppState: "foreground", Precise: !f.Imprecise}
	if f.Pocket {
		out.AppState = "pocket"
	}
	if f.AccuracyM > 0 {
		put(&out.AccuracyM, &f.AccuracyM, may("accuracy_m"))
	}
	put(&out.Basis, or(f.Basis, "unknown"), may("accuracy_basis"))
	put(&out.Level, f.Level, may("level"))
	put(&out.SpeedMPS, f.SpeedMPS, may("speed_mps"))
	put(&out.HeadingDeg, f.HeadingDeg, may("heading_deg"))
	put(&out.Source, or(f.Source, "sim"), may("source"))
	put(&out.Mocked, &f.Mocked, may("mocked"))
	return out
}

func put[T any](into **T, v *T, may bool) {
	if may {
		*into = v
	}
}

func or(v, usual string) *string {
	if v == "" {
		v = usual
	}
	return &v
}

// may reports whether the welcome lists a field.
func (s *Session) may(field string) bool { return slices.Contains(s.welcome.Fields, field) }

// writeFix asks once more with the right to write: a stop, or map_ok for another map, may have gone out since the fix was given.
func (s *Session) writeFix(f Fix) error {
	return s.numbered(func() error { return s.refuses(f) }, func(seq int64) any { return fixOf(f, seq, s.c.clock.serverMS(f.T), s.may) })
}

// numbered writes a frame with the next number, unless refuses, which has mu, says no. The number is taken with the right to
// write, so that numbers go out in order.
func (s *Session) numbered(refuses func() error, frame func(seq int64) any) error {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	seq, err := s.number(refuses)
	if err != nil {
		return err
	}
	return s.write(frame(seq))
}

func (s *Session) number(refuses func() error) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := refuses(); err != nil {
		return 0, err
	}
	s.seq++
	return s.seq, nil
}

// always lets a frame go that says nothing of where the phone is.
func always() error { return nil }

// send writes a frame that has no number.
func (s *Session) send(frame any) error {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	return s.write(frame)
}

// write needs wmu.
func (s *Session) write(frame any) error {
	raw, err := json.Marshal(frame)
	if err != nil {
		return err
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(writeMax)); err != nil {
		return ErrClosed
	}
	if err := s.conn.WriteMessage(websocket.TextMessage, raw); err != nil {
		return ErrClosed
	}
	return nil
}

// askTimeWhenDue asks for the time every five minutes, and believes the next answer whatever its
// round trip.
func (s *Session) askTimeWhenDue() {
	now := s.c.cfg.Now()
	s.mu.Lock()
	due := now.Sub(s.synced) >= resync
	if due {
		s.synced = now
	}
	s.mu.Unlock()
	if due {
		_ = s.askTime() // a lost question is asked again in five minutes
	}
}

func (s *Session) askTime() error {
	s.c.clock.forget()
	return s.send(timeFrame{Type: "time", T0: max(0, s.c.cfg.Now().UnixMilli())})
}
