// SPDX-License-Identifier: Apache-2.0

// Package server is the edge: routes, tokens, sockets and pages. It decides nothing about consent,
// fences or endings; it finds out who asks, hands the question to those who decide, and renders
// the answer once.
package server

import (
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking"
	"doorstep/tracking/cards"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/console"
)

// Config is what a Server is made of. Everything is required but what says otherwise.
type Config struct {
	Node    *tracking.Node
	Stores  Stores           // for administrators; optional
	Outside tracking.Outside // the same: what was told, and what could not be
	SignIns SignIns          // who of the staff is signed in, for every node; without it, each has its own
	Ledger  *consent.Ledger
	Atlas   *tracking.Atlas
	Tokens  *auth.Tokens
	Origins *auth.Origins
	Hosts   []string       // public names for proofs; empty is fit for loopback only
	Proxies []netip.Prefix // whose X-Forwarded-For is believed; optional
	Secure  bool           // pages are reached over TLS, at a proxy included
	DevKey  *auth.DevKey   // optional: development and demonstration only
	SDK     fs.FS          // the JavaScript reference client
	// Undeclared says when an app is kept out that asks for what is undeclared; zero means the usual.
	Undeclared Undeclared
	PINRounds  int                            // of the hash of a PIN (auth.PIN); zero means the usual, and fewer are for tests
	Cards      func(store string) *cards.Deck // of stores for which none are set; optional
	Withdrawn  func(tracking.Answer)          // told of each withdrawal that is true everywhere, for a measurement; optional
	Now        func() time.Time
	Log        *slog.Logger
}

// Server serves one node's phones, consoles and pages.
type Server struct {
	Config
	shoppers auth.ShopperEntry
	staff    auth.StaffEntry
	tickets  auth.TicketStore
	resumes  *auth.Resumes
	codes    *onceAnywhere[auth.Staff]
	signIns  *auth.Codes[auth.Staff] // printed where this node was started
	visitors *auth.Codes[Visitor]
	renewals *auth.Sessions[Visitor]
	byAddr   *auth.Limits
	byOwner  *auth.Limits
	apps     places // of the app's sockets
	consoles places
	fences   sync.Map // *geofence.Index → []byte
	sheets   sync.Map // store and version of its map → pack, for phones
	plans    sync.Map // the same, for consoles
	decks    sync.Map // store → dealtDeck
	phones   *phones
	pollers  *pollers
	quieting chan struct{}        // who makes quiet times holds it, and with it
	quiets   map[string]quietMade // by store
	permits  permits
	attempts *attempts
	outcasts chan string // apps to be suspended, for Run

	notAccepted atomic.Int64 // connections for which there was no descriptor
	unwatched   atomic.Int64 // phones that could have been watched, with one more
}

// Visitor is a shopper made up for the demonstration.
type Visitor struct{ Subject, App, Store string }

// Limits per second and in a burst. One address may be a whole mall behind one gateway.
const (
	addrRate, addrBurst   = 200, 4000
	ownerRate, ownerBurst = 5, 40 // of a shopper, and of each installation
	renewalLife           = 8 * time.Hour
)

// New checks the configuration and makes a server. Its errors name the setting.
func New(c Config) (*Server, error) {
	proofs, err := auth.NewProofs(auth.ProofSettings{Hosts: c.Hosts, Now: c.Now})
	if err != nil {
		return nil, err
	}
	if c.Undeclared == (Undeclared{}) {
		c.Undeclared = Undeclared{undeclaredAfter, undeclaredFor}
	}
	keys := func() consent.Keys { return c.Ledger.Keys() }
	cookies := auth.NewCookies(c.Secure, keptIn(c.SignIns, keys), c.Now)
	if c.PINRounds > 0 {
		cookies.Rounds = c.PINRounds
	}
	s := &Server{
		Config:   c,
		shoppers: auth.ShopperEntry{Tokens: c.Tokens, Proofs: proofs},
		staff:    auth.StaffEntry{Tokens: c.Tokens, Cookies: cookies, Origins: c.Origins},
		tickets:  &onceAnywhere[auth.Ticket]{"tickets", c.Node.Live, keys, c.Now},
		codes:    &onceAnywhere[auth.Staff]{"codes", c.Node.Live, keys, c.Now},
		resumes:  auth.NewResumes(c.Now),
		signIns:  auth.NewCodes[auth.Staff](c.Now),
		visitors: auth.NewCodes[Visitor](c.Now),
		renewals: auth.NewSessions[Visitor](renewalLife, renewalLife, 10_000, c.Now),
		apps:     newPlaces(addrPhones, shopperPhones),
		consoles: newPlaces(addrConsoles, personConsoles),
		phones:   newPhones(),
		pollers:  newPollers(),
		quieting: make(chan struct{}, 1),
		quiets:   make(map[string]quietMade),
		attempts: newAttempts(),
		outcasts: make(chan string, 16),
	}
	var errs [3]error
	s.byAddr, errs[0] = auth.NewLimits(addrRate, addrBurst, c.Now)
	s.byOwner, errs[1] = auth.NewLimits(ownerRate, ownerBurst, c.Now)
	s.shoppers.PerShopper, errs[2] = auth.NewLimits(ownerRate, ownerBurst, c.Now)
	return s, errors.Join(errs[:]...)
}

