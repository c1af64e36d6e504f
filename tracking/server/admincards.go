// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/json"
	"net/http"

	"doorstep/geofence"
	"doorstep/tracking/cards"
	"doorstep/tracking/rulebook"
	"doorstep/tracking/server/problem"
)

// deckOf are a store's cards: those that are set, or else those that this server was given.
func (s *Server) deckOf(store string) *cards.Deck {
	if deck := s.Atlas.Cards(store); deck != nil || s.Cards == nil {
		return deck
	}
	return s.Cards(store)
}

// dealtDeck is the answer to phones. Times are in whole minutes, so it is good for one.
type dealtDeck struct {
	deck   *cards.Deck
	minute int64
	body   json.RawMessage
}

// dealt is a store's cards as phones are given them, made once a minute at most.
func (s *Server) dealt(store string) (json.RawMessage, error) {
	deck, now := s.deckOf(store), s.Now()
	made := dealtDeck{deck: deck, minute: now.Unix() / 60}
	if last, ok := s.decks.Load(store); ok {
		if d := last.(dealtDeck); d.deck == made.deck && d.minute == made.minute {
			return d.body, nil
		}
	}
	var err error
	if made.body, err = json.Marshal(map[string]any{"cards": deck.Deal(now)}); err == nil {
		s.decks.Store(store, made)
	}
	return made.body, err
}

// adminCards answers a store's cards as they were written, with their hours.
func (s *Server) adminCards(r *http.Request, _ string) (any, error) {
	id := r.PathValue("id")
	if err := s.haveStore(id); err != nil {
		return nil, err
	}
	if deck := s.deckOf(id); deck != nil {
		return deck, nil
	}
	return &cards.Deck{Cards: []cards.Card{}}, nil
}

// cardsText are all cards of a store. Taken away, they leave it with those that this server was given, if there are any.
func (s *Server) cardsText() storeText {
	return storeText{most: cards.Most, bad: problem.BadCards,
		read: func(x *geofence.Index, text []byte) (any, error) { return cards.Read(text, rulebook.ZonesOf(x.Site())) },
		set: func(ctx context.Context, store, text, by string) error {
			return s.Stores.SetCards(ctx, store, text, by)
		}}
}
