// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"net/http"
	"time"

	"doorstep/geofence"
	"doorstep/tracking"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/problem"
)

// What an administrator may change about stores. A change is in force on this node when it is answered,
// on the others a poll later, and it is kept with the pseudonym of who made it.

// Stores keeps the settings of stores. Each change is announced in the ledger's feed and audited; one
// that changes nothing is neither.
type Stores interface {
	SaveMap(ctx context.Context, store, version string, sources []byte, by string) error
	WithdrawMap(ctx context.Context, store, by string) error
	SetHours(ctx context.Context, store, hours, zone, by string) error
	SetClosed(ctx context.Context, store string, closed bool, by string) error
	KeepBookings(ctx context.Context, store string, list []tracking.Booking, by string) (changed int64, err error)
	CancelBookings(ctx context.Context, store string, refs []string, by string) (cancelled int64, err error)
	SetRules(ctx context.Context, store, rules, by string) error
	SetCards(ctx context.Context, store, cards, by string) error
	StoreChanges(ctx context.Context, store string, limit int) ([]tracking.StoreChange, error)
}

// mapMost is the largest map that is taken, in bytes.
const mapMost = 64 << 20

func (s *Server) adminRoutes(m *http.ServeMux) {
	admin := http.NewServeMux()
	admin.Handle("GET /v1/admin/stores", s.overStores(s.adminStores))
	admin.Handle("PUT /v1/admin/stores/{id}/map", s.overStores(s.putMap))
	admin.Handle("DELETE /v1/admin/stores/{id}/map", s.overStores(s.withdrawMap))
	admin.Handle("PUT /v1/admin/stores/{id}/hours", s.overStores(s.putHours))
	admin.Handle("PUT /v1/admin/stores/{id}/closed", s.overStores(s.putClosed))
	admin.Handle("GET /v1/admin/stores/{id}/changes", s.overStores(s.storeChanges))
	admin.Handle("GET /v1/admin/webhooks", s.overOutside(s.deliveries))
	admin.Handle("POST /v1/admin/webhooks/{id}/replay", s.overOutside(s.replay))
	admin.Handle("PUT /v1/admin/stores/{id}/bookings", s.overStores(s.putBookings))
	admin.Handle("POST /v1/admin/stores/{id}/bookings/cancel", s.overStores(s.cancelBookings))
	admin.Handle("GET /v1/admin/stores/{id}/rules", s.overStores(s.alertRules))
	admin.Handle("PUT /v1/admin/stores/{id}/rules", s.put(s.rulesText()))
	admin.Handle("DELETE /v1/admin/stores/{id}/rules", s.takeAway(s.rulesText()))
	admin.Handle("GET /v1/admin/stores/{id}/cards", s.overStores(s.adminCards))
	admin.Handle("PUT /v1/admin/stores/{id}/cards", s.put(s.cardsText()))
	admin.Handle("DELETE /v1/admin/stores/{id}/cards", s.takeAway(s.cardsText()))
	s.ruleRoutes(admin)
	admin.Handle("GET /v1/admin/holds", s.administer(s.holds))
	admin.Handle("POST /v1/admin/holds", s.administer(s.askHold))
	admin.Handle("POST /v1/admin/holds/{id}/approve", s.administer(s.approveHold))
	admin.Handle("DELETE /v1/admin/holds/{id}", s.administer(s.liftHold))
	admin.Handle("POST /v1/admin/disclosures", s.administer(s.askDisclosure))
	admin.Handle("POST /v1/admin/disclosures/{id}/approve", s.administer(s.approveDisclosure))
	admin.HandleFunc("/v1/admin/", s.unknown)
	m.Handle("/v1/admin/", s.limited(admin))
}

// administer lets in who has an operator's token, under the pseudonym that their changes are kept with.
func (s *Server) administer(f func(r *http.Request, by string) (any, error)) http.Handler {
	return s.api(func(_ http.ResponseWriter, r *http.Request) (any, error) {
		raw, ok := auth.Credential(r, "Bearer")
		if !ok {
			return nil, problem.New(problem.Token)
		}
		who, err := s.Tokens.Admin(r.Context(), raw)
		if err != nil {
			return nil, err
		}
		return f(r, string(s.Ledger.Keys().Shift("admin "+who.Subject)))
	})
}

// overStores is administer for what changes stores, where those are kept.
func (s *Server) overStores(f func(r *http.Request, by string) (any, error)) http.Handler {
	return s.administer(func(r *http.Request, by string) (any, error) {
		if s.Stores == nil {
			return nil, problem.New(problem.NotFound).WithDetail("this server's stores are settings of its own")
		}
		return f(r, by)
	})
}

type adminStore struct {
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	Fence  string `json:"fence,omitempty"` // of the map; none without one
	Given  bool   `json:"given"`           // the map is a setting of this server
	Open   bool   `json:"open"`
	Closed bool   `json:"closed"`
	Hours  string `json:"hours"`
	Zone   string `json:"zone"`
	Barred string `json:"barred,omitempty"` // why it must not go live, and so stays closed
}

