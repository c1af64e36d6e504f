// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"net/http"
	"net/url"
)

// Card is a context card of one zone. The phone picks, by where it is, by the language and by the time; whoever shares nothing is shown them as a list.
type Card struct {
	Zone  string     `json:"zone"`
	Title string     `json:"title"`
	Text  string     `json:"text"`
	Link  string     `json:"link"`  // https; may be empty
	Lang  string     `json:"lang"`  // that it is written in; empty: for everybody
	Image string     `json:"image"` // a data: address of a PNG or a JPEG; may be empty
	Alt   string     `json:"alt"`   // what the picture shows
	Times []CardTime `json:"times"` // when it is shown, of the coming day; none: always
}

// CardTime is a time in which a card is shown: from FromT until before UntilT, in Unix milliseconds of server time.
type CardTime struct {
	FromT  int64 `json:"from_t"`
	UntilT int64 `json:"until_t"`
}

// At reports whether a card is shown at a time, in Unix milliseconds of server time.
func (c Card) At(t int64) bool {
	for _, s := range c.Times {
		if s.FromT <= t && t < s.UntilT {
			return true
		}
	}
	return len(c.Times) == 0
}

// Cards reads all context cards of a store, pictures included. It needs no token and says nothing of where the phone is: which card is
// shown is decided here.
func (c *Client) Cards(ctx context.Context, store string) ([]Card, error) {
	var all struct {
		Cards []Card `json:"cards"`
	}
	err := c.call(ctx, http.MethodGet, "/v1/cards/"+url.PathEscape(store), public, nil, &all)
	return all.Cards, err
}
