// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// race redeems a secret from n goroutines at once and answers how many won and what the others got.
func race(n int, redeem func() error) (won int64, others []error) {
	var wins atomic.Int64
	var mu sync.Mutex
	var all sync.WaitGroup
	start := make(chan struct{})
	for range n {
		all.Go(func() {
			<-start
			if err := redeem(); err == nil {
				wins.Add(1)
			} else {
				mu.Lock()
				others = append(others, err)
				mu.Unlock()
			}
		})
	}
	close(start)
	all.Wait()
	return wins.Load(), others
}

// TestTickets walks tickets through any history of issuing, waiting and racing redemptions, beside
// a model that is a list: one winner while it lives, expired afterwards, unknown when used or altered.
func TestTickets(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock()
		store := NewTickets(c.Now)
		type model struct {
			secret string
			end    time.Time
			used   bool
		}
		var issued []*model
		rt.Repeat(map[string]func(*rapid.T){
			"issue": func(rt *rapid.T) {
				secret, end, err := store.Issue(t.Context(), Ticket{Store: "a", Subject: "s"})
				if err != nil || !end.Equal(c.Now().Add(TicketLife)) {
					rt.Fatalf("issued until %v, %v", end, err)
				}
				issued = append(issued, &model{secret, end, false})
			},
			"wait": func(rt *rapid.T) {
				c.Add(time.Duration(rapid.Int64Range(1, 20_000).Draw(rt, "ms")) * time.Millisecond)
			},
			"redeem": func(rt *rapid.T) {
				if len(issued) == 0 {
					rt.Skip("nothing issued")
				}
				m := issued[rapid.IntRange(0, len(issued)-1).Draw(rt, "which")]
				n := rapid.IntRange(1, 4).Draw(rt, "at once")
				won, others := race(n, func() error {
					_, err := store.Redeem(t.Context(), m.secret)
					return err
				})
				want, refusal := int64(1), ErrUnknown
				if m.used {
					want = 0
				}
				if !c.Now().Before(m.end) {
					want, refusal = 0, ErrExpired
				}
				if won != want {
					rt.Fatalf("%d of %d won; want %d", won, n, want)
				}
				m.used = true
				for _, err := range others {
					if !errors.Is(err, refusal) {
						rt.Fatalf("the others got %v; want %v", err, refusal)
					}
				}
			},
			"alter": func(rt *rapid.T) {
				if len(issued) == 0 {
					rt.Skip("nothing issued")
				}
				m := issued[rapid.IntRange(0, len(issued)-1).Draw(rt, "which")]
				b, _ := base64.RawURLEncoding.DecodeString(m.secret)
				bit := rapid.IntRange(0, 8*len(b)-1).Draw(rt, "bit")
				b[bit/8] ^= 1 << (bit % 8)
				if _, err := store.Redeem(t.Context(), base64.RawURLEncoding.EncodeToString(b)); err == nil {
					rt.Fatal("an altered ticket was good")
				}
			},
		})
	})
}

// TestTicketOneWinner has many redeem one ticket at the same moment.
func TestTicketOneWinner(t *testing.T) {
	for range 50 {
		store := NewTickets(time.Now)
		secret, _, err := store.Issue(t.Context(), Ticket{Store: "a", Purposes: []string{"assist"}})
		if err != nil {
			t.Fatal(err)
		}
		var got Ticket
		won, others := race(32, func() error {
			v, err := store.Redeem(t.Context(), secret)
			if err == nil {
				got = v // one winner, or the race detector says so
			}
			return err
		})
		if won != 1 || len(others) != 31 || got.Store != "a" || !slices.Equal(got.Purposes, []string{"assist"}) {
			t.Fatalf("%d won, %d lost, ticket %+v", won, len(others), got)
		}
		if i := slices.IndexFunc(others, func(err error) bool { return !errors.Is(err, ErrUnknown) }); i >= 0 {
			t.Fatalf("a loser got %v", others[i])
		}
	}
}

// TestTicketEnds: through the last millisecond, and not at the thirtieth second; long afterwards it
// still says "expired", and so does one that was forged to look old, which costs nothing.
func TestTicketEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := NewTickets(time.Now)
		early, _, _ := store.Issue(t.Context(), Ticket{})
		late, _, _ := store.Issue(t.Context(), Ticket{})
		time.Sleep(TicketLife - time.Millisecond)
		if _, err := store.Redeem(t.Context(), early); err != nil {
			t.Fatalf("a millisecond before its end: %v", err)
		}
		time.Sleep(time.Millisecond)
		for _, wait := range []time.Duration{0, time.Hour, 1000 * time.Hour} {
			time.Sleep(wait)
			if _, err := store.Redeem(t.Context(), late); !errors.Is(err, ErrExpired) {
				t.Fatalf("%v after its end: %v", wait, err)
			}
		}
	})
}

