// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/tracking/rulebook"
)

// The retailer's own rules, applied. How long a visit has been in a zone is known at its session's node and nowhere else: it is counted
// anew when an app comes to another node, rather than written down. What a check-in waits for is counted from the alert, which is durable.

// watch raises what the rules say of the visit now, once each. Who is hidden, or in a zone that staff do not see into, is in none.
func (s *Session) watch(b *rulebook.Book, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	zones, n, certain := s.presence.Zones()
	if s.over.Load() || s.openedAt == 0 || n == 0 || !certain || zones[0].Sensitive {
		return
	}
	if s.book != b {
		s.book, s.ruled = b, nil
	}
	v := rulebook.Visit{Purposes: s.purposes, Zone: zones[0].ID, Since: s.presence.ZoneSince(), Now: unixMS(now)}
	for _, r := range b.Due(v) {
		if s.ruled[r] || !s.node.Ledger.Declares(r.Purpose, consent.ZoneData) {
			continue
		}
		if s.ruled == nil {
			s.ruled = make(map[rulebook.Raise]bool)
		}
		s.ruled[r] = true
		s.node.enders.raise(Alert{ID: followsFrom(s.visit, r.Kind, r.Rule), Store: s.scope.Store, Visit: s.visit, Kind: AlertKind(r.Kind),
			Topic: r.Rule, Purpose: r.Purpose, Patience: r.Patience})
	}
}

// followsFrom is the id of an alert that something else brings about: the same on every node, so that it is raised once.
func followsFrom(cause string, what ...string) string {
	for _, w := range what {
		cause += "|" + w
	}
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(cause)).String()
}

// waits raises an alert for each arrival that nobody has taken for too long. It belongs to dueLoop's goroutine, on every node; the
// alert's id follows from the arrival's, so it is raised once.
type waits struct {
	node *Node
	seen map[string]bool // arrivals that this node has seen to
}

func (w *waits) sweep(ctx context.Context) {
	seen := make(map[string]bool)
	for store, b := range w.node.Atlas.books() {
		if b.Waiting.AfterCheckin.Duration > 0 {
			w.sweepStore(ctx, store, b.Waiting, seen)
		}
	}
	w.seen = seen
}

func (w *waits) sweepStore(ctx context.Context, store string, rule rulebook.Wait, seen map[string]bool) {
	alerts, _, err := w.node.Alerts.Alerts(ctx, store)
	if err != nil {
		return // the next one
	}
	now := w.node.Clock.Now()
	for _, a := range alerts {
		late := now.Sub(a.RaisedAt) >= rule.AfterCheckin.Duration
		if a.Kind != Arrived || a.Final() || a.Off || a.State == Claimed || !late {
			continue
		}
		seen[a.ID] = true
		if w.seen[a.ID] {
			continue
		}
		w.node.enders.raise(Alert{ID: followsFrom(a.ID, rulebook.Waiting), Store: store, Visit: a.Visit, Kind: Waiting, Purpose: a.Purpose,
			Patience: rule.Escalate.Duration})
	}
}

// routing is how an alert is brought to people, as far as is known now. Called with mu held.
func (d *desk) routing(a *shownAlert) rulebook.Routing {
	zone := ""
	if a.zone != nil {
		zone = a.zone.ID
	}
	return d.node.Atlas.Book(d.store).Route(string(a.Kind), a.Topic, zone)
}

// isFor reports whether an alert is to make a sound at a console: it is for this person, or nobody it was for has taken it.
func (c *Console) isFor(a Alert, r rulebook.Routing) bool {
	p := rulebook.Person{Teams: c.person.Teams, Role: c.person.Role, Lang: c.person.Lang}
	return a.State == Escalated || r.Tell.To(p)
}
