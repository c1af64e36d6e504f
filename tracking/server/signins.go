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
// consent.ErrNotFound answers for one that was ended or is over.
type SignIns interface {
	OpenSignIn(ctx context.Context, id, who string, ends time.Time) error
	SignIn(ctx context.Context, id string) (who string, ends, used time.Time, err error)
	UseSignIn(ctx context.Context, id string) error
	EndSignIn(ctx context.Context, id string) error
}

// signIns seals what is kept. Whoever can write to the ledger's database alone can sign nobody in.
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

// Open implements auth.SignIns.
func (s signIns) Open(ctx context.Context, id string, who auth.Staff, end time.Time) error {
	text, err := json.Marshal(who)
	if err != nil {
		return fmt.Errorf("who signs in: %w", err)
	}
	return s.kept.OpenSignIn(ctx, id, s.keys().SignIns().Seal(id, text), end)
}

// Find implements auth.SignIns. A row that this deployment's keys did not seal signs nobody in.
func (s signIns) Find(ctx context.Context, id string) (who auth.Staff, end, used time.Time, err error) {
	sealed, end, used, err := s.kept.SignIn(ctx, id)
	switch {
	case errors.Is(err, consent.ErrNotFound):
		return who, end, used, auth.ErrUnknown
	case err != nil:
		return who, end, used, err
	}
	text, err := s.keys().SignIns().Open(id, sealed)
	if err != nil || json.Unmarshal(text, &who) != nil {
		return auth.Staff{}, end, used, auth.ErrUnknown
	}
	return who, end, used, nil
}

// Use implements auth.SignIns.
func (s signIns) Use(ctx context.Context, id string) error { return s.kept.UseSignIn(ctx, id) }

// End implements auth.SignIns.
func (s signIns) End(ctx context.Context, id string) error { return s.kept.EndSignIn(ctx, id) }
