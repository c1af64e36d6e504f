// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// erasureType is the typ header of the proof of an erasure.
const erasureType = "erasure-proof+jwt"

// ErasureLife is how long an erasure can be asked about again: the same request gets the same proof.
const ErasureLife = 90 * 24 * time.Hour

// Removal is what an erasure removed, and where the log says so. Nothing in it tells whose it was.
type Removal struct {
	At      time.Time        `json:"at"`
	Removed map[string]int64 `json:"removed"` // by kind, see RemovalKinds
	Kept    int64            `json:"kept"`    // records of consent kept as proof
	Until   time.Time        `json:"until"`   // the last of which goes then; zero if none is kept
	Shared  int64            `json:"shared"`  // phones that somebody else uses too, and which stay as theirs
	Log     ReceiptLog       `json:"log"`
}

// RemovalKinds are the kinds that an erasure counts.
var RemovalKinds = []string{"alerts", "decisions", "ends", "installations", "messages", "notices_served", "requests", "scopes", "stop_tokens", "views", "visits"}

// EraseCommand is an erasure that has been begun by an end, and is true everywhere.
type EraseCommand struct {
	Request EndRequest // the end that began it
	Now     time.Time
	// Event is what the log says: that somebody was erased.
	Event func() Event
}

// ErasureProof is what a shopper gets, signed: what was removed, what stays, until when and why.
type ErasureProof struct {
	jwt.RegisteredClaims
	Erasure ErasureClaim `json:"erasure"`
}

// ErasureClaim is the substance of an ErasureProof.
type ErasureClaim struct {
	Removed map[string]int64 `json:"removed"`
	Stays   []Stay           `json:"stays"`
	Log     ReceiptLog       `json:"log"`
}

// Stay is something that an erasure leaves, of which nothing can be told without a key that is not there.
type Stay struct {
	What  string     `json:"what"`
	Count int64      `json:"count,omitempty"`
	Until *time.Time `json:"until,omitempty"` // none: for as long as the log
	Why   string     `json:"why"`
}

// ErasureRequest is the end with which an erasure begins. It ends everything, everywhere; once it is true, Erase
// removes what is left. id is the shopper's own, a UUID: repeated, it answers the same proof.
func (l *Ledger) ErasureRequest(id string, subject, installation Ref) (EndRequest, error) {
	if _, err := uuid.Parse(id); err != nil || len(id) != 36 {
		return EndRequest{}, fmt.Errorf("%w: id: not a UUID", ErrRequest)
	}
	own := uuid.NewSHA1(uuid.NameSpaceOID, []byte("erasure|"+id)).String() // the id itself may be that of a withdrawal
	return EndRequest{ID: own, Kind: EndAll, Subject: subject, Scope: Scope{Installation: installation}, Reason: Erased}, nil
}

// Erasure answers the proof of an erasure that is done; ErrNoErasure if it is not. r is its ErasureRequest.
func (l *Ledger) Erasure(ctx context.Context, id string, r EndRequest) (string, error) {
	done, err := l.store.Removal(ctx, r)
	if err != nil {
		return "", err
	}
	return l.erasureProof(id, r.Subject, done)
}

// Erase removes all that is kept of a shopper whose ErasureRequest is true everywhere, destroys the keys of what
// cannot be overwritten, and answers a signed proof. It goes on where it was interrupted.
func (l *Ledger) Erase(ctx context.Context, id string, r EndRequest) (string, error) {
	done, err := l.store.Erase(ctx, l.eraseCommand(r))
	if err != nil {
		return "", err
	}
	return l.erasureProof(id, r.Subject, done)
}

// erasureGrace is how long after its beginning an erasure is left to whoever began it.
const erasureGrace = time.Minute

// FinishErasures finishes what was begun a while ago and not finished: a process died in between. Call it at the
// start and every minute or so. By then the end has been true everywhere for longer than any lease.
func (l *Ledger) FinishErasures(ctx context.Context) error {
	return l.store.FinishErasures(ctx, l.now().Add(-erasureGrace), l.eraseCommand(EndRequest{}))
}

func (l *Ledger) eraseCommand(r EndRequest) EraseCommand {
	return EraseCommand{
		Request: r, Now: l.now(), Event: l.erasureEvent,
	}
}

// erasureEvent is what the log says: no id, no count, no purpose.
func (l *Ledger) erasureEvent() Event {
	c := l.Registry().Controller
	return newEvent(Record{
		Header:     RecordHeader{SchemaVersion: recordSchema},
		Processing: RecordProcessing{Controllers: []string{c.ID}},
		Party:      []Party{{ID: c.ID, Name: c.Name, Contact: c.Contact, Role: "pii controller"}},
		Event:      RecordEvent{Time: stamp(l.now()), Validity: nothingAllowed, Type: string(Erased), State: string(Erased)},
	}, "")
}

func (l *Ledger) erasureProof(id string, subject Ref, done Removal) (string, error) {
	return l.Keys().Sign(erasureType, ErasureProof{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: l.Registry().Controller.ID, Subject: string(subject), ID: id, IssuedAt: jwt.NewNumericDate(done.At),
		},
		Erasure: ErasureClaim{Removed: done.Removed, Stays: done.stays(), Log: done.Log},
	})
}

// stays is what the erasure could not or must not remove.
func (r Removal) stays() []Stay {
	at := func(t time.Time) *time.Time { t = stamp(t); return &t }
	out := []Stay{
		{What: "log leaves", Why: "The log of consent events stays verifiable. A leaf holds a type, an hour, a notice and a commitment whose key is destroyed."},
		{What: "deleted alerts and messages, sealed, in pages that are free", Until: at(r.At.Add(2 * 24 * time.Hour)), Why: "A database does not overwrite at once what it deletes. Those of the last day are sealed under a key of the day, which is destroyed by then; what is older cannot be read already."},
		{What: "marks that the visits ended", Until: at(r.At.Add(time.Minute)), Why: "A position that is delayed on its way must not be written any more. A mark is under a hash, and does not say whose it is."},
	}
	if r.Kept > 0 {
		out = append(out, Stay{What: "proof of consent", Count: r.Kept, Until: at(r.Until),
			Why: "Proof that processing was lawful (GDPR 7(1), 17(3)(e)). It can be read only with a key that is kept apart."})
	}
	if r.Shared > 0 {
		out = append(out, Stay{What: "phones that somebody else uses too", Count: r.Shared, Why: "They stay as the other's, and no longer point to you."})
	}
	return out
}

// VerifyErasureProof checks the proof of an erasure against a key set, offline.
func VerifyErasureProof(jws string, keySet []byte) (out ErasureProof, err error) {
	set, err := ParseKeySet(keySet)
	if err != nil {
		return out, err
	}
	_, err = jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithStrictDecoding()).
		ParseWithClaims(jws, &out, func(t *jwt.Token) (any, error) {
			if t.Header["typ"] != erasureType {
				return nil, fmt.Errorf("typ is %v, not %s", t.Header["typ"], erasureType)
			}
			kid, _ := t.Header["kid"].(string)
			key, ok := set[kid]
			if !ok {
				return nil, fmt.Errorf("the set has no key %q", kid)
			}
			return key, nil
		})
	return out, err
}

// EventLog is an event with its place, as a receipt tells it.
func EventLog(e Event, at Place) (ReceiptLog, error) {
	text, err := e.Leaf()
	return ReceiptLog{Index: at.Index, Size: at.Size, Root: at.Root, Leaf: string(text), Key: hex.EncodeToString(e.Key[:])}, err
}