// StaffCode issues a one-time code that signs a person in at a console.
func (s *Server) StaffCode(p auth.Staff) (string, error) {
	code, _, err := s.signIns.Issue(p)
	return code, err
}

// ShopperCode issues a one-time code for the shopper's page. It needs the development key.
func (s *Server) ShopperCode(v Visitor) (string, error) {
	if s.DevKey == nil {
		return "", errors.New("server: shopper codes need the development key; a real app brings its own tokens")
	}
	code, _, err := s.visitors.Issue(v)
	return code, err
}

// Handler is everything that is public.
func (s *Server) Handler() http.Handler {
	app := http.NewServeMux()
	s.appRoutes(app)
	mux := http.NewServeMux()
	mux.Handle("/v1/", s.limited(s.Origins.CORS(app, s.fail)))
	s.staffRoutes(mux)
	s.adminRoutes(mux)
	s.opsRoutes(mux)
	mux.HandleFunc("GET /.well-known/jwks.json", s.jwks)
	mux.HandleFunc("GET /.well-known/gpc.json", s.gpc)
	mux.HandleFunc("GET /rules", s.rulesPage)
	mux.HandleFunc("GET /transparency", s.transparencyPage)
	mux.HandleFunc("GET /notices/{hash}", s.noticePage)
	pages := console.Handler(s.SDK)
	for _, path := range []string{"/console/", "/shopper/", "/demo", "/stop", "/stop/", "/assets/"} {
		mux.Handle(path, pages)
	}
	mux.HandleFunc("GET /{$}", s.front(pages))
	mux.HandleFunc("/", s.unknown)
	return s.guarded(auth.NoTokenInURL(mux, s.fail)) // pages too: their addresses are logged like any other
}

func (s *Server) appRoutes(m *http.ServeMux) {
	m.HandleFunc("GET /v1/stores", s.stores)
	m.HandleFunc("GET /v1/stores/{id}/fences/{version}", s.fence)
	m.HandleFunc("GET /v1/stores/{id}/maps/{version}", s.storeMap)
	m.HandleFunc("GET /v1/cards/{store}", s.cards)
	m.HandleFunc("GET /v1/quiet/{store}", s.quiet)
	m.HandleFunc("GET /v1/time", s.time)
	m.HandleFunc("GET /v1/rules", s.rules)
	m.Handle("GET /v1/notices/{hash}", s.api(s.notice))
	m.Handle("GET /v1/transparency", s.api(s.transparency))
	s.logRoutes(m)
	m.Handle("POST /v1/prompts", s.api(s.prompt))
	m.Handle("POST /v1/decisions", s.api(s.decide))
	m.Handle("POST /v1/tickets", s.api(s.ticket))
	m.Handle("POST /v1/withdrawals", s.api(s.withdraw))
	m.Handle("GET /v1/me", s.api(s.me))
	m.Handle("GET /v1/me/export", s.api(s.export))
	m.Handle("POST /v1/erasures", s.api(s.erase))
	m.Handle("GET /v1/journal", s.api(s.journal))
	m.HandleFunc("GET /v1/session", s.session)
	m.Handle("POST /v1/demo/shopper", s.api(s.demoShopper))
	m.HandleFunc("/v1/", s.unknown)
}

func (s *Server) staffRoutes(m *http.ServeMux) {
	staff := http.NewServeMux()
	staff.Handle("POST /v1/staff/codes", s.api(s.staffCode))
	staff.Handle("POST /v1/staff/session", s.api(s.signIn))
	staff.Handle("DELETE /v1/staff/session", s.api(s.signOut))
	staff.Handle("PUT /v1/staff/session/pin", s.api(s.choosePIN))
	staff.Handle("POST /v1/staff/session/lock", s.api(s.lock))
	staff.Handle("POST /v1/staff/session/unlock", s.api(s.unlock))
	staff.Handle("GET /v1/staff/device", s.api(s.device))
	staff.Handle("GET /v1/staff/me", s.api(s.staffMe))
	staff.HandleFunc("GET /v1/staff/map", s.staffMap)
	staff.Handle("GET /v1/staff/counts", s.api(s.counts))
	staff.Handle("GET /v1/staff/break-glass", s.api(s.glassesAsked))
	staff.Handle("POST /v1/staff/break-glass", s.api(s.askGlass))
	staff.Handle("POST /v1/staff/break-glass/{id}/approve", s.api(s.breakGlass))
	staff.Handle("POST /v1/staff/alerts/{id}/actions", s.api(s.act))
	staff.Handle("POST /v1/staff/alerts/{id}/call", s.api(s.call))
	staff.HandleFunc("GET /v1/staff/socket", s.screen)
	staff.HandleFunc("/v1/staff/", s.unknown)
	m.Handle("/v1/staff/", s.limited(staff))
}

// fenceOf is the phone's fence of an index, made once.
func (s *Server) fenceOf(x *geofence.Index) ([]byte, error) {
	if b, ok := s.fences.Load(x); ok {
		return b.([]byte), nil
	}
	b, err := x.Fence()
	if err == nil {
		s.fences.Store(x, b)
	}
	return b, err
}
