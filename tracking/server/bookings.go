// SPDX-License-Identifier: Apache-2.0

package server

import (
	"fmt"
	"net/http"
	"time"

	"doorstep/tracking"
	"doorstep/tracking/server/problem"
)

// bookingsMost is how many bookings one request may hold; its body's bound is met first by long ones.
const bookingsMost = 100

type bookingBody struct {
	Ref    string `json:"ref"`
	Kind   string `json:"kind"`
	T      int64  `json:"t"`
	UntilT int64  `json:"until_t"`
	Desk   string `json:"desk"`
	Proxy  bool   `json:"proxy"`
}

type bookingsBody struct {
	Bookings []bookingBody `json:"bookings"`
}

// putBookings enters what the retailer has booked. The same again changes nothing; with a reference that is there, another time or desk
// replaces the one before.
func (s *Server) putBookings(r *http.Request, by string) (any, error) {
	b, err := body[bookingsBody](r)
	if err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	if err := s.haveStore(id); err != nil {
		return nil, err
	}
	list, err := s.bookings(id, b.Bookings)
	if err != nil {
		return nil, err
	}
	changed, err := s.Stores.KeepBookings(r.Context(), id, list, by)
	if err != nil {
		return nil, err
	}
	return map[string]int64{"changed": changed}, nil
}

// bookings checks all before any is kept; an error names the place, and no reference.
func (s *Server) bookings(store string, list []bookingBody) ([]tracking.Booking, error) {
	if len(list) == 0 || len(list) > bookingsMost {
		return nil, problem.New(problem.BadBooking).WithDetail(fmt.Sprintf("bookings: send 1 to %d at a time", bookingsMost))
	}
	out := make([]tracking.Booking, len(list))
	seen := map[string]bool{}
	for i, b := range list {
		wrong := ""
		switch {
		case !isRef(b.Ref):
			wrong = "ref: 1 to 64 characters of ASCII, as the app will present it"
		case seen[b.Ref]:
			wrong = "ref: it is there twice"
		case b.Kind != "appointment" && b.Kind != "pickup":
			wrong = "kind: appointment or pickup"
		case !isTime(b.T):
			wrong = "t" + notTime
		case b.UntilT != 0 && (b.UntilT < b.T || b.UntilT > b.T+int64(7*24*time.Hour/time.Millisecond)):
			wrong = "until_t: from t to seven days later"
		case b.Desk != "" && !s.Node.IsDesk(store, b.Desk):
			wrong = "desk: not a zone of the store's map that people can come to"
		}
		if wrong != "" {
			return nil, problem.New(problem.BadBooking).WithDetail(fmt.Sprintf("bookings[%d].%s", i, wrong))
		}
		seen[b.Ref] = true
		out[i] = tracking.Booking{Ref: b.Ref, Kind: b.Kind, At: time.UnixMilli(b.T), Desk: b.Desk, Proxy: b.Proxy}
		if b.UntilT != 0 {
			out[i].Until = time.UnixMilli(b.UntilT)
		}
	}
	return out, nil
}

// isRef reports whether an app could present a reference.
func isRef(ref string) bool {
	for _, c := range ref {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return ref != "" && len(ref) <= 64
}

type refsBody struct {
	Refs []string `json:"refs"`
}

// cancelBookings takes bookings back.
func (s *Server) cancelBookings(r *http.Request, by string) (any, error) {
	b, err := body[refsBody](r)
	if err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	if err := s.haveStore(id); err != nil {
		return nil, err
	}
	if len(b.Refs) == 0 || len(b.Refs) > bookingsMost {
		return nil, problem.New(problem.BadBooking).WithDetail(fmt.Sprintf("refs: send 1 to %d at a time", bookingsMost))
	}
	cancelled, err := s.Stores.CancelBookings(r.Context(), id, b.Refs, by)
	if err != nil {
		return nil, err
	}
	return map[string]int64{"cancelled": cancelled}, nil
}
