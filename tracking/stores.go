// SPDX-License-Identifier: Apache-2.0

package tracking

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking/cards"
	"doorstep/tracking/rulebook"
)

// StoreSetting is what the ledger's database holds about one store.
type StoreSetting struct {
	Store   string
	Version string // of the map; empty: none
	Sources []byte // the map, as Config.ReadMap reads it
	Hours   string // as geofence.ParseHours reads them; empty: always open
	Zone    string // IANA time zone of the hours
	Closed  bool   // closed, whatever the hours say
	Rules   []byte // about alerts, as rulebook.Read reads them; empty: none
	Cards   []byte // about zones, as cards.Read reads them; empty: none are set
}

// StoreChange is one change of a store's settings.
type StoreChange struct {
	Store, What string
	By          string // pseudonym of the person, or the command that made it
	At          time.Time
}

// Stores is where the settings of stores are kept; a change is announced in the ledger's feed.
type Stores interface {
	// Stores returns every store that anything is set of.
	Stores(ctx context.Context) ([]StoreSetting, error)
}

// storesLoop takes up what is changed about stores. Building an index may take a second, so this is
// no part of a poll: a lease covers ends, and none waits for a map.
func (n *Node) storesLoop(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-n.storesChanged:
		}
		if err := n.ReadStores(ctx); err != nil && ctx.Err() == nil {
			n.Log.Error("a store's settings could not be taken up; what was in force stays so, and it is tried again", "error", err)
			time.AfterFunc(PollEvery, n.rereadStores)
		}
	}
}

func (n *Node) rereadStores() {
	select {
	case n.storesChanged <- struct{}{}:
	default: // it is to be read again already
	}
}

// ReadStores takes up the settings of all stores as they are now. Whoever is in a store that is closed
// by them leaves it at once; whoever is in one whose map is another is asked to change over; consoles come back to it. What
// cannot be read is told, after the rest was taken up.
func (n *Node) ReadStores(ctx context.Context) error {
	n.readingStores.Lock() // or what was read first could be put in force last
	defer n.readingStores.Unlock()
	var list []StoreSetting
	if n.Stores != nil {
		var err error
		if list, err = n.Stores.Stores(ctx); err != nil {
			return fmt.Errorf("settings of stores: %w", err)
		}
	}
	var errs []error
	named := make(map[string]bool, len(list))
	for _, s := range list {
		named[s.Store] = true
		if err := n.takeUp(s); err != nil {
			errs = append(errs, fmt.Errorf("store %s: %w", s.Store, err))
		}
	}
	n.Atlas.keep(named)
	n.bar()
	n.followStores()
	return errors.Join(errs...)
}

// FactsOf is what a map says of a store, as far as it matters for going live.
func FactsOf(site *geofence.Site) consent.StoreFacts {
	f := consent.StoreFacts{Store: site.ID}
	for _, l := range site.Levels {
		for _, z := range l.Zones {
			f.Zones = append(f.Zones, z.ID)
			if geofence.HealthCareClass(z.Class) {
				f.HealthZones = append(f.HealthZones, z.ID)
			}
		}
	}
	return f
}

// barred is why a map must not be tracked in; nil for none.
func (n *Node) barred(x *geofence.Index) error {
	if n.MayGoLive == nil || x == nil {
		return nil
	}
	return n.MayGoLive(x)
}

// bar keeps closed whatever store must not track anybody.
func (n *Node) bar() {
	for _, x := range n.Atlas.All() {
		barred := n.barred(x)
		n.Atlas.set(x.Site().ID, func(e *storeEntry) { e.barred = barred })
		if barred != nil {
			n.Log.Error("this store stays closed", "store", x.Site().ID, "error", barred)
		}
	}
}

// takeUp puts one store's settings in force. Hours that cannot be read close the store.
func (n *Node) takeUp(s StoreSetting) error {
	var hours geofence.Hours
	var err error
	if s.Hours != "" {
		hours, err = geofence.ParseHours(s.Hours, s.Zone)
	}
	book, unread := readBook(s.Rules)
	deck, unreadToo := readCards(s.Cards)
	n.Atlas.set(s.Store, func(e *storeEntry) {
		e.hours, e.closed, e.book, e.deck = hours, s.Closed || err != nil, book, deck
	})
	if err = errors.Join(err, unread, unreadToo); unread != nil || unreadToo != nil {
		return err
	}
	kept, given := n.Atlas.kept(s.Store)
	if err != nil || given || kept == s.Version {
		return err
	}
	var next *geofence.Index
	if s.Version != "" {
		if next, err = n.ReadMap(s.Store, s.Sources); err != nil {
			return err
		}
	}
	barred := n.barred(next) // with the map, or it would be open in between
	n.Atlas.set(s.Store, func(e *storeEntry) { e.index, e.kept, e.barred = next, s.Version, barred })
	return nil
}

