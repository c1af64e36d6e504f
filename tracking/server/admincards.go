// SPDX-License-Identifier: Apache-2.0

package server

import (
	"encoding/json"
	"net/http"

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

// putCards takes all cards of a store in place of those before, checked against its map. They are in force on this node when it is answered.
func (s *Server) putCards(r *http.Request, by string) (any, error) {
	id := r.PathValue("id")
	x, ok := s.Atlas.Index(id)
	if !ok {
		return nil, problem.New(problem.NoStore)
	}
	text, err := wholeBody(r, cards.Most)
	if err != nil {
		return nil, err
	}
	deck, err := cards.Read(text, rulebook.ZonesOf(x.Site()))
	if err != nil {
		return nil, problem.New(problem.BadCards).WithDetail(err.Error())
	}
	kept, err := json.Marshal(deck)
	if err != nil {
		return nil, err
	}
	if err := s.Stores.SetCards(r.Context(), id, string(kept), by); err != nil {
		return nil, err
	}
	if _, err := s.inForce(r, id); err != nil {
		return nil, err
	}
	return deck, nil
}

// withdrawCards leaves a store with the cards that this server was given, if there are any.
func (s *Server) withdrawCards(r *http.Request, by string) (any, error) {
	id := r.PathValue("id")
	if err := s.haveStore(id); err != nil {
		return nil, err
	}
	if err := s.Stores.SetCards(r.Context(), id, "", by); err != nil {
		return nil, err
	}
	return nil, s.Node.ReadStores(r.Context())
}
