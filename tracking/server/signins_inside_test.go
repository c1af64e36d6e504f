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
type rows map[string]string

func (r rows) OpenSignIn(_ context.Context, id, who string, _ time.Time) error {
	r[id] = who
	return nil
}

func (r rows) SignIn(_ context.Context, id string) (who string, ends, used time.Time, err error) {
	who, ok := r[id]
	if !ok {
		err = consent.ErrNotFound
	}
	return who, time.Now().Add(time.Hour), time.Now(), err
}

func (rows) UseSignIn(context.Context, string) error { return nil }
func (rows) EndSignIn(context.Context, string) error { return nil }

// A row that was copied, made up or sealed by another deployment signs nobody in.
func TestARowThatIsAlteredSignsNobodyIn(t *testing.T) {
	kept, keys := rows{}, consent.NewKeys()
	s := keptIn(kept, func() consent.Keys { return keys })
	if err := s.Open(t.Context(), "mine", auth.Staff{Shift: "mei"}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if who, _, _, err := s.Find(t.Context(), "mine"); err != nil || who.Shift != "mei" {
		t.Fatalf("%+v, %v", who, err)
	}
	if err := keptIn(kept, consent.NewKeys).Open(t.Context(), "of other keys", auth.Staff{Shift: "mei"}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	kept["copied"], kept["made up"], kept["plain"] = kept["mine"], "bWVp", `{"Shift":"mei"}`
	for _, id := range []string{"copied", "made up", "plain", "of other keys", "none"} {
		if who, _, _, err := s.Find(t.Context(), id); !errors.Is(err, auth.ErrUnknown) || who.Shift != "" {
			t.Errorf("%s: %+v, %v", id, who, err)
		}
	}
}
