// SPDX-License-Identifier: Apache-2.0

package live

import (
	"crypto/sha1"
	_ "embed" // the scripts
	"encoding/hex"
	"errors"
	"strconv"
	"strings"

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
	items    int    // how many letters the answer must have, unless it was too late
	letters  string // the answer
	err      error  // why there is none
}

func newCall(s script, keys []string, items, argv int) *call {
	c := &call{items: items, deadline: 3 + len(keys) + deadlineArg}
	c.args = make([]any, 0, 3+len(keys)+argv)
	c.args = append(c.args, "EVALSHA", s.sha, len(keys))
	for _, k := range keys {
		c.args = append(c.args, k)
	}
	return c
}

// registerCall is the call for one registration.
func registerCall(s tracking.Slot, owner string, seq, lifeMS int64) *call {
	c := newCall(registerScript, []string{key(s.Store, s.Visit)}, 1, 3)
	value := appendValue(make([]byte, 0, valueLen(owner, nil)), owner, seq, nil)
	c.args = append(c.args, int64(0), value, lifeMS)
	return c
}

// writeCall is the call for at most maxBatch writes of one store, each visit once. It copies what
// it needs of the batch: the caller may go before it is sent.
func writeCall(publish, store string, batch []tracking.LiveWrite) *call {
	keys, size := make([]string, len(batch)), 0
	prefix := keyPrefix(store)
	for i := range batch {
		keys[i] = prefix + batch[i].Slot.Visit
		size += valueLen(batch[i].Owner, batch[i].Payload)
	}
	c := newCall(writeScript, keys, len(batch), 3+3*len(batch))
	c.args = append(c.args, int64(0), publish, channelName(store))
	values := make([]byte, 0, size)
	for i := range batch {
		w := &batch[i]
		from := len(values)
		values = appendValue(values, w.Owner, w.Seq, w.Payload)
		c.args = append(c.args, values[from:len(values):len(values)], lifeMS(w.TTL), shownHead(w))
	}
	return c
}

func shownHead(w *tracking.LiveWrite) string {
	if !w.Show {
		return ""
	}
	return string(appendShownHead(nil, w.Slot.Visit, len(w.Payload)))
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
	if !ok1 || !ok2 || (letters != "" && len(letters) != c.items) || strings.Trim(letters, "WFNO") != "" {
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
