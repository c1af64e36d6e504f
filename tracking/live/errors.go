// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"strings"

	"github.com/redis/go-redis/v9"
)

// The families of errors. Test for them with errors.Is.
var (
	// ErrUnavailable: the live state did not answer, or not in time. A write may have been applied.
	ErrUnavailable = errors.New("the live state cannot be reached")
	// ErrRefused: Redis answered and said no. Of a batch that ended so, a part may have been applied.
	ErrRefused = errors.New("the live state refused the command")
	// ErrTooLate answers a registration that arrived past its deadline: nothing was stored.
	ErrTooLate = errors.New("past the deadline, nothing was stored")
	// ErrInvalid answers arguments that the contract does not allow. Nothing was sent.
	ErrInvalid = errors.New("not allowed by the contract of the live state")
	// ErrClosed answers every call after Close.
	ErrClosed = errors.New("the live state is closed")
)

// Error is a failure with its place and what to do about it. It never holds a visit, a key, or
// anything of a payload, so that it may be logged.
type Error struct {
	Op     string // the operation, as tracking.Live names it
	Place  string // the Redis node (host:port), or the argument; may be empty
	Family error  // one of this package's sentinels
	Cause  error  // what was behind it: an error of the context, or Redis's error code; may be nil
	Remedy string // what to do; may be empty
}

// Error renders it as one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("live: " + e.Op)
	if e.Place != "" {
		b.WriteString(" (" + e.Place + ")")
	}
	b.WriteString(": " + e.Family.Error())
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Unwrap gives the family and the cause.
func (e *Error) Unwrap() []error { return []error{e.Family, e.Cause} }

// invalid is an argument that the contract does not allow.
func invalid(op, place, remedy string) error {
	return &Error{Op: op, Place: place, Family: ErrInvalid, Remedy: remedy}
}

// translate turns what the driver says into an Error. Of Redis's own message only the code is
// kept: "unknown command" repeats the arguments, and those name visits.
func translate(op, place string, err error) error {
	var already *Error
	var reply redis.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &already):
		return err
	case errors.Is(err, redis.ErrClosed):
		return &Error{Op: op, Place: place, Family: ErrClosed}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &Error{Op: op, Place: place, Family: ErrUnavailable, Cause: contextError(err)}
	case errors.As(err, &reply):
		code := codeOf(err)
		return &Error{Op: op, Place: place, Family: ErrRefused, Cause: errors.New(code), Remedy: remedies[code]}
	}
	return &Error{Op: op, Place: place, Family: ErrUnavailable, Cause: err, Remedy: "check that Redis runs and can be reached from here"}
}

// codeOf is the first word of what Redis answered; empty if it did not.
func codeOf(err error) string {
	var reply redis.Error
	if !errors.As(err, &reply) {
		return ""
	}
	code, _, _ := strings.Cut(reply.Error(), " ")
	return code
}

func contextError(err error) error {
	if errors.Is(err, context.Canceled) {
		return context.Canceled
	}
	return context.DeadlineExceeded
}

// remedies by Redis's error code.
var remedies = map[string]string{
	"NOAUTH":      "put the user and the password into the URL",
	"WRONGPASS":   "check the user and the password in the URL",
	"NOPERM":      "give the user the rules of live.AppACL, or use the operator's URL for this",
	"OOM":         "give Redis more memory; keep maxmemory-policy noeviction",
	"READONLY":    "this is a replica: point the URL at the primary, or name the Sentinels",
	"LOADING":     "wait until Redis has started",
	"MASTERDOWN":  "wait for the failover, or start the primary",
	"CLUSTERDOWN": "wait until every slot of the cluster has a primary",
}
