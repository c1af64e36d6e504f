// SPDX-License-Identifier: Apache-2.0

// Package live keeps the short-lived state of a deployment: where shoppers are, for seconds, and
// that a visit has ended, for a minute. It implements tracking.Live twice, over Redis and in
// memory, and one contract suite (livetest) runs over both.
//
// One visit is one key. It holds either a registration (which connection may write, the last
// number it wrote, and perhaps a position) or a tombstone. Because the tombstone lies where the
// position lay, "has it ended?" and "write it" are one look at one key, in one atomic step.
//
//	missing ──Register──▶ registration ◀──Write── (owner, higher number, before the deadline)
//	   ▲                    │      │
//	   └──── expiry ────────┘    Purge
//	   ▲                           ▼
//	   └────── FenceLife ────── tombstone      (Register: ErrFenced, Write: Fenced)
//
// A write to what is missing answers Missing, one of an owner that is not the registered one NotOwner.
//
// Every key has an expiry. Nothing is ever retried on the way to Redis: a write that was sent may
// arrive late, and the deadline it carries (its caller's), or the tombstone, stops it there. A write
// that ends in an error may have been applied.
//
// DESIGN.md says why.
package live