// readBook reads rules that were checked when they were set. Those that cannot be read raise nothing.
func readBook(rules []byte) (*rulebook.Book, error) {
	if len(rules) == 0 {
		return nil, nil
	}
	book, err := rulebook.Read(rules, rulebook.Known{})
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	return book, nil
}

// readCards reads cards that were checked when they were set. Of those that cannot be read, none are shown.
func readCards(text []byte) (*cards.Deck, error) {
	if len(text) == 0 {
		return nil, nil
	}
	deck, err := cards.Read(text, nil)
	if err != nil {
		return &cards.Deck{}, fmt.Errorf("cards: %w", err)
	}
	return deck, nil
}

// followStores lets every session follow its store: out of one that is closed, over to its new map.
func (n *Node) followStores() {
	now, boot := n.Clock.Now(), n.Clock.Boot()
	for _, x := range n.Atlas.All() {
		n.desks.remap(x)
	}
	left := make(departures)
	for s := range n.sessions.all() {
		s.tick(now, boot, n.Atlas.Open(s.scope.Store, now), left)
		if x, ok := n.Atlas.Index(s.scope.Store); ok {
			s.offer(x)
		}
	}
	n.settle(left)
}

// MapWithin is how long an app has to change over to another map.
const MapWithin = 60 * time.Second

// offer asks the app to change over to another map of its store. Until it says that it has, the old
// one judges: an app that has the old fence sends what that fence lets it.
func (s *Session) offer(x *geofence.Index) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over.Load() || s.openedAt == 0 || x == s.index || x == s.next {
		return
	}
	s.next, s.switchAfter = x, -1
	s.confirmBy = s.node.Clock.Boot() + MapWithin
	if s.phone != nil {
		s.phone.Map(x, s.node.Clock.Now().Add(MapWithin))
	}
}

// Holds takes the app's word which fence it has, and answers which map it is to go by and, if that is
// another, until when it has time to fetch it (zero if it has it).
func (s *Session) Holds(fence string) (x *geofence.Index, by time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x = s.index
	if s.next != nil {
		x = s.next
	}
	s.confirmBy = 0
	if x.Site().Version != fence {
		s.confirmBy = s.node.Clock.Boot() + MapWithin
		by = s.node.Clock.Now().Add(MapWithin)
	}
	return x, by
}

// framesUnderWay is how many frames an app can have numbered and not yet sent.
const framesUnderWay = 5

// MapOK is the app's word that from number after on it goes by the map of that version. It reports
// whether that is the map it was asked for.
func (s *Session) MapOK(version string, after int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	want := s.index
	if s.next != nil {
		want = s.next
	}
	if want.Site().Version != version {
		return false
	}
	s.confirmBy = 0
	s.switchAfter = min(after, s.presence.LastSeq()+framesUnderWay) // or the old map would judge for as long as an app likes
	return true
}

// changeOver makes the new map the session's, if the app has said that the fix of this number is to be
// judged by it. Called with mu held.
func (s *Session) changeOver(seq int64) {
	if s.next == nil || s.confirmBy != 0 || seq <= s.switchAfter {
		return
	}
	s.index, s.next = s.next, nil
	s.presence, _ = s.node.Rules.Remap(s.presence, s.index.Site(), unixMS(s.node.Clock.Now()))
}

// mapOverdue reports that the app has not changed over in time. Called with mu held.
func (s *Session) mapOverdue(boot time.Duration) bool { return s.confirmBy > 0 && boot > s.confirmBy }

// ErrStoreClosed answers an opening outside a store's hours, or while somebody has closed it.
var ErrStoreClosed = errors.New("the store is closed")

// closedReason is why a session ends that its store is closed around.
const closedReason = consent.Reason(geofence.StoreClosed)
