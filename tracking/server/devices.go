// SPDX-License-Identifier: Apache-2.0

package server

import (
	"errors"
	"net/http"
	"unicode/utf8"

	"doorstep/consent"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/problem"
)

type pinBody struct {
	PIN string `json:"pin"` // or what a badge says
}

// choosePIN sets what somebody is known by on a device that several people use, for this shift.
func (s *Server) choosePIN(w http.ResponseWriter, r *http.Request) (any, error) {
	if err := s.staff.Page(r); err != nil {
		return nil, err
	}
	b, err := body[pinBody](r)
	if err != nil {
		return nil, err
	}
	return nil, s.staff.Cookies.ChoosePIN(w, r, b.PIN)
}

// lock locks the device, before somebody leaves it or gives it to a colleague.
func (s *Server) lock(_ http.ResponseWriter, r *http.Request) (any, error) {
	if err := s.staff.Page(r); err != nil {
		return nil, err
	}
	return nil, s.staff.Cookies.Lock(r)
}

type unlockBody struct {
	Person string `json:"person"` // one of those that device tells
	PIN    string `json:"pin"`
}

// unlock has somebody who is signed in on the device go on.
func (s *Server) unlock(w http.ResponseWriter, r *http.Request) (any, error) {
	if err := s.staff.Device(r); err != nil {
		return nil, err
	}
	b, err := body[unlockBody](r)
	if err != nil {
		return nil, err
	}
	if utf8.RuneCountInString(b.PIN) > auth.MaxBadge {
		return nil, problem.New(problem.Request).WithDetail("pin is longer than any that can be chosen")
	}
	var who auth.Staff
	whose := func(of auth.Staff) bool {
		who = of
		return s.shift(of) == b.Person
	}
	err = s.staff.Cookies.Unlock(w, r, whose, b.PIN)
	if errors.Is(err, auth.ErrTooManyPINs) {
		s.noteGuesses(r, who)
	}
	return nil, err
}

// noteGuesses has those who count refused looks know that somebody was kept out who said to be this person.
func (s *Server) noteGuesses(r *http.Request, who auth.Staff) {
	p := s.person(who)
	err := s.Ledger.RefuseRead(r.Context(), consent.RefusedRead{Store: who.Store, Reader: p.Shift, Role: p.Role, Team: p.Team, Code: problem.WrongPIN, At: s.Now()})
	if err != nil {
		s.Log.Error("a sign-in that was ended by wrong PINs is not in the journal", "store", who.Store, "error", err)
	}
}

type devicePerson struct {
	Person string `json:"person"` // as in colleagues
	Tag    string `json:"tag"`
	UntilT int64  `json:"until_t"` // the end of the sign-in
}

// device tells who can unlock the device: those who are signed in on it. It says so whether it is locked or not.
func (s *Server) device(_ http.ResponseWriter, r *http.Request) (any, error) {
	if err := s.staff.Device(r); err != nil {
		return nil, err
	}
	on, err := s.staff.Cookies.On(r)
	if err != nil {
		return nil, err
	}
	people := make([]devicePerson, 0, len(on))
	for _, in := range on {
		people = append(people, devicePerson{s.shift(in.Staff), in.Tag, in.End.UnixMilli()})
	}
	return map[string]any{"people": people}, nil
}
