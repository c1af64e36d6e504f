// SPDX-License-Identifier: Apache-2.0

package server

import (
	"time"

	"doorstep/tracking"
	"doorstep/tracking/wire"
)

// ackState is what the next ack says. An ack never spans a change of outcome, so that an app can
// tell each of its fixes' fate from it.
type ackState struct {
	seq, accepted, lease int64
	refused              wire.Refusals
	pending              int
	outcome              outcome
}

type outcome uint8

const (
	counted outcome = iota // toward entering: neither stored nor refused
	accepted
	refused
)

// judged takes in what became of a fix and acknowledges when it is time: after ackEach fixes, when
// the outcome changes, or when something was refused.
func (p *phone) judged(seq int64, r tracking.FixResult) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := &p.acks
	kind := counted
	switch {
	case r.Accepted:
		kind = accepted
	case r.Refused != "":
		kind = refused
	}
	if a.pending > 0 && a.outcome != kind {
		p.flushAck()
	}
	if a.pending == 0 {
		p.waiting.Store(p.srv.now())
	}
	a.pending++
	a.seq, a.lease, a.outcome = max(a.seq, seq), r.LeaseUntil, kind
	switch kind {
	case accepted:
		a.accepted = max(a.accepted, seq)
	case refused:
		a.refused.Add(wire.Code(r.Refused))
	}
	if a.pending >= ackEach || kind == refused || r.Changed {
		p.flushAck()
	}
}

// flushAck sends the pending ack, if there is one. Called with mu held.
func (p *phone) flushAck() {
	if p.acks.pending > 0 {
		p.ack()
	}
}

func (p *phone) ack() {
	a := &p.acks
	frame := wire.Ack{T: p.srv.now(), Seq: a.seq, AcceptedSeq: a.accepted, LeaseUntil: a.lease}
	if !a.refused.Empty() {
		frame.Refused = &a.refused
	}
	p.say(frame.Append)
	a.refused.Reset()
	a.pending = 0
	p.waiting.Store(0)
	if p.visit != "" {
		p.srv.resumes.Extend(p.visit, time.UnixMilli(a.lease))
	}
}