func TestTicketGarbage(t *testing.T) {
	c := newClock()
	store := NewTickets(c.Now)
	secret, _, err := store.Issue(t.Context(), Ticket{})
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{54}$`).MatchString(secret) {
		t.Fatalf("%q does not fit a subprotocol", secret)
	}
	b, _ := base64.RawURLEncoding.DecodeString(secret)
	binary.BigEndian.PutUint64(b, ^uint64(0))
	eternal := base64.RawURLEncoding.EncodeToString(b)
	for _, s := range []string{"", "x", secret[1:], secret + "A", secret + "=", secret + "\n", strings.ToUpper(secret), strings.Repeat("A", 1<<20), eternal} {
		if _, err := store.Redeem(t.Context(), s); !errors.Is(err, ErrUnknown) && !errors.Is(err, ErrExpired) {
			t.Errorf("%.60q: %v", s, err)
		}
	}
	if _, err := store.Redeem(t.Context(), secret); err != nil {
		t.Fatalf("the good one, after all that: %v", err)
	}
}

func TestTicketRenews(t *testing.T) {
	old := Ticket{Subject: "s", App: "app", Installation: "i", Store: "a", AuthUntil: time.Unix(1, 0)}
	fresh := old
	fresh.AuthUntil, fresh.Purposes = time.Unix(2, 0), []string{"assist"}
	if !fresh.Renews(old) {
		t.Error("its own renewal is refused")
	}
	for name, spoil := range map[string]func(*Ticket){
		"subject": func(x *Ticket) { x.Subject = "z" }, "installation": func(x *Ticket) { x.Installation = "z" },
		"store": func(x *Ticket) { x.Store = "z" }, "app": func(x *Ticket) { x.App = "z" },
	} {
		other := fresh
		spoil(&other)
		if other.Renews(old) {
			t.Errorf("another %s renews it", name)
		}
	}
	if (Ticket{}).Renews(Ticket{}) {
		t.Error("nobody renews nobody")
	}
}

func TestSecretsDiffer(t *testing.T) {
	store := NewTickets(newClock().Now)
	seen := map[string]bool{}
	for range 1000 {
		s, _, err := store.Issue(t.Context(), Ticket{})
		if err != nil || seen[s] {
			t.Fatalf("%v, or the same secret twice", err)
		}
		seen[s] = true
	}
}

// TestOneTimeIsBounded: full is an error, not a loss, used ones count until their time, and nothing
// is left of them afterwards.
func TestOneTimeIsBounded(t *testing.T) {
	c := newClock()
	o := NewOneTime[int](time.Minute, 3, c.Now)
	var first string
	for n := range 3 {
		s, _, err := o.Issue(n)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			first = s
		}
	}
	if v, err := o.Redeem(first); v != 0 || err != nil {
		t.Fatal(v, err)
	}
	if _, _, err := o.Issue(3); !errors.Is(err, ErrFull) {
		t.Fatalf("a fourth: %v", err)
	}
	c.Add(time.Minute)
	if _, _, err := o.Issue(4); err != nil {
		t.Fatalf("a minute later: %v", err)
	}
	if len(o.held) != 1 || len(o.order) != 1 {
		t.Fatalf("holds %d and %d; want 1", len(o.held), len(o.order))
	}
}

func TestCodes(t *testing.T) {
	c := newClock()
	codes := NewCodes[Staff](c.Now)
	code, end, err := codes.Issue(Staff{Shift: "x", Store: "a"})
	if err != nil || !end.Equal(c.Now().Add(10*time.Minute)) {
		t.Fatal(end, err)
	}
	late, _, _ := codes.Issue(Staff{})
	won, others := race(16, func() error { _, err := codes.Redeem(code); return err })
	if won != 1 || len(others) != 15 {
		t.Fatalf("%d winners", won)
	}
	c.Add(CodeLife)
	_, expired := codes.Redeem(late)
	_, unknown := codes.Redeem("x")
	wantCode(t, expired, 401, "code")
	wantCode(t, unknown, 401, "code")
	if body(expired) != body(unknown) || body(expired) != body(others[0]) {
		t.Fatal("the answers tell what was wrong")
	}
}

// NewTickets is a TicketStore in memory: what a OneTime does, held to what a TicketStore promises.
func NewTickets(now func() time.Time) TicketStore {
	return inMemory{NewOneTime[Ticket](TicketLife, 100_000, now)}
}

type inMemory struct{ *OneTime[Ticket] }

func (m inMemory) Issue(_ context.Context, t Ticket) (string, time.Time, error) {
	return m.OneTime.Issue(t)
}

func (m inMemory) Redeem(_ context.Context, secret string) (Ticket, error) {
	return m.OneTime.Redeem(secret)
}
