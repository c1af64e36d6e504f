// SPDX-License-Identifier: Apache-2.0

// Package auth decides who is asking. Everything in it fails closed and says little: one answer
// for every bad token, and no secret in an address, a log or a memory dump where a hash will do.
//
//	retailer's JWT ──► Tokens ──► Shopper │ Staff │ Admin     who
//	DPoP header    ──► Proofs ──► thumbprint                  on which installation
//	                     │
//	                     ▼
//	     Tickets (once, 30 s) ──► socket ──► Resumes (once, rotated, of one visit)
//	     Codes (once, 10 min) ──► Cookies (the console's session) ──► PIN, on a device that several people use
//
//	Origins, ClientIP, Limits, Caps, NoTokenInURL             how, from where, how often
//
// What is held here is held in this process: a proof's jti is remembered at the node that saw it. Tickets are in a TicketStore and
// who is signed in is in SignIns, which nodes share. Time is injected everywhere, as a
// func() time.Time.
//
// Failures are *problem.Problem values with a cause for the log; the causes name a rule, never a
// value that came in.
package auth

import (
	"errors"

	"doorstep/tracking/server/problem"
)

// The families of failures. They are causes: errors.Is finds them inside the problems that this
// package returns, for counting. The asker sees the problem only.
var (
	// ErrToken is behind every 401 for a bearer token.
	ErrToken = errors.New("token refused")
	// ErrDoor is behind every 403 for a good token that belongs elsewhere.
	ErrDoor = errors.New("token of another door")
	// ErrProof is behind every 401 for an installation's proof.
	ErrProof = errors.New("proof refused")
	// ErrExpired answers a ticket, a resume token or a code whose time is over.
	ErrExpired = errors.New("expired")
	// ErrUnknown answers one that never was, was used, or is garbage.
	ErrUnknown = errors.New("unknown or used")
	// ErrFull answers when a bounded memory has no room; nothing is forgotten to make some.
	ErrFull = errors.New("no room for more")
	// ErrLocked answers a sign-in on a device that several people use while it is locked, and ErrNoPIN one that has no PIN yet.
	ErrLocked = errors.New("locked")
	ErrNoPIN  = errors.New("no PIN yet")
	// ErrTooManyPINs is behind the 401 that says that a sign-in was ended by wrong PINs.
	ErrTooManyPINs = errors.New("too many wrong PINs")
	// ErrOrigin is behind every 403 for an origin.
	ErrOrigin = errors.New("origin refused")
)

// SettingError says which setting is wrong and what to do. Constructors return it, so that a
// server with a hole in its settings does not start.
type SettingError struct {
	Setting string // the field, such as "Issuers[0].Methods"
	Wrong   string // what is wrong with it
	Remedy  string // what to do
}

// Error gives all three parts.
func (e *SettingError) Error() string { return e.Setting + ": " + e.Wrong + ". " + e.Remedy }

// reasoned is a cause: the family for errors.Is, and the rule that failed.
type reasoned struct {
	family error
	rule   string
}

func (r *reasoned) Error() string { return r.family.Error() + ": " + r.rule }
func (r *reasoned) Unwrap() error { return r.family }

func refuseToken(rule string) error {
	return problem.New(problem.Token).Because(&reasoned{ErrToken, rule})
}

func refuseDoor(rule string) error {
	return problem.New(problem.Door).Because(&reasoned{ErrDoor, rule})
}

func refuseProof(rule string) error {
	return problem.New(problem.Proof).Because(&reasoned{ErrProof, rule})
}
