// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/geofence"
	"doorstep/tracking/server/auth"
)

// An erasure that somebody began and did not live to finish is finished by a server that runs on: not only by one that starts.
func TestARunningServerFinishesErasures(t *testing.T) {
	dev, err := auth.NewDevKey()
	if err != nil {
		t.Fatal(err)
	}
	due := make(chan time.Time)
	r := serveWith(t, settings{data: t.TempDir(), indexes: []*geofence.Index{demoIndex(t)}, devKey: dev, upkeep: due})
	a := r.app(t)
	a.decide(t, demostore.ID, "term")
	keys, id := r.ledger.Keys(), uuid.NewString()
	req, err := r.ledger.ErasureRequest(id, keys.Subject(a.sub), keys.Installation(a.key.Thumbprint()))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.node.End(t.Context(), req); err != nil { // and no more than that
		t.Fatal(err)
	}
	upkeep := func() { // the second is taken once the first has been gone through
		due <- time.Now()
		due <- time.Now()
	}
	upkeep()
	if _, err := r.ledger.Erasure(t.Context(), id, req); !errors.Is(err, consent.ErrNoErasure) {
		t.Errorf("whoever began it is not left a minute for it: %v", err)
	}
	r.ahead.Store(int64(2 * time.Minute))
	upkeep()
	if _, err := r.ledger.Erasure(t.Context(), id, req); err != nil {
		t.Errorf("not finished: %v", err)
	}
}
