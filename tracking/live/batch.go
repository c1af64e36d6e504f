// SPDX-License-Identifier: Apache-2.0

package live

import (
	"encoding/binary"
	"sync"

	"doorstep/tracking"
)

// maxBatch is how many writes go into one call: it bounds for how long Redis does nothing else, to
// half a millisecond.
const maxBatch = 100

// calls keeps calls of writes that have been answered, with their memory, for the next.
var calls = sync.Pool{New: func() any { return &call{seen: new(names)} }}

// publishing is how a deployment publishes, and what it may do in one step.
type publishing struct {
	command string
	apart   bool // a call is of one store: several may lie in several slots
}

// writeCalls cuts a batch into calls: at maxBatch, before a visit that the call already has (the
// script looks at all keys first, so a visit's second write must come in a later call), and where
// another store begins if stores are apart. A call copies what it needs of the batch: the caller may
// go before it is sent.
func writeCalls(how publishing, batch []tracking.LiveWrite) []*call {
	list := make([]*call, 0, 1+len(batch)/maxBatch)
	for from := 0; from < len(batch); {
		c := calls.Get().(*call)
		c.store = batch[from].Slot.Store
		from += c.write(how, batch[from:])
		list = append(list, c)
	}
	return list
}

// release gives calls back that nobody will look at again.
func release(list []*call) {
	for _, c := range list {
		calls.Put(c)
	}
}

// write makes the call for as many writes of the batch as go into one, and says how many. The
// script takes the life that most have once; what has another, or is shown, follows by index.
func (c *call) write(how publishing, batch []tracking.LiveWrite) int {
	t := &c.texts
	t.reset()
	batch = batch[:c.keys(how, batch)]
	t.text(how.command)
	usual := usualLife(batch)
	t.number(usual)
	for i := range batch {
		t.value(batch[i].Owner, batch[i].Seq, batch[i].Payload)
	}
	for i := range batch {
		if life := lifeMS(batch[i].TTL); batch[i].Show || life != usual {
			t.exception(i+1, life, &batch[i]) // Lua counts from one
		}
	}
	c.ready(writeScript, len(batch))
	return len(batch)
}

// exception adds what is not as usual about a write.
func (t *texts) exception(index int, life int64, w *tracking.LiveWrite) {
	t.number(int64(index))
	t.number(life)
	if !w.Show {
		t.text("")
		t.text("")
		return
	}
	t.text(channelName(w.Slot.Store))
	t.bytes = tracking.AppendShownHead(t.bytes, w.Slot.Visit, len(w.Payload))
	t.end()
}

// usualLife is one that a write of the batch has, and no less than a millisecond.
func usualLife(batch []tracking.LiveWrite) int64 {
	for i := range batch {
		if life := lifeMS(batch[i].TTL); life > 0 {
			return life
		}
	}
	return lifeMS(tracking.PositionLife)
}

// keys gathers the keys of the writes that go into one call, and says how many they are.
func (c *call) keys(how publishing, batch []tracking.LiveWrite) int {
	c.seen.clear()
	t := &c.texts
	for i := range batch {
		slot := &batch[i].Slot
		if i == maxBatch || how.apart && slot.Store != c.store {
			return i
		}
		name := hashOf(slot.Visit)
		if !c.seen.add(name) {
			return i
		}
		t.bytes = appendKey(t.bytes, slot.Store, name)
		t.end()
	}
	return len(batch)
}

// names is a set of at most maxBatch names. A name is a hash, so a part of it is one as well: the
// table is open, a quarter full at most, and a name lies at its first free place.
type names struct {
	table [4 * 128]name
	used  [maxBatch]uint16
	n     int
}

func (s *names) clear() {
	for _, at := range s.used[:s.n] {
		s.table[at] = name{}
	}
	s.n = 0
}

// add reports whether the name was not there yet.
func (s *names) add(new name) bool {
	at := binary.BigEndian.Uint16(new[:]) % uint16(len(s.table))
	for ; s.table[at] != (name{}); at = (at + 1) % uint16(len(s.table)) {
		if s.table[at] == new {
			return false
		}
	}
	s.table[at] = new
	s.used[s.n] = at
	s.n++
	return true
}
