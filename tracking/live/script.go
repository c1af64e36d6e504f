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

//go:embed purge.lua
var purgeLua string

// script is a Lua program that every server keeps under its SHA-1. SHA-1 is how Redis names
// scripts; nothing rests on it.
type script struct{ source, sha string }

var (
	writeScript    = newScript(writeLua)
	registerScript = newScript(registerLua)
	purgeScript    = newScript(purgeLua)
	scripts        = []*script{writeScript, registerScript, purgeScript}
)

func newScript(source string) *script {
	sum := sha1.Sum([]byte(source))
	return &script{source: source, sha: hex.EncodeToString(sum[:])}
}

// call is one EVALSHA under way. It is filled, sent, answered, and filled again: what it needs for
// that it keeps. args point into it, because a pointer needs no memory to become an any.
type call struct {
	store string // or one of several that lie on the same server
	texts texts
	args  []any
	seen  *names // the visits of a write; nil in a registration

	deadline int64         // µs of the server's clock; filled in at the moment of sending
	latest   time.Duration // the boot time after which it must not be applied: its caller's context ends
	items    int           // how many letters the answer must have, unless it was too late
	letters  string        // the answer
	err      error         // why there is none
}

// texts gathers arguments in one piece of memory: a batch has two hundred of them, and a string of
// its own for each would cost more than the writing.
type texts struct {
	bytes []byte
	ends  []int
	list  []text
}

// text is an argument as the driver takes it: by its pointer.
type text []byte

// MarshalBinary is asked for by the driver, which copies the bytes at once.
func (t *text) MarshalBinary() ([]byte, error) { return *t, nil }

func (t *texts) reset() { t.bytes, t.ends = t.bytes[:0], t.ends[:0] }

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

// cut makes the arguments out of what was gathered.
func (t *texts) cut() []text {
	t.list = t.list[:0]
	from := 0
	for _, end := range t.ends {
		t.list = append(t.list, t.bytes[from:end:end])
		from = end
	}
	return t.list
}

// ready makes the command of the texts: the keys, then what follows the deadline.
func (c *call) ready(s *script, keys int) {
	c.items, c.letters, c.err = keys, "", nil
	c.args = append(c.args[:0], "EVALSHA", &s.sha, &c.items)
	list := c.texts.cut()
	for i := range list {
		if i == keys {
			c.args = append(c.args, &c.deadline)
		}
		c.args = append(c.args, &list[i])
	}
}

// registerCall is the call for one registration.
func registerCall(s tracking.Slot, owner string, seq, lifeMS int64) *call {
	c := &call{store: s.Store}
	t := &c.texts
	t.text(KeyOf(s.Store, s.Visit))
	t.value(owner, seq, nil)
	t.number(lifeMS)
	c.ready(registerScript, 1)
	return c
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

// results appends the answer in tracking's words.
func (c *call) results(out []tracking.WriteResult) []tracking.WriteResult {
	for i := range c.items {
		result := tracking.TooLate
		if c.letters != "" {
			result = letterResults[c.letters[i]]
		}
		out = append(out, result)
	}
	return out
}

var letterResults = [256]tracking.WriteResult{
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
