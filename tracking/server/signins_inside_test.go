// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/tracking/server/auth"
)

// rows are sign-ins as somebody may alter them who can write to the database alone.
type rows struct {
	SignIns
	who map[string]string
}

func (r rows) OpenSignIn(_ context.Context, s consent.SignIn) error {
	r.who[s.ID] = s.Who
	return nil
}

func (r rows) SignIn(_ context.Context, id string) (s consent.SignIn, err error) {
	who, ok := r.who[id]
	if !ok {
		err = consent.ErrNotFound
	}
	return consent.SignIn{ID: id, Who: who, Ends: time.Now().Add(time.Hour), Used: time.Now()}, err
}

func (r rows) SignInsOn(ctx context.Context, _ string) (list []consent.SignIn, err error) {
	for id := range r.who {
		s, err := r.SignIn(ctx, id)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// A row that was copied, made up or sealed by another deployment signs nobody in.
func TestARowThatIsAlteredSignsNobodyIn(t *testing.T) {
	kept, keys := rows{who: map[string]string{}}, consent.NewKeys()
	s := keptIn(kept, func() consent.Keys { return keys })
	if err := s.Open(t.Context(), auth.SignIn{ID: "mine", Staff: auth.Staff{Shift: "mei"}}); err != nil {
		t.Fatal(err)
	}
	if who, err := s.Find(t.Context(), "mine"); err != nil || who.Shift != "mei" {
		t.Fatalf("%+v, %v", who, err)
	}
	if err := keptIn(kept, consent.NewKeys).Open(t.Context(), auth.SignIn{ID: "of other keys", Staff: auth.Staff{Shift: "mei"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Open(t.Context(), auth.SignIn{ID: "taken off its device", Device: "tablet", Staff: auth.Staff{Shift: "mei"}}); err != nil { // these rows keep none
		t.Fatal(err)
	}
	kept.who["copied"], kept.who["made up"], kept.who["plain"] = kept.who["mine"], "bWVp", `{"Shift":"mei"}`
	for _, id := range []string{"copied", "made up", "plain", "of other keys", "taken off its device", "none"} {
		if who, err := s.Find(t.Context(), id); !errors.Is(err, auth.ErrUnknown) || who.Shift != "" {
			t.Errorf("%s: %+v, %v", id, who, err)
		}
	}
	if on, err := s.On(t.Context(), "device"); err != nil || len(on) != 1 || on[0].ID != "mine" {
		t.Errorf("on a device: %+v, %v", on, err)
	}
}
