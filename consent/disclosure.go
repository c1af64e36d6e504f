// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Disclosure is a request from outside for what is held of a shopper, most often an authority's, and what became of
// it. Handing something over takes two people and is in the shopper's journal before it happens; that a request was
// refused takes one. Both are counted in the public report.
type Disclosure struct {
	ID        string    `json:"id"`
	Subject   Ref       `json:"subject,omitempty"` // of whom; empty for a request that was refused
	Store     string    `json:"store,omitempty"`
	Purpose   string    `json:"purpose,omitempty"`
	Recipient string    `json:"recipient"`        // who asks, as the shopper will read it
	Reason    string    `json:"reason"`           // by which law, under which file number
	Fields    []string  `json:"fields,omitempty"` // what is handed over: kinds of what is held, or data types of the registry
	Refused   bool      `json:"refused,omitempty"`
	By        string    `json:"by,omitempty"`
	Approved  string    `json:"approved,omitempty"`
	At        time.Time `json:"at,omitzero"`
}

// What became of a request, as TallyAuthority counts it: with the request itself, in one transaction, for whoever is
// told that it is recorded may never ask again.
const (
	AuthorityRefused  = "refused"
	AuthorityAnswered = "answered"
)

// fieldsMost bounds the list of what is handed over.
const fieldsMost = 32

// heldKinds are the kinds of what is held of a shopper, by the names that an export has for them; records and receipts are of decisions and ends.
var heldKinds = []string{"records", "receipts", "decisions", "ends", "notices_served", "scopes", "journal", "visits", "alerts", "requests"}

// checkThere refuses what is not: a store or a purpose that is neither declared nor on record of the shopper, a field that nothing is held
// under. The shopper would read in their journal that something was handed over which there never was.
func (l *Ledger) checkThere(ctx context.Context, d Disclosure) error {
	reg := l.Registry()
	_, store := reg.PremisesOf(d.Store)
	_, purpose := reg.Purpose(d.Purpose)
	for _, x := range []struct{ what, name, store, purpose string }{{"store", d.Store, d.Store, ""}, {"purpose", d.Purpose, "", d.Purpose}} {
		if x.name == "" || x.what == "store" && store || x.what == "purpose" && purpose {
			continue
		}
		on, err := l.OnRecord(ctx, d.Subject, x.store, x.purpose)
		if err != nil {
			return err
		}
		if !on {
			return fmt.Errorf("%w: %s: %q is neither declared nor on record of this shopper: leave it out, or correct it", ErrRequest, x.what, x.name)
		}
	}
	for _, f := range d.Fields {
		if _, declared := reg.dataType(f); !declared && !slices.Contains(heldKinds, f) {
			return fmt.Errorf("%w: fields: nothing is held under %q: name %s, or a data type of the registry", ErrRequest, f, strings.Join(heldKinds, ", "))
		}
	}
	return nil
}

// OnRecord reports whether a record of the shopper, in whatever state, is about a store and a purpose; an empty one is any.
func (l *Ledger) OnRecord(ctx context.Context, subject Ref, store, purpose string) (bool, error) {
	return l.store.OnRecord(ctx, subject, store, purpose)
}

// AskDisclosure asks for something to be handed over; or records, at once, that a request was refused.
func (l *Ledger) AskDisclosure(ctx context.Context, d Disclosure, by string) error {
	if n := len([]rune(d.Recipient)); n < 2 || n > 120 {
		return fmt.Errorf("%w: recipient: name who asks, in 2 to 120 characters", ErrRequest)
	}
	if err := CheckReason(d.Reason); err != nil {
		return err
	}
	if err := l.checkThere(ctx, d); err != nil {
		return err
	}
	if d.Refused {
		d.Subject, d.Fields = "", nil
		d.By, d.At = by, l.now()
		return l.store.RefuseDisclosure(ctx, d)
	}
	if d.Subject == "" || len(d.Fields) == 0 || len(d.Fields) > fieldsMost {
		return fmt.Errorf("%w: a disclosure names the shopper and 1 to %d fields", ErrRequest, fieldsMost)
	}
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("a disclosure: %w", err)
	}
	return l.Move(ctx, Motion{ID: d.ID, Kind: DisclosureMotion, Store: d.Store, Body: body, By: by})
}

// ApproveDisclosure enters it into the shopper's journal; only then is anything handed over. ErrNoMotion, ErrSamePerson,
// ErrMotionOver; ErrRequest if it is of what is not: it may have been asked for before anybody looked, or been there until now.
// there is asked that as well, of what the ledger does not know of, and its error is returned; nil asks nothing.
// ErrNoShopper if nobody by that id is known (any more): there is no journal, so nothing is approved.
func (l *Ledger) ApproveDisclosure(ctx context.Context, id, by string, there func(context.Context, Disclosure) error) (Disclosure, error) {
	d, err := l.disclosureAsked(ctx, id)
	if err == nil {
		err = l.checkThere(ctx, d)
	}
	if err == nil && there != nil {
		err = there(ctx, d)
	}
	if err != nil && !errors.Is(err, ErrNoMotion) { // whose approval is repeated finds that nothing waits
		return Disclosure{}, err
	}
	return l.store.CarryDisclosure(ctx, id, by, l.now())
}

// disclosureAsked is what waits under an id to be approved; ErrNoMotion if nothing does.
func (l *Ledger) disclosureAsked(ctx context.Context, id string) (d Disclosure, err error) {
	list, err := l.Motions(ctx, DisclosureMotion, "")
	if err != nil {
		return d, err
	}
	i := slices.IndexFunc(list, func(m Motion) bool { return m.ID == id })
	if i < 0 {
		return d, ErrNoMotion
	}
	if err := json.Unmarshal(list[i].Body, &d); err != nil {
		return d, fmt.Errorf("a disclosure: %w", err)
	}
	return d, nil
}
