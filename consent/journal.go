// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// View is one reader looking at one visit, from opening to closing. It is durable before the
// first byte is served.
type View struct {
	ID       string // UUIDv7
	Store    string
	Visit    string
	Alert    string
	Reader   string // shift pseudonym, never a name
	Role     string
	Team     string
	Company  string // whose staff, if not the controller's
	Purpose  string
	Fields   []string
	OpenedAt time.Time
	ClosedAt time.Time // zero while open
	Count    int64     // positions served
}

// ReadKind is a way in which something about a shopper is read, or leaves.
type ReadKind string

// The kinds of entries in the journal. What fences and rules do with a position is declared in the notice
// and is no entry; what consoles are shown without a view is listed in tracking/server/DESIGN.md.
const (
	ViewRead       ReadKind = "view"        // somebody looked at a dot
	ExportRead     ReadKind = "export"      // the shopper was given all there is
	DisclosureRead ReadKind = "disclosure"  // something was handed over to somebody outside
	WebhookRead    ReadKind = "webhook"     // a receiver outside was told of an alert; Company is the receiver's name
	BreakGlassRead ReadKind = "break_glass" // two people decided that somebody may look without what a look takes
)

// Read is an entry of the journal, as its shopper may see it (CJEU C-579/21: when, what for, in which role, where,
// what, and by which other company; not which employee).
type Read struct {
	View
	Kind   ReadKind
	Reason string // for a break-glass, the words of who asked; for a disclosure, the law or the file it goes by
	People int    // how many decided on it
}

// RefusedRead is a look that was refused. It is kept with who tried and not with whom it would have shown: nothing
// of the shopper was read, and what an employee got wrong is not the shopper's to judge by.
type RefusedRead struct {
	Store, Reader, Role, Team string
	Code                      string // why, as the person was told
	At                        time.Time
}

// OpenView journals a look before it is served. The visit must be current and the purpose granted: tracking.ErrNoVisit.
// Repeated with its id it is one look; ErrIDTaken if the id is that of another, or of one that is over.
func (l *Ledger) OpenView(ctx context.Context, v View) error {
	if v.ID == "" || v.Visit == "" || v.Store == "" || v.Purpose == "" || v.Reader == "" {
		return fmt.Errorf("%w: a view needs id, store, visit, reader and purpose", ErrRequest)
	}
	if v.OpenedAt.IsZero() {
		v.OpenedAt = l.now()
	}
	fresh, err := l.store.OpenView(ctx, v)
	if fresh {
		l.Count(TallyRead, "", v.Purpose)
	}
	return err
}

// CloseView closes it with its end and count.
func (l *Ledger) CloseView(ctx context.Context, id string, at time.Time, count int64) error {
	return l.store.CloseView(ctx, id, at, count)
}

// RefuseRead keeps a refused look, for JournalLife.
func (l *Ledger) RefuseRead(ctx context.Context, r RefusedRead) error {
	if r.At.IsZero() {
		r.At = l.now()
	}
	return l.store.RefuseRead(ctx, r)
}

// EnterRead journals, before it happens, that something of a shopper leaves; of Read it takes Kind, Store, Role,
// Company, Purpose, Fields, Reason and People. Of somebody who is not known here nothing can be read:
// ErrNoShopper.
func (l *Ledger) EnterRead(ctx context.Context, subject Ref, r Read) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("an entry's id: %w", err)
	}
	r.ID, r.OpenedAt = id.String(), l.now()
	r.ClosedAt = r.OpenedAt
	return l.store.EnterRead(ctx, subject, r)
}

// JournalPage is how many entries one page of a journal has.
const JournalPage = 200

// Cursor is a place in a journal: after all entries of later times and after the first Skip of its own.
type Cursor struct {
	At   time.Time // zero: the beginning
	Skip int
}

// JournalAfter is a page of what a shopper may read, newest first, from a place that an earlier page named ("" for the
// beginning). next is empty on the last page. ErrRequest if after is no such place.
func (l *Ledger) JournalAfter(ctx context.Context, subject Ref, after string) (page []Read, next string, err error) {
	from, err := parseCursor(after)
	if err != nil {
		return nil, "", err
	}
	page, err = l.store.Journal(ctx, subject, from, JournalPage+1)
	if err != nil || len(page) <= JournalPage {
		return page, "", err
	}
	page = page[:JournalPage]
	return page, from.after(page).String(), nil
}

// Journal is all that a shopper may read: who looked, when, why and at what; newest first.
func (l *Ledger) Journal(ctx context.Context, subject Ref) ([]Read, error) {
	var all []Read
	for after := ""; ; {
		page, next, err := l.JournalAfter(ctx, subject, after)
		if all = append(all, page...); err != nil || next == "" {
			return all, err
		}
		after = next
	}
}

// after is the place behind a page that began at c.
func (c Cursor) after(page []Read) Cursor {
	next := Cursor{At: page[len(page)-1].OpenedAt}
	if next.At.Equal(c.At) {
		next.Skip = c.Skip
	}
	for i := len(page) - 1; i >= 0 && page[i].OpenedAt.Equal(next.At); i-- {
		next.Skip++
	}
	return next
}

// String is the cursor as it stands in an address: a time and a number, of nobody.
func (c Cursor) String() string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "%d.%d", c.At.UnixMicro(), c.Skip))
}

func parseCursor(text string) (Cursor, error) {
	if text == "" {
		return Cursor{}, nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	var at int64
	var c Cursor
	if err == nil {
		_, err = fmt.Sscanf(strings.TrimSpace(string(raw)), "%d.%d", &at, &c.Skip)
	}
	if c.At = time.UnixMicro(at).UTC(); err != nil || c.Skip < 0 || c.String() != text {
		return Cursor{}, fmt.Errorf("%w: after: no place in a journal: take it from next of the page before", ErrRequest)
	}
	return c, nil
}
