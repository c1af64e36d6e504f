// SPDX-License-Identifier: Apache-2.0

package server

import (
	"sync"
	"time"

	"doorstep/tracking/wire"
)

// pace counts the frames of one connection in the current second. It belongs to the reader.
type pace struct {
	second int64
	frames int
}

type verdict uint8

const (
	decent verdict = iota
	faster
	tooMany
)

func (p *pace) count(now time.Time) verdict {
	if s := now.Unix(); s != p.second {
		p.second, p.frames = s, 0
	}
	p.frames++
	switch {
	case p.frames > framesTolerate:
		return tooMany
	case p.frames > framesMost:
		return faster
	}
	return decent
}

// frames are the buffers that frames are read into: one byte longer than a frame may be.
var frames = framePool{sync.Pool{New: func() any { return new([wire.MaxIn + 1]byte) }}}

type framePool struct{ pool sync.Pool }

func (f *framePool) get() *[wire.MaxIn + 1]byte  { return f.pool.Get().(*[wire.MaxIn + 1]byte) }
func (f *framePool) put(b *[wire.MaxIn + 1]byte) { f.pool.Put(b) }
