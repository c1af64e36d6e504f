// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"

	"doorstep/tracking/server/auth"
)

// Sockets open at a time. One address may be a whole mall behind one gateway. A shopper has a phone or two,
// and what a roaming one left behind until the silence of it is noticed; a person has a tablet, a desk and a
// page or two that was not closed.
const (
	addrPhones, addrConsoles = 20_000, 1_000
	shopperPhones            = 8
	personConsoles           = 16
)

// places bounds one kind of socket, by where it comes from and by whose it is. People are counted by their
// pseudonyms: no other id is kept for as long as a socket lasts.
type places struct{ at, of *auth.Caps }

func newPlaces(perAddress, perPerson int) places {
	return places{auth.NewCaps(perAddress), auth.NewCaps(perPerson)}
}

// address takes a place for the request's address, or answers the problem rate (429).
func (p places) address(s *Server, r *http.Request) (release func(), err error) {
	return p.at.Acquire(auth.AddrKey(auth.ClientIP(r, s.Proxies)))
}

// person takes one for somebody as well; if there is none, what was taken is given back.
func (p places) person(who string, taken func()) (release func(), err error) {
	own, err := p.of.Acquire(who)
	if err != nil {
		taken()
		return nil, err
	}
	return func() { own(); taken() }, nil
}
