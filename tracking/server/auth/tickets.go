// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"time"

	"doorstep/tracking/server/problem"
)

// Lives and bounds of tickets and codes.
const (
	TicketLife = 30 * time.Second
	CodeLife   = 10 * time.Minute
	maxCodes   = 10_000
)

// Ticket is what the socket knows about its shopper from the first byte on. It is passed by
// reference to nobody: treat Purposes as read-only.
type Ticket struct {
	Subject      string    // the retailer's id, as in the token; hash before keeping
	App          string    // azp of the token
	AgeBand      string    // of the token
	Installation string    // thumbprint of the installation's key
	Store        string    // the one store it is for
	Purposes     []string  // asked for and granted
	AuthUntil    time.Time // end of the shopper's token
}

// Renews reports whether t may take old's place on an open socket (the frame auth): the same
// shopper, on the same installation, in the same store. Purposes are the ledger's affair.
func (t Ticket) Renews(old Ticket) bool {
	return t.Subject != "" && t.Subject == old.Subject && t.Installation == old.Installation &&
		t.Store == old.Store && t.App == old.App
}

// TicketStore holds tickets between the request and the socket. Issue keeps it for TicketLife;
// Redeem answers it once, to one caller, however many ask at the same time, and ErrExpired or
// ErrUnknown to the others. A failure in between (a shared store out of reach) is any other error
// and means no. Implementations never retry a redemption: one that may have been applied is lost.
type TicketStore interface {
	Issue(ctx context.Context, t Ticket) (secret string, end time.Time, err error)
	Redeem(ctx context.Context, secret string) (Ticket, error)
}

// Codes are one-time sign-in codes: the page takes one from its address's fragment, removes it
// there and exchanges it for a session. They live for CodeLife. What T holds is up to the page:
// Staff for the console, the made-up shopper for the demonstration.
type Codes[T any] struct{ once *OneTime[T] }

// NewCodes returns an empty set of codes, in this node's memory.
func NewCodes[T any](now func() time.Time) *Codes[T] {
	return &Codes[T]{NewOneTime[T](CodeLife, maxCodes, now)}
}

// Issue returns a code for v and when it ends; the error is ErrFull with 10,000 issued in that time.
func (c *Codes[T]) Issue(v T) (code string, end time.Time, err error) { return c.once.Issue(v) }

// Redeem returns what the code stands for, once. Whatever is wrong with a code is the same problem:
// code (401).
func (c *Codes[T]) Redeem(code string) (T, error) {
	v, err := c.once.Redeem(code)
	if err != nil {
		return v, problem.New(problem.SignIn).Because(err)
	}
	return v, nil
}
