// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"slices"
	"time"

	"doorstep/tracking/server/problem"
)

// Age bands of a shopper's token. Anything else in the claim is the empty band: not known, and to
// be treated as such.
const (
	Adult = "adult"
	Minor = "minor"
)

// Shopper is who a shopper's token speaks for. Subject is the retailer's id: hash it before it is
// kept anywhere, and never log it.
type Shopper struct {
	Subject   string    // sub, at most 256 bytes
	App       string    // azp: the app that the token was minted for
	AgeBand   string    // Adult, Minor, or empty when not known
	ExpiresAt time.Time // exp, without leeway: a socket is renewed or closed by then
}

// What a member of staff may do, as the role of a staff token says it.
const (
	RoleFloor = "floor"
	RoleLead  = "lead"
	RoleAdmin = "admin" // of the store's console; the deployment's own door is Admin
)

// Staff is one person's shift at one store.
type Staff struct {
	Shift     string    // sub: the issuer's pseudonym for this person's shift, never a name
	Tag       string    // what colleagues see
	Role      string    // RoleFloor, RoleLead or RoleAdmin
	Company   string    // whose staff, if not the retailer's: an agency's, a brand's; may be empty
	Store     string    // the only store this token is good for
	Teams     []string  // may be empty
	Purposes  []string  // that the shift is there for; empty: every one
	Lang      string    // preferred language, may be empty
	ExpiresAt time.Time // exp, without leeway
}

// Admin is an operator of the deployment.
type Admin struct {
	Subject   string
	ExpiresAt time.Time
}

// At returns nil if the shift is at the store, else the problem other_store (403). Every request
// that names a store goes through it.
func (s Staff) At(store string) error {
	if store == "" || store != s.Store {
		return problem.New(problem.OtherStore).Because(&reasoned{ErrDoor, "another store"})
	}
	return nil
}

// May returns nil if the shift's role is one of these, else the problem role (403).
func (s Staff) May(roles ...string) error {
	if slices.Contains(roles, s.Role) {
		return nil
	}
	return problem.New(problem.Role).Because(&reasoned{ErrDoor, "role"})
}

// Shopper verifies a shopper's token: sub and azp are required, and it lives 15 minutes at most.
// The error is a *problem.Problem: token (401), door (403), or unavailable (503) when the issuer's
// keys have never been reached.
func (t *Tokens) Shopper(ctx context.Context, raw string) (Shopper, error) {
	c, err := t.verify(ctx, raw, ShopperDoor, ShopperLife)
	if err != nil {
		return Shopper{}, err
	}
	sub, okSub := c.text("sub", maxText)
	app, okApp := c.text("azp", maxText)
	age, okAge := c["age"].(string)
	if _, there := c["age"]; !okSub || !okApp || (there && !okAge) {
		return Shopper{}, refuseToken("sub, azp or age does not fit")
	}
	if age != Adult && age != Minor {
		age = ""
	}
	return Shopper{Subject: sub, App: app, AgeBand: age, ExpiresAt: c.expires()}, nil
}

// Staff verifies a staff token: sub (the shift), tag, role and store are required, teams,
// purposes, lang and company may be there. Errors as for Shopper; a role that does not exist is 403 role.
func (t *Tokens) Staff(ctx context.Context, raw string) (Staff, error) {
	c, err := t.verify(ctx, raw, StaffDoor, StaffLife)
	if err != nil {
		return Staff{}, err
	}
	shift, okShift := c.text("sub", maxText)
	tag, okTag := c.text("tag", 64)
	role, okRole := c.text("role", 32)
	store, okStore := c.text("store", 64)
	teams, err := c.words("teams")
	purposes, wrong := c.words("purposes")
	nothing := purposes != nil && len(purposes) == 0 // which is not to be taken for everything
	if !okShift || !okTag || !okRole || !okStore || err != nil || wrong != nil || nothing {
		return Staff{}, refuseToken("sub, tag, role, store, teams or purposes does not fit")
	}
	company, okCompany := c.text("company", 120)
	if _, there := c["company"]; there && !okCompany {
		return Staff{}, refuseToken("company does not fit")
	}
	lang, okLang := c.text("lang", 35)
	if _, there := c["lang"]; there && !okLang {
		return Staff{}, refuseToken("lang does not fit")
	}
	s := Staff{Shift: shift, Tag: tag, Role: role, Company: company, Store: store, Teams: teams, Purposes: purposes, Lang: lang, ExpiresAt: c.expires()}
	if err := s.May(RoleFloor, RoleLead, RoleAdmin); err != nil {
		return Staff{}, err
	}
	return s, nil
}

// Admin verifies an operator's token: sub is required, and it lives an hour at most. Errors as for
// Shopper.
func (t *Tokens) Admin(ctx context.Context, raw string) (Admin, error) {
	c, err := t.verify(ctx, raw, AdminDoor, AdminLife)
	if err != nil {
		return Admin{}, err
	}
	sub, ok := c.text("sub", maxText)
	if !ok {
		return Admin{}, refuseToken("sub does not fit")
	}
	return Admin{Subject: sub, ExpiresAt: c.expires()}, nil
}
