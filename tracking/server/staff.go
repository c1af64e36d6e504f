// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"doorstep/geofence"
	"doorstep/tracking"
	"doorstep/tracking/server/auth"
	"doorstep/tracking/server/problem"
)

type codeBody struct {
	Code   string `json:"code"`
	Shared bool   `json:"shared"` // on a device that several people use: see devices.go
}

type codeAnswer struct {
	Code string `json:"code"`
	EndT int64  `json:"end_t"` // Unix milliseconds
}

// staffCode gives whoever brings a token of the staff's door a one-time code for a page. The retailer's sign-in does so, and sends
// the browser to /console/#code=…: the token itself never comes near an address or a page's script.
func (s *Server) staffCode(w http.ResponseWriter, r *http.Request) (any, error) {
	who, session, err := s.staff.Staff(r)
	if err != nil {
		return nil, err
	}
	if session != nil { // a page that is signed in has no need of one, and could hand it on
		return nil, problem.New(problem.Token).WithDetail("a code is given for a bearer token, not for a cookie")
	}
	code, end, err := s.codes.Issue(r.Context(), who)
	if err != nil {
		return nil, err
	}
	w.Header().Set("Cache-Control", "no-store")
	return codeAnswer{code, end.UnixMilli()}, nil
}

// signIn exchanges the one-time code from a page's address for a cookie.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) (any, error) {
	if err := s.Origins.RequirePage(r); err != nil {
		return nil, err
	}
	b, err := body[codeBody](r)
	if err != nil {
		return nil, err
	}
	who, err := s.whoseCode(r.Context(), b.Code)
	if err != nil {
		return nil, err
	}
	if b.Shared {
		return nil, s.staff.Cookies.SignInShared(w, r, who)
	}
	return nil, s.staff.Cookies.SignIn(w, r, who)
}

// whoseCode redeems a code: one that was printed at this node, or given for a token at any.
func (s *Server) whoseCode(ctx context.Context, code string) (auth.Staff, error) {
	if who, err := s.signIns.Redeem(code); err == nil {
		return who, nil
	}
	who, err := s.codes.Redeem(ctx, code)
	if errors.Is(err, auth.ErrUnknown) || errors.Is(err, auth.ErrExpired) {
		return who, problem.New(problem.SignIn).Because(err)
	}
	return who, err
}

func (s *Server) signOut(w http.ResponseWriter, r *http.Request) (any, error) {
	if err := s.Origins.RequirePage(r); err != nil {
		return nil, err
	}
	return nil, s.staff.Cookies.SignOut(w, r)
}

func (s *Server) staffMe(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, session, err := s.staff.Staff(r)
	if err != nil {
		return nil, err
	}
	x, ok := s.Atlas.Index(who.Store)
	if !ok {
		return nil, problem.New(problem.NoStore)
	}
	me := map[string]any{"person": who.Tag, "role": who.Role, "store": map[string]string{"id": x.Site().ID, "name": x.Site().Name}}
	if session != nil && session.Shared() {
		me["lock_ms"] = auth.LockAfter.Milliseconds()
	}
	if who.Lang != "" {
		me["lang"] = who.Lang
	}
	return me, nil
}

type actionBody struct {
	Action  tracking.Action `json:"action"`
	Version int             `json:"version"`
	To      string          `json:"to"`
	ToTag   string          `json:"to_tag"`
	UntilT  int64           `json:"until_t"`
}

// staffActions are those that a person may do; the others are time's and the system's.
var staffActions = []tracking.Action{tracking.Claim, tracking.Keep, tracking.Release, tracking.HandOver, tracking.Snooze, tracking.Resolve, tracking.Escalate}

// act applies one action to an alert of the person's own store.
func (s *Server) act(_ http.ResponseWriter, r *http.Request) (any, error) {
	who, _, err := s.staff.Staff(r)
	if err != nil {
		return nil, err
	}
	b, err := body[actionBody](r)
	if err != nil {
		return nil, err
	}
	key, err := idempotencyKey(r)
	switch {
	case err != nil:
		return nil, err
	case b.Version < 1:
		return nil, problem.New(problem.Request).WithDetail("version is the alert's version that was on the screen")
	case !slices.Contains(staffActions, b.Action):
		return nil, problem.New(problem.AlertAction).WithDetail("an action is claim, keep, release, hand_over, snooze, resolve or escalate")
	case b.Action == tracking.HandOver && (b.To == "" || b.ToTag == ""):
		return nil, problem.New(problem.Request).WithDetail("hand_over names to and to_tag")
	}
	c := tracking.Change{Action: b.Action, Expect: b.Version, Key: who.Shift + " " + key,
		By: tracking.Actor{Shift: s.shift(who), Tag: who.Tag}, To: tracking.Actor{Shift: b.To, Tag: b.ToTag}}
	if b.UntilT > 0 {
		c.Until = time.UnixMilli(b.UntilT)
	}
	a, err := s.Node.Act(r.Context(), who.Store, r.PathValue("id"), c)
	if err != nil {
		return nil, s.actProblem(err, a, who)
	}
	return map[string]any{"alert": s.alertBody(a, who)}, nil
}

