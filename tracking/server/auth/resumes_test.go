// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestResumes walks any history beside a model: one token a visit, good once, while its time lasts.
func TestResumes(t *testing.T) {
	type model struct {
		token string
		until time.Time
		auth  time.Time
	}
	rapid.Check(t, func(rt *rapid.T) {
		c := newClock()
		s := NewResumes(c.Now)
		live := map[string]*model{}
		var dead []string
		bury := func(visit string) {
			if m := live[visit]; m != nil {
				dead = append(dead, m.token)
				delete(live, visit)
			}
		}
		visit := func(rt *rapid.T) string { return fmt.Sprint("v", rapid.IntRange(0, 2).Draw(rt, "visit")) }
		rt.Repeat(map[string]func(*rapid.T){
			"issue": func(rt *rapid.T) {
				v := visit(rt)
				lease := c.Now().Add(30 * time.Second)
				auth := c.Now().Add(time.Duration(rapid.IntRange(1, 90).Draw(rt, "auth")) * time.Second)
				token, err := s.Issue(Resume{Visit: v, Ticket: Ticket{Store: "a", AuthUntil: auth}}, lease)
				if err != nil {
					rt.Fatal(err)
				}
				bury(v)
				live[v] = &model{token, earlier(lease, auth), auth}
			},
			"wait": func(rt *rapid.T) { c.Add(time.Duration(rapid.IntRange(1, 20).Draw(rt, "s")) * time.Second) },
			"extend": func(rt *rapid.T) {
				v := visit(rt)
				s.Extend(v, c.Now().Add(30*time.Second))
				if m := live[v]; m != nil && c.Now().Before(m.until) {
					m.until = earlier(c.Now().Add(30*time.Second), m.auth)
				}
			},
			"drop": func(rt *rapid.T) { v := visit(rt); s.Drop(v); bury(v) },
			"redeem": func(rt *rapid.T) {
				v := visit(rt)
				m := live[v]
				if m == nil {
					return
				}
				want := int64(1)
				if !c.Now().Before(m.until) {
					want = 0
				}
				won, _ := race(3, func() error {
					r, err := s.Redeem(m.token)
					if err == nil && (r.Visit != v || r.Ticket.Store != "a") {
						return errors.New("another visit's")
					}
					return err
				})
				if won != want {
					rt.Fatalf("%d won; want %d", won, want)
				}
				bury(v)
			},
			"": func(rt *rapid.T) {
				for _, token := range dead {
					if _, err := s.Redeem(token); err == nil {
						rt.Fatal("a token that was used, replaced or dropped is good")
					}
				}
			},
		})
	})
}

func TestResumeEnds(t *testing.T) {
	c := newClock()
	s := NewResumes(c.Now)
	r := Resume{Visit: "v", Ticket: Ticket{AuthUntil: c.Now().Add(time.Hour)}}
	token, err := s.Issue(r, c.Now().Add(30*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	c.Add(30 * time.Second)
	s.Extend("v", c.Now().Add(30*time.Second)) // too late: a lease that ended cannot be taken up again
	if _, err := s.Redeem(token); !errors.Is(err, ErrExpired) {
		t.Fatalf("at its end: %v", err)
	}
	if _, err := s.Redeem(token); !errors.Is(err, ErrUnknown) {
		t.Fatalf("and again: %v", err)
	}
	if _, err := s.Issue(r, c.Now()); !errors.Is(err, ErrExpired) {
		t.Fatalf("issued with its time over: %v", err)
	}
	for n := range 100 {
		r.Visit = fmt.Sprint(n)
		if _, err := s.Issue(r, c.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	c.Add(time.Minute)
	r.Visit = "last"
	if _, err := s.Issue(r, c.Now().Add(time.Second)); err != nil || len(s.byVisit) != 1 || len(s.byToken) != 1 {
		t.Fatalf("%v; %d and %d are kept", err, len(s.byVisit), len(s.byToken))
	}
}
