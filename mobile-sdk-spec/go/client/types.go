// SPDX-License-Identifier: Apache-2.0

package client

import (
	"encoding/json"
	"time"
)

// Store is a store that can be entered, as GET /v1/stores lists it.
type Store struct {
	ID    string     `json:"id"`
	Name  string     `json:"name"`
	Fence string     `json:"fence"` // version of its fence
	BBox  [4]float64 `json:"bbox"`  // west, south, east, north
	Open  bool       `json:"open"`  // now; elsewhere, and at closing time, 4507
	Hours string     `json:"hours"` // as OpenStreetMap writes them; empty: always
	Zone  string     `json:"zone"`  // IANA time zone of the hours
}

// Notice names the signed text that a prompt shows.
type Notice struct {
	ID           string `json:"id"`
	Version      string `json:"version"`
	Hash         string `json:"hash"`
	Lang         string `json:"lang"`
	Dir          string `json:"dir"` // ltr or rtl
	Jurisdiction string `json:"jurisdiction"`
	Signature    string `json:"signature"` // compact JWS
}

// Block is one part of a notice.
type Block struct {
	Key   string          `json:"key"`
	Title string          `json:"title"`
	Text  string          `json:"text"`
	Links json.RawMessage `json:"links,omitempty"`
}

// Choice is one button. All of a prompt's are of equal rank.
type Choice struct {
	Choice string `json:"choice"` // visit, term, no, not_now
	Label  string `json:"label"`
}

// Texts are the words for the indicator and for each end.
type Texts struct {
	Indicator json.RawMessage   `json:"indicator"`
	Ends      map[string]string `json:"ends"`
}

// Prompt is what to show before asking, and how to answer.
type Prompt struct {
	ServedID  string   `json:"served_id"` // single use, 10 minutes
	ExpiresT  int64    `json:"expires_t"`
	MayPrompt bool     `json:"may_prompt"`
	Purpose   string   `json:"purpose"`
	Notice    Notice   `json:"notice"`
	Title     string   `json:"title"`
	Blocks    []Block  `json:"blocks"`
	Choices   []Choice `json:"choices"`
	Texts     Texts    `json:"texts"`
	Digest    string   `json:"digest"` // what Shown must yield
}

// Decision is the server's answer to a choice. The receipt is the shopper's to keep.
type Decision struct {
	RecordID  string `json:"record_id"`
	State     string `json:"state"` // given, renewed, refused, deferred
	Receipt   string `json:"receipt"`
	StopToken string `json:"stop_token"`
	ExpiresT  int64  `json:"expires_t,omitempty"`
}

// Allows reports whether it lets staff help: given, or given anew in place of what was in force.
func (d Decision) Allows() bool { return d.State == "given" || d.State == "renewed" }

// Grant is one purpose as it stands.
type Grant struct {
	Purpose   string `json:"purpose"`
	State     string `json:"state"`
	ExpiresT  int64  `json:"expires_t,omitempty"`
	VisitOnly bool   `json:"visit_only,omitempty"`
}

// Me is what the server knows of this installation at a store.
type Me struct {
	Grants    []Grant `json:"grants"`
	MayPrompt bool    `json:"may_prompt"`
}

// View is an entry of the shopper's journal: most often a look by somebody.
type View struct {
	Kind    string   `json:"kind"` // view, export, disclosure, break_glass, webhook
	OpenedT int64    `json:"opened_t"`
	ClosedT int64    `json:"closed_t,omitempty"`
	Role    string   `json:"role"`
	Team    string   `json:"team"`
	Company string   `json:"company"` // whose staff, or who received it
	Other   bool     `json:"other"`   // it is not the controller
	Store   string   `json:"store"`
	Purpose string   `json:"purpose"`
	Fields  []string `json:"fields"`
	Count   int64    `json:"count"`
	Reason  string   `json:"reason,omitempty"`
	People  int      `json:"people"` // how many decided on it
}

// Withdrawal is a wish to stop. ID and T are filled in by Withdraw when empty; an app that restarts
// passes the one it persisted, so that the same id is repeated.
type Withdrawal struct {
	ID      string // UUID
	Scope   string // grant, store, all
	Store   string // for grant and store
	Purpose string // for grant
	T       int64  // when the shopper withdrew, server time

	StopToken string // that came with a decision: enough when no token is to be had (W-4); one that the client holds if empty
}

// Confirmation says that a withdrawal is true everywhere.
type Confirmation struct {
	ID      string
	Receipt string
	Change  int64 // 0 when the socket confirmed first
	Removed Removed
	By      string // socket or http: which confirmed first
}

// Removed counts what a withdrawal reached.
type Removed struct {
	Nodes    int   `json:"nodes"`
	Consoles int   `json:"consoles"`
	MS       int64 `json:"ms"`
}

// PromptRequest asks what to show before asking for one purpose.
type PromptRequest struct {
	Store        string `json:"store"`
	Purpose      string `json:"purpose"`
	Lang         string `json:"lang"` // the client's if empty
	Jurisdiction string `json:"jurisdiction,omitempty"`
	Opened       bool   `json:"opened,omitempty"` // the shopper opened the notice by themselves
}

// Answer is what the shopper did with a prompt.
type Answer struct {
	Choice  string    // visit, term, no, not_now
	Control string    // button, switch; nothing else is a decision
	Shown   time.Time // in the client's own clock; now if zero
	Decided time.Time
}

// Fix is what a phone reports. T is the time of capture in the client's own clock, Unix
// milliseconds, now if zero; the session mends it to server time.
type Fix struct {
	T          int64
	Lat, Lng   float64 // degrees
	AccuracyM  float64 // radius; 0 is unknown
	Basis      string  // p68, p95, unknown; empty is unknown
	Level      *int    // nil is unknown
	SpeedMPS   *float64
	HeadingDeg *float64
	Source     string // os, gnss, wifi, ble, tag, web, sim; "sim" if empty
	Mocked     bool
	Pocket     bool   // false: on screen
	Imprecise  bool   // approximate location only
	Fence      string // version of the map that found it inside; a session that goes by another drops it. Empty: nobody asked
}
