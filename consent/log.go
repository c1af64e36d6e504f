// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Event is a consent event on its way into the log: its record, and the key under which the leaf
// commits to it. The key is kept with the record, goes out with the receipt, and is destroyed with
// them: the tree then still verifies, and the leaf says nothing about anybody any more.
type Event struct {
	Record Record
	Notice string   // hash of the notice; empty for an end that took grants under several
	Key    [32]byte // random, of this event alone
}

// newEvent gives a record its key.
func newEvent(r Record, notice string) Event {
	e := Event{Record: r, Notice: notice}
	rand.Read(e.Key[:])
	return e
}

// LeafNotice is the type of a leaf that says which notice was published. The other types are the
// states of records.
const LeafNotice = "notice"

// Leaf is an entry of the log as anybody may read it. It holds no id.
type Leaf struct {
	Type   string `json:"type"`
	Time   string `json:"time"`   // RFC 3339, UTC, rounded down to the hour (brief, 44)
	Notice string `json:"notice"` // hash of the notice, hex; empty for an end that took grants under several
	Event  string `json:"event"`  // HMAC-SHA-256 of the canonical record, hex; empty for a notice
}

// Text is the leaf as it is hashed: canonical JSON.
func (l Leaf) Text() ([]byte, error) { return Canonical(l) }

// NoticeLeaf is the entry of a notice that was published (brief, 13).
func NoticeLeaf(hash string, now time.Time) Leaf {
	return Leaf{Type: LeafNotice, Time: leafTime(now), Notice: hash}
}

// leafTime is a time as leaves hold it.
func leafTime(t time.Time) string { return t.UTC().Truncate(time.Hour).Format(time.RFC3339) }

// Leaf is the event's entry in the log: canonical JSON.
func (e Event) Leaf() ([]byte, error) {
	record, err := Canonical(e.Record)
	if err != nil {
		return nil, err
	}
	m := hmac.New(sha256.New, e.Key[:])
	m.Write(record)
	return Leaf{
		Type: e.Record.Event.State, Time: leafTime(e.Record.Event.Time), Notice: e.Notice, Event: hex.EncodeToString(m.Sum(nil)),
	}.Text()
}
