// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"doorstep/consent"
	"doorstep/tracking/server/auth"
)

// SignIns is where it is kept who of the staff is signed in at a page: under the hash of the cookie's secret, and sealed.
// consent.ErrNotFound answers for one that was ended or is over. See auth.SignIns.
type SignIns interface {
	OpenSignIn(ctx context.Context, s consent.SignIn) error
	RenewSignIn(ctx context.Context, old string, s consent.SignIn) error
	SignIn(ctx context.Context, id string) (consent.SignIn, error)
	SignInsOn(ctx context.Context, device string) ([]consent.SignIn, error)
	UseSignIn(ctx context.Context, id string, acted time.Time) error
	TrySignIn(ctx context.Context, id string) (tries int, err error)
	LockSignIn(ctx context.Context, id string) error
	EndSignIn(ctx context.Context, id string) error
}

// signIns seals what is kept. Whoever can write to the ledger's database alone can sign nobody in, and whoever reads it has no
// hash of a PIN to guess at.
type signIns struct {
	kept SignIns
	keys func() consent.Keys
}

func keptIn(kept SignIns, keys func() consent.Keys) auth.SignIns {
	if kept == nil {
		return nil
	}
	return signIns{kept, keys}
}

// signedIn is what is sealed.
type signedIn struct {
	auth.Staff
	PIN    auth.PIN
	Device string // again: a row that lost it could not be locked
}

func (s signIns) sealed(in auth.SignIn) (consent.SignIn, error) {
	text, err := json.Marshal(signedIn{in.Staff, in.PIN, in.Device})
	if err != nil {
		return consent.SignIn{}, fmt.Errorf("who signs in: %w", err)
	}
	return consent.SignIn{ID: in.ID, Who: s.keys().SignIns().Seal(in.ID, text), Device: in.Device, Ends: in.End, Acted: in.Acted}, nil
}

// opened reads a row. One that this deployment's keys did not seal signs nobody in.
func (s signIns) opened(row consent.SignIn) (auth.SignIn, error) {
	var who signedIn
	text, err := s.keys().SignIns().Open(row.ID, row.Who)
	if err != nil || json.Unmarshal(text, &who) != nil || who.Device != row.Device {
		return auth.SignIn{}, auth.ErrUnknown
	}
	return auth.SignIn{ID: row.ID, Staff: who.Staff, PIN: who.PIN, Device: row.Device, Locked: row.Locked,
		End: row.Ends, Used: row.Used, Acted: row.Acted}, nil
}

// unknown translates what the store says of a sign-in that there is not.
func unknown(err error) error {
	if errors.Is(err, consent.ErrNotFound) {
		return auth.ErrUnknown
	}
	return err
}

// Open implements auth.SignIns.
func (s signIns) Open(ctx context.Context, in auth.SignIn) error {
	row, err := s.sealed(in)
	if err != nil {
		return err
	}
	return s.kept.OpenSignIn(ctx, row)
}

// Renew implements auth.SignIns.
func (s signIns) Renew(ctx context.Context, old string, in auth.SignIn) error {
	row, err := s.sealed(in)
	if err != nil {
		return err
	}
	return unknown(s.kept.RenewSignIn(ctx, old, row))
}

// Find implements auth.SignIns.
func (s signIns) Find(ctx context.Context, id string) (auth.SignIn, error) {
	row, err := s.kept.SignIn(ctx, id)
	if err != nil {
		return auth.SignIn{}, unknown(err)
	}
	return s.opened(row)
}

// On implements auth.SignIns.
func (s signIns) On(ctx context.Context, device string) (list []auth.SignIn, err error) {
	rows, err := s.kept.SignInsOn(ctx, device)
	for _, row := range rows {
		if in, err := s.opened(row); err == nil {
			list = append(list, in)
		}
	}
	return list, err
}

// Use implements auth.SignIns.
func (s signIns) Use(ctx context.Context, id string, acted time.Time) error {
	return s.kept.UseSignIn(ctx, id, acted)
}

// Try implements auth.SignIns.
func (s signIns) Try(ctx context.Context, id string) (int, error) {
	tries, err := s.kept.TrySignIn(ctx, id)
	return tries, unknown(err)
}

// Lock implements auth.SignIns.
func (s signIns) Lock(ctx context.Context, id string) error {
	return unknown(s.kept.LockSignIn(ctx, id))
}

// End implements auth.SignIns.
func (s signIns) End(ctx context.Context, id string) error { return s.kept.EndSignIn(ctx, id) }
