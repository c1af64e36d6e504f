// SPDX-License-Identifier: Apache-2.0

package server

// Narrow leaves each address and each person this many sockets.
func (s *Server) Narrow(perAddress, perPerson int) {
	s.apps, s.consoles = newPlaces(perAddress, perPerson), newPlaces(perAddress, perPerson)
}
