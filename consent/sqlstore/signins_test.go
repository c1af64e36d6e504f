// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
)

// signedIn is a database with two people on one device and one on their own.
type signedIn struct {
	*testing.T
	*sqlstore.DB
	now time.Time
}

func eachSignedIn(t *testing.T, f func(s *signedIn)) {
	for name, open := range map[string]func(testing.TB, func() time.Time) *sqlstore.DB{"sqlite": storetest.SQLite, "postgres": storetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			s := &signedIn{T: t, now: time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC)}
			s.DB = open(t, func() time.Time { return s.now })
			for _, in := range []consent.SignIn{{ID: "own", Who: "of own"}, {ID: "kim", Who: "of kim", Device: "tablet"}, {ID: "ida", Who: "of ida", Device: "tablet"}} {
				in.Ends, in.Acted = s.now.Add(time.Hour), s.now
				s.ok(s.OpenSignIn(t.Context(), in))
				s.now = s.now.Add(time.Second)
			}
			f(s)
		})
	}
}

func (s *signedIn) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// locked is who of those that there are is locked.
func (s *signedIn) locked(ids ...string) (locked []string) {
	s.Helper()
	for _, id := range ids {
		in, err := s.SignIn(s.Context(), id)
		s.ok(err)
		if in.Locked {
			locked = append(locked, id)
		}
	}
	return locked
}

// At most one sign-in on a device can be used: whoever comes, or goes on, locks the others; nobody on a device of their own is touched.
func TestOneAtATimeOnADevice(t *testing.T) {
	eachSignedIn(t, func(s *signedIn) {
		if got := s.locked("own", "kim", "ida"); !slices.Equal(got, []string{"kim"}) {
			t.Errorf("%v are locked", got)
		}
		s.ok(s.RenewSignIn(t.Context(), "kim", consent.SignIn{ID: "kim again", Who: "of kim again", Device: "tablet", Acted: s.now}))
		if got := s.locked("own", "kim again", "ida"); !slices.Equal(got, []string{"ida"}) {
			t.Errorf("%v are locked", got)
		}
		if _, err := s.SignIn(t.Context(), "kim"); !errors.Is(err, consent.ErrNotFound) {
			t.Errorf("what was renewed is there still: %v", err)
		}
		if err := s.RenewSignIn(t.Context(), "kim", consent.SignIn{ID: "twice", Device: "tablet"}); !errors.Is(err, consent.ErrNotFound) {
			t.Errorf("renewed twice: %v", err)
		}
		on, err := s.SignInsOn(t.Context(), "tablet")
		s.ok(err)
		if len(on) != 2 || on[0].ID != "kim again" || on[0].Who != "of kim again" || on[1].ID != "ida" || !on[0].Acted.Equal(s.now) || on[0].Device != "tablet" {
			t.Errorf("on the device: %+v", on)
		}
		s.ok(s.LockSignIn(t.Context(), "kim again"))
		if got := s.locked("kim again"); len(got) != 1 {
			t.Error("it is not locked")
		}
		for _, id := range []string{"own", "nobody"} {
			if err := s.LockSignIn(t.Context(), id); !errors.Is(err, consent.ErrNotFound) {
				t.Errorf("%s was locked: %v", id, err)
			}
		}
		s.now = s.now.Add(time.Hour)
		if on, err := s.SignInsOn(t.Context(), "tablet"); err != nil || len(on) != 0 {
			t.Errorf("after their end: %+v, %v", on, err)
		}
		if err := s.RenewSignIn(t.Context(), "ida", consent.SignIn{ID: "late", Device: "tablet"}); !errors.Is(err, consent.ErrNotFound) {
			t.Errorf("renewed after its end: %v", err)
		}
	})
}

// PINs are counted one by one, however many are tried at once, until somebody goes on.
func TestTriesAreCounted(t *testing.T) {
	eachSignedIn(t, func(s *signedIn) {
		var all sync.WaitGroup
		counts := make([]int, 6)
		for i := range counts {
			all.Go(func() {
				n, err := s.TrySignIn(t.Context(), "kim")
				if err != nil {
					t.Error(err)
				}
				counts[i] = n
			})
		}
		all.Wait()
		if slices.Sort(counts); !slices.Equal(counts, []int{1, 2, 3, 4, 5, 6}) {
			t.Errorf("counted as %v", counts)
		}
		s.ok(s.RenewSignIn(t.Context(), "kim", consent.SignIn{ID: "kim again", Device: "tablet"}))
		if n, err := s.TrySignIn(t.Context(), "kim again"); err != nil || n != 1 {
			t.Errorf("after going on, the first is counted as %d: %v", n, err)
		}
		if _, err := s.TrySignIn(t.Context(), "nobody"); !errors.Is(err, consent.ErrNotFound) {
			t.Errorf("tried with nobody: %v", err)
		}
	})
}

// What a person did last is the latest of what servers say; use without a person leaves it.
func TestLastTouch(t *testing.T) {
	eachSignedIn(t, func(s *signedIn) {
		later := s.now.Add(time.Second)
		for _, acted := range []time.Time{later, s.now.Add(-time.Minute), {}} {
			s.ok(s.UseSignIn(t.Context(), "ida", acted))
			s.now = s.now.Add(time.Second)
		}
		in, err := s.SignIn(t.Context(), "ida")
		s.ok(err)
		if !in.Acted.Equal(later) || !in.Used.Equal(s.now.Add(-time.Second)) {
			t.Errorf("touched %v, used %v", in.Acted, in.Used)
		}
		s.ok(s.EndSignIn(t.Context(), "ida"))
		s.ok(s.UseSignIn(t.Context(), "ida", s.now))
		if _, err := s.SignIn(t.Context(), "ida"); !errors.Is(err, consent.ErrNotFound) {
			t.Errorf("ended, and there: %v", err)
		}
	})
}