// actProblem tells the loser of a race who has the alert, or how it stands now.
func (s *Server) actProblem(err error, a tracking.Alert, who auth.Staff) error {
	p := asProblem(err)
	switch {
	case errors.Is(err, tracking.ErrAlertHeld):
		return p.With("holder", a.HolderTag).WithDetail(a.HolderTag + " claimed it first")
	case errors.Is(err, tracking.ErrAlertVersion):
		return p.With("alert", s.alertBody(a, who))
	}
	return p
}

func (s *Server) alertBody(a tracking.Alert, who auth.Staff) tracking.AlertFrame {
	return a.Frame(s.shift(who))
}

// person is who signed in, as the journal and colleagues know them.
func (s *Server) person(who auth.Staff) tracking.Person {
	team := ""
	if len(who.Teams) > 0 {
		team = who.Teams[0]
	}
	return tracking.Person{Actor: tracking.Actor{Shift: s.shift(who), Tag: who.Tag}, Role: who.Role, Team: team, Company: who.Company,
		Teams: who.Teams, Lang: who.Lang, Purposes: who.Purposes}
}

// shift is the pseudonym under which a person's acts are kept: never the token's own.
func (s *Server) shift(who auth.Staff) string { return string(s.Ledger.Keys().Shift(who.Shift)) }

type (
	xy       [2]float64
	planZone struct {
		ID        string   `json:"id"`
		Name      string   `json:"name"`
		Class     string   `json:"class"`
		Sensitive bool     `json:"sensitive"`
		AreaM2    float64  `json:"area_m2"`
		Shape     [][][]xy `json:"shape"`
		Label     xy       `json:"label"`
	}
	planLevel struct {
		Ordinal  int        `json:"ordinal"`
		Name     string     `json:"name"`
		Boundary [][][]xy   `json:"boundary"`
		Zones    []planZone `json:"zones"`
	}
	planDoor struct {
		Name  string `json:"name"`
		Level int    `json:"level"`
		At    xy     `json:"at"`
	}
	plan struct {
		Store   string      `json:"store"`
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Levels  []planLevel `json:"levels"`
		Doors   []planDoor  `json:"doors"`
		Size    bounds      `json:"size"`
	}
)

// staffMap is the floor plan in local metres, turned to the store's bearing, y up: a console needs
// no latitude.
func (s *Server) staffMap(w http.ResponseWriter, r *http.Request) {
	who, _, err := s.staff.Staff(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	x, ok := s.Atlas.Index(who.Store)
	if !ok {
		s.fail(w, r, problem.New(problem.NoStore))
		return
	}
	m, err := packed(&s.plans, x.Site(), planOf)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	m.write(w, r)
}

func planOf(site *geofence.Site) plan {
	f := site.Frame()
	p := plan{Store: site.ID, Name: site.Name, Version: site.Version, Levels: []planLevel{}, Doors: []planDoor{}}
	b := newBounds()
	for _, l := range site.Levels {
		level := planLevel{Ordinal: l.Ordinal, Name: l.Name, Boundary: localShape(f, l.Boundary, &b), Zones: []planZone{}}
		for _, z := range l.Zones {
			zb := newBounds()
			shape := localShape(f, z.Shape, &zb)
			level.Zones = append(level.Zones, planZone{ID: z.ID, Name: z.Name, Class: z.Class, Sensitive: z.Sensitive,
				AreaM2: z.AreaM2, Shape: shape, Label: zb.middle()})
		}
		p.Levels = append(p.Levels, level)
	}
	for _, d := range site.Doors {
		x, y := f.XY(d.At)
		p.Doors = append(p.Doors, planDoor{d.Name, d.Level, xy{round(x), round(y)}})
	}
	p.Size = b
	return p
}
