// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"testing"
	"time"
)

// lost is a session whose connection has gone without a goodbye.
func (h *house) lost() (ana *app, s *handset) {
	h.Helper()
	h.onDuty()
	ana = h.granted("ana", 10*time.Minute)
	s = ana.session()
	s.enter()
	h.pass(time.Second)
	_ = s.conn.Close()
	h.pass(time.Second)
	return ana, s
}

func (s *handset) welcome() map[string]any {
	s.h.Helper()
	list := s.got("welcome")
	if len(list) != 1 {
		s.h.Fatalf("no welcome: %v, closed with %d", s.got(""), s.code)
	}
	return list[0]
}

// resume goes on where s stopped.
func (s *handset) resume() *handset {
	s.h.Helper()
	next := s.h.hello("doorstep.resume."+s.welcome()["resume"].(string), s.h.index.Site().Version)
	next.seq = s.seq
	return next
}

func TestResume(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		_, s := h.lost()
		again := s.resume()
		w := again.welcome()
		if w["resumed"] != true || w["session"] != s.welcome()["session"] || int64(w["last_seq"].(float64)) != s.seq || !again.told("active") {
			h.Fatalf("resumed as %v, told %v", w, again.states())
		}
		go again.listen()
		again.stay(time.Second)
		if acks := again.got("ack"); len(acks) != 0 && int64(acks[len(acks)-1]["accepted_seq"].(float64)) != again.seq {
			h.Fatalf("after a resume: %v", acks)
		}
		if old := s.resume(); old.code != 4006 {
			h.Fatalf("the same token once more: closed with %d", old.code)
		}
		again.stay(time.Second)
		again.stillOpen()
	})
}

// TestNoResumeOfWhatIsOver: a token does not outlive its visit or its lease, however that ended.
func TestNoResumeOfWhatIsOver(t *testing.T) {
	for name, end := range map[string]func(h *house, ana *app){
		"withdrawn":     func(_ *house, ana *app) { ana.withdraw() },
		"granted again": func(h *house, ana *app) { ana.withdraw(); _, err := h.decide(ana.Client, "term"); h.ok(err) },
		"silent":        func(h *house, _ *app) { h.pass(31 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, nil, func(h *house) {
				ana, s := h.lost()
				end(h, ana)
				if again := s.resume(); again.code != 4006 {
					h.Fatalf("resumed: %v, closed with %d", again.got(""), again.code)
				}
			})
		})
	}
}

// TestATokenLivesAsLongAsTheLease: the lease has moved on with the positions since the welcome.
func TestATokenLivesAsLongAsTheLease(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		h.onDuty()
		s := h.granted("ana", 10*time.Minute).session()
		s.stay(45 * time.Second)
		_ = s.conn.Close()
		h.pass(20 * time.Second)
		again := s.resume()
		if again.welcome()["resumed"] != true {
			h.Fatalf("resumed as %v", again.welcome())
		}
	})
}
