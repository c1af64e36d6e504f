// SPDX-License-Identifier: Apache-2.0

package live

import (
	"crypto/sha1"
	_ "embed" // the scripts
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"doorstep/tracking"
)

//go:embed write.lua
var writeLua string

//go:embed register.lua
var registerLua string

// script is a Lua program that every server keeps under its SHA-1. SHA-1 is how Redis names
// scripts; nothing rests on it.
type script struct{ source, sha string }

var (
	writeScript    = newScript(writeLua)
	registerScript = newScript(registerLua)
	scripts        = []script{writeScript, registerScript}
)

func newScript(source string) script {
	sum := sha1.Sum([]byte(source))
	return script{source: source, sha: hex.EncodeToString(sum[:])}
}

// maxBatch is how many writes go into one call: it bounds how long Redis is busy with one store.
const maxBatch = 50

// deadlineArg is where in a call's arguments the deadline goes, counted after the keys.
const deadlineArg = 0

// call is one EVALSHA under way. args is what is sent; args[deadline] is filled in at the moment
// of sending, and stays as it is when the call is sent again for want of the script.
type call struct {
	args     []any
	deadline int
	latest   time.Duration // the boot time after which it must not be applied: its caller's context ends
	items    int           // how many letters the answer must have, unless it was too late
	letters  string        // the answer
	err      error         // why there is none
}

// newCall makes a call of a script out of texts: the keys, then what follows the deadline.
func newCall(s script, keys, items int, t *texts) *call {
	c := &call{items: items, deadline: 3 + keys + deadlineArg}
	c.args = make([]any, 0, 4+len(t.ends))
	c.args = append(c.args, "EVALSHA", s.sha, keys)
	for i, p := range t.pointers() {
		if i == keys {
			c.args = append(c.args, int64(0)) // the deadline's place
		}
		c.args = append(c.args, p)
	}
	return c
}

// texts gathers arguments in one piece of memory: a batch has two hundred of them, and a string of
// its own for each would cost more than the writing.
type texts struct {
	bytes []byte
	ends  []int
}

// end closes the argument whose bytes were appended.
func (t *texts) end() { t.ends = append(t.ends, len(t.bytes)) }

func (t *texts) text(parts ...string) {
	for _, p := range parts {
		t.bytes = append(t.bytes, p...)
	}
	t.end()
}

func (t *texts) number(n int64) {
	t.bytes = strconv.AppendInt(t.bytes, n, 10)
	t.end()
}

// value adds a registration as value.go lays it out.
func (t *texts) value(owner string, seq int64, payload []byte) {
	t.bytes = appendValue(t.bytes, owner, seq, payload)
	t.end()
}

// pointers are the arguments. The driver takes a pointer to a string, and a pointer needs no
// memory to become an any.
func (t *texts) pointers() []*string {
	all, from := string(t.bytes), 0
	list, out := make([]string, len(t.ends)), make([]*string, len(t.ends))
	for i, end := range t.ends {
		list[i], from = all[from:end], end
		out[i] = &list[i]
	}
	return out
}

// registerCall is the call for one registration.
func registerCall(s tracking.Slot, owner string, seq, lifeMS int64) *call {
	t := &texts{}
	t.text(KeyOf(s.Store, s.Visit))
	t.value(owner, seq, nil)
	t.number(lifeMS)
	return newCall(registerScript, 1, 1, t)
}

// argsPerItem is how many texts a write has: its key, value, life, and head of publication.
const argsPerItem = 4

// writeCall is the call for at most maxBatch writes of one store, each visit once. It copies what
// it needs of the batch: the caller may go before it is sent.
func writeCall(publish, store string, batch []tracking.LiveWrite) *call {
	prefix := keyPrefix(store)
	size := 2 * len(prefix)
	for i := range batch {
		w := &batch[i]
		size += len(prefix) + 2*nameBytes + len(w.Slot.Visit) + valueLen(w.Owner, w.Payload) + 12
	}
	t := &texts{bytes: make([]byte, 0, size), ends: make([]int, 0, 2+argsPerItem*len(batch))}
	for i := range batch {
		t.text(prefix, NameOf(batch[i].Slot.Visit))
	}
	t.text(publish)
	t.text(channelName(store))
	for i := range batch {
		w := &batch[i]
		t.value(w.Owner, w.Seq, w.Payload)
		t.number(lifeMS(w.TTL))
		if w.Show {
			t.bytes = tracking.AppendShownHead(t.bytes, w.Slot.Visit, len(w.Payload))
		}
		t.end() // empty, if it is not shown
	}
	return newCall(writeScript, len(batch), len(batch), t)
}

// writeCalls cuts a batch into calls: at maxBatch, and before a visit that the call already has.
// The script looks at all keys first, so a visit's second write must come in a later call.
func writeCalls(publish, store string, batch []tracking.LiveWrite) []*call {
	calls := make([]*call, 0, 1+len(batch)/maxBatch)
	from := 0
	for i := range batch {
		if i-from == maxBatch || repeats(batch[from:i], batch[i].Slot.Visit) {
			calls = append(calls, writeCall(publish, store, batch[from:i]))
			from = i
		}
	}
	return append(calls, writeCall(publish, store, batch[from:]))
}

// repeats reports whether visit is in the batch, of at most maxBatch.
func repeats(batch []tracking.LiveWrite, visit string) bool {
	for i := range batch {
		if batch[i].Slot.Visit == visit {
			return true
		}
	}
	return false
}

var errReply = errors.New("an answer that is not one of the scripts'")

// answer takes in what the script said, and returns the server's clock (µs).
func (c *call) answer(reply any) (serverMicros int64, err error) {
	parts, ok := reply.([]any)
	if !ok || len(parts) != 2 {
		return 0, errReply
	}
	now, ok1 := parts[0].(int64)
	letters, ok2 := parts[1].(string)
	if !ok1 || !ok2 || (letters != "" && len(letters) != c.items) || strings.Trim(letters, "WFNOM") != "" {
		return 0, errReply
	}
	c.letters = letters
	return now, nil
}

// results are the answer in tracking's words.
func (c *call) results() []tracking.WriteResult {
	out := make([]tracking.WriteResult, c.items)
	for i := range out {
		out[i] = tracking.TooLate
		if c.letters != "" {
			out[i] = letterResults[c.letters[i]]
		}
	}
	return out
}

var letterResults = map[byte]tracking.WriteResult{
	'W': tracking.Written, 'F': tracking.Fenced, 'N': tracking.NotOwner, 'O': tracking.OutOfOrder,
	'M': tracking.Missing,
}

// micros is a clock reading from Redis's TIME.
func micros(reply any) (int64, error) {
	parts, ok := reply.([]any)
	if !ok || len(parts) != 2 {
		return 0, errReply
	}
	sec, ok1 := parts[0].(string)
	usec, ok2 := parts[1].(string)
	s, err1 := strconv.ParseInt(sec, 10, 64)
	u, err2 := strconv.ParseInt(usec, 10, 64)
	if !ok1 || !ok2 || err1 != nil || err2 != nil {
		return 0, errReply
	}
	return s*1_000_000 + u, nil
}
