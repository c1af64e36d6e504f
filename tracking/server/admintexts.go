// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/json"
	"net/http"

	"doorstep/geofence"
	"doorstep/tracking/server/problem"
)

// storeText is what an administrator tells of a store in one text, in place of the one before: its own rules about alerts, its context cards.
type storeText struct {
	most int64 // bytes
	bad  string
	read func(x *geofence.Index, text []byte) (any, error) // checks it against the store's map; what it returns is kept, and answered
	set  func(ctx context.Context, store, text, by string) error
}

// put takes a text, or refuses it with every mistake in it. It is in force on this node when it is answered.
func (s *Server) put(t storeText) http.Handler {
	return s.overStores(func(r *http.Request, by string) (any, error) {
		id := r.PathValue("id")
		x, ok := s.Atlas.Index(id)
		if !ok {
			return nil, problem.New(problem.NoStore)
		}
		text, err := wholeBody(r, t.most)
		if err != nil {
			return nil, err
		}
		read, err := t.read(x, text)
		if err != nil {
			return nil, problem.New(t.bad).WithDetail(err.Error())
		}
		kept, err := json.Marshal(read)
		if err != nil {
			return nil, err
		}
		if err := t.set(r.Context(), id, string(kept), by); err != nil {
			return nil, err
		}
		_, err = s.inForce(r, id)
		return read, err
	})
}

// takeAway leaves a store with no such text of its own, on this node when it is answered.
func (s *Server) takeAway(t storeText) http.Handler {
	return s.overStores(func(r *http.Request, by string) (any, error) {
		id := r.PathValue("id")
		if err := s.haveStore(id); err != nil {
			return nil, err
		}
		if err := t.set(r.Context(), id, "", by); err != nil {
			return nil, err
		}
		_, err := s.inForce(r, id)
		return nil, err
	})
}