func (s *Server) adminStores(*http.Request, string) (any, error) {
	list := []adminStore{}
	for _, x := range s.Atlas.All() {
		list = append(list, s.adminStore(x))
	}
	return map[string]any{"stores": list}, nil
}

func (s *Server) adminStore(x *geofence.Index) adminStore {
	site := x.Site()
	hours, closed := s.Atlas.Hours(site.ID)
	a := adminStore{ID: site.ID, Name: site.Name, Fence: site.Version, Given: s.Atlas.Given(site.ID),
		Open: s.Atlas.Open(site.ID, s.Now()), Closed: closed, Hours: hours.String(), Zone: hours.Zone()}
	if err := s.Atlas.Barred(site.ID); err != nil {
		a.Barred = err.Error()
	}
	return a
}

// putMap takes a map as GeoJSON: checked and indexed before it is kept, so that
// one that would be refused changes nothing.
func (s *Server) putMap(r *http.Request, by string) (any, error) {
	id := r.PathValue("id")
	if s.Atlas.Given(id) {
		return nil, problem.New(problem.MapGiven)
	}
	sources, err := wholeBody(r, mapMost)
	if err != nil {
		return nil, err
	}
	x, err := s.Node.ReadMap(id, sources)
	if err != nil {
		return nil, problem.New(problem.BadMap).WithDetail(err.Error())
	}
	if err := s.mayGoLive(x); err != nil {
		return nil, err
	}
	if err := s.Stores.SaveMap(r.Context(), id, x.Site().Version, sources, by); err != nil {
		return nil, err
	}
	return s.inForce(r, id)
}

func (s *Server) withdrawMap(r *http.Request, by string) (any, error) {
	id := r.PathValue("id")
	if s.Atlas.Given(id) {
		return nil, problem.New(problem.MapGiven)
	}
	if err := s.haveStore(id); err != nil {
		return nil, err
	}
	if err := s.Stores.WithdrawMap(r.Context(), id, by); err != nil {
		return nil, err
	}
	return nil, s.Node.ReadStores(r.Context())
}

type hoursBody struct {
	Hours string `json:"hours"`
	Zone  string `json:"zone"`
}

// putHours sets when a store is open; both empty for always.
func (s *Server) putHours(r *http.Request, by string) (any, error) {
	b, err := body[hoursBody](r)
	if err != nil {
		return nil, err
	}
	if b != (hoursBody{}) {
		if _, err := geofence.ParseHours(b.Hours, b.Zone); err != nil {
			return nil, problem.New(problem.BadHours).WithDetail(err.Error())
		}
	}
	id := r.PathValue("id")
	if err := s.haveStore(id); err != nil {
		return nil, err
	}
	if err := s.Stores.SetHours(r.Context(), id, b.Hours, b.Zone, by); err != nil {
		return nil, err
	}
	return s.inForce(r, id)
}

type closedBody struct {
	Closed *bool `json:"closed"`
}

// putClosed closes a store around everyone in it, or opens it again.
func (s *Server) putClosed(r *http.Request, by string) (any, error) {
	b, err := body[closedBody](r)
	if err != nil {
		return nil, err
	}
	if b.Closed == nil {
		return nil, problem.New(problem.Request).WithDetail("closed is true or false")
	}
	id := r.PathValue("id")
	if err := s.haveStore(id); err != nil {
		return nil, err
	}
	if x, ok := s.Atlas.Index(id); ok && !*b.Closed {
		if err := s.mayGoLive(x); err != nil {
			return nil, err
		}
	}
	if err := s.Stores.SetClosed(r.Context(), id, *b.Closed, by); err != nil {
		return nil, err
	}
	return s.inForce(r, id)
}

func (s *Server) storeChanges(r *http.Request, _ string) (any, error) {
	list, err := s.Stores.StoreChanges(r.Context(), r.PathValue("id"), 100)
	if err != nil {
		return nil, err
	}
	type change struct {
		T    int64  `json:"t"`
		What string `json:"what"`
		By   string `json:"by"`
	}
	changes := make([]change, 0, len(list))
	for _, c := range list {
		changes = append(changes, change{c.At.UnixMilli(), c.What, c.By})
	}
	return map[string]any{"changes": changes}, nil
}

// mayGoLive refuses what must not be activated (brief, 21 and 22), before anything is changed.
func (s *Server) mayGoLive(x *geofence.Index) error {
	return s.Ledger.Registry().MayGoLive(tracking.FactsOf(x.Site()), s.Now())
}

func (s *Server) haveStore(store string) error {
	if _, ok := s.Atlas.Index(store); !ok {
		return problem.New(problem.NoStore)
	}
	return nil
}

// inForce answers a change once this node has taken it up.
func (s *Server) inForce(r *http.Request, store string) (any, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 10*time.Second)
	defer cancel()
	if err := s.Node.ReadStores(ctx); err != nil {
		return nil, err
	}
	x, ok := s.Atlas.Index(store)
	if !ok {
		return nil, problem.New(problem.NoStore)
	}
	return s.adminStore(x), nil
}
