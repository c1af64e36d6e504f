// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"doorstep/consent"
	"doorstep/tracking"
)

var alertCases = map[string]func(*testing.T, *house){
	"raised once, however often it is asked for": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		first := h.raise(p, "a1", tracking.Help)
		h.equal("version", first.Version, 1)
		h.equal("state", first.State, tracking.Raised)
		h.equal("due", first.DueAt.Equal(h.clock.now().Add(tracking.EscalateAfter)), true)
		again, merged, err := h.store.RaiseAlert(h.ctx, tracking.Alert{ID: "a1", Store: "shop", Visit: first.Visit, Kind: tracking.Help})
		h.ok(err)
		h.equal("same id merges", merged, true)
		if d := cmp.Diff(first, again); d != "" {
			h.Fatalf("the alerts differ:\n%s", d)
		}
		twin, merged, err := h.store.RaiseAlert(h.ctx, tracking.Alert{ID: "a2", Store: "shop", Visit: first.Visit, Kind: tracking.Help})
		h.ok(err)
		h.equal("same kind merges", fmt.Sprintf("%v %s", merged, twin.ID), "true a1")
		_, merged, err = h.store.RaiseAlert(h.ctx, tracking.Alert{ID: "a3", Store: "shop", Visit: first.Visit, Kind: tracking.Help, Topic: "shoes"})
		h.ok(err)
		h.equal("another topic does not", merged, false)
	},
	"no alert without a current visit": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		raise := func(visit string) error {
			_, _, err := h.store.RaiseAlert(h.ctx, tracking.Alert{ID: newID(), Store: "shop", Visit: visit, Kind: tracking.Help})
			return err
		}
		h.wants(raise(h.admit(p).Visit), tracking.ErrNoVisit)
		h.decide(p, "assist", consent.ForATerm)
		old := h.admit(p).Visit
		h.ok(raise(old))
		h.endVisit(p, false)
		h.wants(raise(old), tracking.ErrNoVisit)
		h.end(consent.EndRequest{Kind: consent.EndAll, Subject: p.subject})
		h.wants(raise(h.admit(p).Visit), tracking.ErrNoVisit)
	},
	"no alert under a grant that has run out": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		d := h.decide(p, "assist", consent.ThisVisit)
		visit := h.admit(p).Visit
		h.clock.pass(d.Grant.ExpiresAt.Sub(h.clock.now()))
		_, _, err := h.store.RaiseAlert(h.ctx, tracking.Alert{ID: newID(), Store: "shop", Visit: visit, Kind: tracking.Help})
		h.wants(err, tracking.ErrNoVisit)
	},
	"an id of somebody else's alert tells nothing": func(_ *testing.T, h *house) {
		ana, ben := h.phone("ana", "k1", "shop"), h.phone("ben", "k2", "shop")
		h.decide(ana, "assist", consent.ForATerm)
		h.decide(ben, "assist", consent.ForATerm)
		h.raise(ana, "a1", tracking.Help)
		_, _, err := h.store.RaiseAlert(h.ctx, tracking.Alert{ID: "a1", Store: "shop", Visit: h.admit(ben).Visit, Kind: tracking.Help})
		h.wants(err, tracking.ErrNoAlert)
	},
	"two claim at once, one wins": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.raise(p, "a1", tracking.Help)
		var won, held, failed counter
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				_, err := h.store.ChangeAlert(h.ctx, "shop", "a1", tracking.Change{
					Action: tracking.Claim, Expect: 1, Key: fmt.Sprint("key", i), By: tracking.Actor{Shift: fmt.Sprint("s", i), Tag: "Mei"}, Now: h.clock.now(),
				})
				switch {
				case err == nil:
					won.add()
				case errors.Is(err, tracking.ErrAlertHeld):
					held.add()
				default:
					failed.add()
				}
			})
		}
		all.Wait()
		h.equal("won, held, failed", [3]int{won.n, held.n, failed.n}, [3]int{1, 7, 0})
		h.equal("version", h.alert("shop", "a1").Version, 2)
	},
	"nobody has more alerts than they may, however many they claim at once": func(_ *testing.T, h *house) {
		mei := tracking.Actor{Shift: "s1", Tag: "Mei"}
		const asked = 6
		for i := range asked {
			p := h.phone(fmt.Sprint("shopper", i), fmt.Sprint("k", i), "shop")
			h.decide(p, "assist", consent.ForATerm)
			h.raise(p, fmt.Sprint("a", i), tracking.Help)
		}
		var won, refused counter
		var all sync.WaitGroup
		for i := range asked {
			all.Go(func() {
				_, err := h.store.ChangeAlert(h.ctx, "shop", fmt.Sprint("a", i), tracking.Change{Action: tracking.Claim, Expect: 1, By: mei, Now: h.clock.now()})
				switch {
				case err == nil:
					won.add()
				case errors.Is(err, tracking.ErrTooManyLooks):
					refused.add()
				}
			})
		}
		all.Wait()
		h.equal("claimed and refused", [2]int{won.n, refused.n}, [2]int{tracking.ClaimsMost, asked - tracking.ClaimsMost})
	},
	"two find an alert overdue, one escalates it": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		raised := h.raise(p, "a1", tracking.Help)
		h.equal("of this epoch", raised.Epoch, h.admit(p).Epoch)
		h.clock.pass(tracking.EscalateAfter)
		var won, late counter
		var all sync.WaitGroup
		due := must(h.store.AlertsDue(h.ctx, h.clock.now(), 10))(h) // before the first of them has escalated it
		for range 4 {
			all.Go(func() {
				c, _ := due[0].Due(h.clock.now())
				c.Expect = due[0].Version
				switch _, err := h.store.ChangeAlert(h.ctx, "shop", "a1", c); {
				case err == nil:
					won.add()
				case errors.Is(err, tracking.ErrAlertVersion):
					late.add()
				}
			})
		}
		all.Wait()
		h.equal("escalated, too late", [2]int{won.n, late.n}, [2]int{1, 3})
		h.equal("due next", h.alert("shop", "a1").DueAt.Equal(h.clock.now().Add(tracking.RequestOutlive)), true)
	},
	"off is over after its time, whatever is done to it": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.raise(p, "a1", tracking.Help)
		h.endVisit(p, true)
		until := h.clock.now().Add(tracking.RequestOutlive)
		mei := tracking.Actor{Shift: "s1", Tag: "Mei"}
		for h.clock.now().Before(until) {
			a := h.alert("shop", "a1")
			next := tracking.Change{Action: tracking.Claim, By: mei, Now: h.clock.now()}
			if a.State == tracking.Claimed {
				next.Action, next.Until = tracking.Snooze, h.clock.now().Add(time.Hour)
			}
			must(h.store.ChangeAlert(h.ctx, "shop", "a1", next))(h)
			h.clock.pass(3 * time.Minute)
		}
		due := must(h.store.AlertsDue(h.ctx, h.clock.now(), 10))(h)
		h.equal("due", len(due), 1)
		c, _ := due[0].Due(h.clock.now())
		h.equal("action", c.Action, tracking.Expire)
	},
	"a key repeated changes nothing and answers what is; a stale version does not pass": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.raise(p, "a1", tracking.Help)
		mei := tracking.Actor{Shift: "s1", Tag: "Mei"}
		claim := tracking.Change{Action: tracking.Claim, Expect: 1, Key: "k", By: mei, Now: h.clock.now()}
		first := must(h.store.ChangeAlert(h.ctx, "shop", "a1", claim))(h)
		h.same(first, must(h.store.ChangeAlert(h.ctx, "shop", "a1", claim))(h))
		release := tracking.Change{Action: tracking.Release, Expect: 2, Key: "l", By: mei, Now: h.clock.now()}
		released := must(h.store.ChangeAlert(h.ctx, "shop", "a1", release))(h)
		h.same(released, must(h.store.ChangeAlert(h.ctx, "shop", "a1", claim))(h))
		h.same(released, h.alert("shop", "a1"))
		claim.Key = "other"
		late, err := h.store.ChangeAlert(h.ctx, "shop", "a1", claim)
		h.wants(err, tracking.ErrAlertVersion)
		h.same(released, late)
		_, err = h.store.ChangeAlert(h.ctx, "other", "a1", claim)
		h.wants(err, tracking.ErrNoAlert)
	},
	"a key repeated after the visit's end learns only that it is over": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		_, _, err := h.store.RaiseAlert(h.ctx, tracking.Alert{
			ID: "a1", Store: "shop", Visit: h.admit(p).Visit, Kind: tracking.Help, Purpose: "assist", Topic: "shoes", Ref: "B1",
		})
		h.ok(err)
		claim := tracking.Change{Action: tracking.Claim, Expect: 1, Key: "k", By: tracking.Actor{Shift: "s1", Tag: "Mei"}, Now: h.clock.now()}
		must(h.store.ChangeAlert(h.ctx, "shop", "a1", claim))(h)
		h.endVisit(p, false)
		got, err := h.store.ChangeAlert(h.ctx, "shop", "a1", claim)
		h.wants(err, tracking.ErrAlertFinal)
		h.same(h.alert("shop", "a1"), got)
		h.equal("what is left of it", fmt.Sprint(got.State, got.Ref, got.Topic, got.HolderTag), string(tracking.Gone))
	},
	"of an alert's keys, only the one that ended it is answered after that": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.raise(p, "a1", tracking.Help)
		mei := tracking.Actor{Shift: "s1", Tag: "Mei"}
		claim := tracking.Change{Action: tracking.Claim, Expect: 1, Key: "k", By: mei, Now: h.clock.now()}
		must(h.store.ChangeAlert(h.ctx, "shop", "a1", claim))(h)
		resolve := tracking.Change{Action: tracking.Resolve, Expect: 2, Key: "l", By: mei, Now: h.clock.now()}
		resolved := must(h.store.ChangeAlert(h.ctx, "shop", "a1", resolve))(h)
		h.endVisit(p, false)
		h.same(resolved, must(h.store.ChangeAlert(h.ctx, "shop", "a1", resolve))(h))
		got, err := h.store.ChangeAlert(h.ctx, "shop", "a1", claim)
		h.wants(err, tracking.ErrAlertFinal)
		h.same(resolved, got)
	},
	"alerts end with their visit, in its transaction": func(_ *testing.T, h *house) {
		p, ben := h.phone("ana", "k1", "shop"), h.phone("ben", "k2", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.decide(ben, "assist", consent.ForATerm)
		h.raise(p, "a1", tracking.Help)
		h.raise(p, "a2", tracking.Arrived)
		h.raise(ben, "b1", tracking.Help)
		visit := h.admit(p).Visit
		e := h.endVisit(p, false)
		h.equal("with it", slices.Equal(e.Ends[0].Alerts, []string{"a1", "a2"}), true)
		for _, id := range []string{"a1", "a2"} {
			a := h.alert("shop", id)
			h.equal("state and reason", fmt.Sprint(a.State, " ", a.Reason), "gone left_store")
		}
		h.equal("somebody else's", h.alert("shop", "b1").State, tracking.Raised)
		tail := h.feed(e.Ends[0].Change - 1)
		h.equal("entries", len(tail), 3)
		h.equal("the end first", tail[0].Kind, consent.EntryEnd)
		h.equal("of this visit", tail[0].End.Visit, visit)
		h.equal("then its alerts", tail[1].Alert+tail[2].Alert, "a1a2")
		h.equal("the ending's change is the last of them", e.Change, tail[2].Change)
	},
	"a request outlives silence, and nothing more": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ThisVisit)
		h.raise(p, "a1", tracking.Help)
		h.raise(p, "a2", tracking.Arrived)
		e := h.endVisit(p, true)
		h.equal("with it", slices.Equal(e.Ends[0].Alerts, []string{"a2"}), true)
		a := h.alert("shop", "a1")
		h.equal("off, open", fmt.Sprint(a.Off, a.Final()), "true false")
		h.endVisit(p, true)
		h.equal("unchanged by a second silence", h.alert("shop", "a1").Version, a.Version)
		h.clock.pass(11 * time.Minute)
		for _, due := range must(h.ledger.Due(h.ctx, h.clock.now(), 10))(h) {
			h.end(due)
		}
		h.equal("after the grant ran out", h.alert("shop", "a1").Final(), false)
		h.end(consent.EndRequest{Kind: consent.EndAll, Subject: p.subject})
		h.equal("after the withdrawal", h.alert("shop", "a1").State, tracking.Gone)
	},
	"a withdrawal keeps no request, whatever it says": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.raise(p, "a1", tracking.Help)
		h.end(consent.EndRequest{Kind: consent.EndStore, Scope: p.scope(), KeepRequest: true})
		h.equal("state", h.alert("shop", "a1").State, tracking.Gone)
	},
	"the end of another purpose leaves a request of an earlier visit alone": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.decide(p, "pickup", consent.ForATerm)
		h.raise(p, "a1", tracking.Help)
		h.endVisit(p, true)
		h.end(consent.EndRequest{Kind: consent.EndGrant, Scope: p.scope(), Purpose: "pickup"})
		h.equal("final", h.alert("shop", "a1").Final(), false)
		h.end(consent.EndRequest{Kind: consent.EndGrant, Scope: p.scope(), Purpose: "assist"})
		h.equal("final with its own", h.alert("shop", "a1").Final(), true)
	},
	"a request goes when its shopper leaves": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.raise(p, "a1", tracking.Help)
		h.endVisit(p, true)
		h.equal("open after silence", h.alert("shop", "a1").Final(), false)
		h.endVisit(p, false)
		h.equal("gone after leaving", h.alert("shop", "a1").State, tracking.Gone)
	},
	"what changed since is listed, over or not, as far back as the feed goes": func(_ *testing.T, h *house) {
		p, ben, far := h.visitor("ana", "shop"), h.visitor("ben", "shop"), h.visitor("eve", "other")
		h.raise(p, "a1", tracking.Help)
		h.raise(ben, "b1", tracking.Help)
		_, seen, err := h.store.Alerts(h.ctx, "shop")
		h.ok(err)
		h.raise(far, "o1", tracking.Help)
		h.change("a1", tracking.Claim)
		h.endVisit(p, false)
		since := func(n int64) (ids []string) {
			list, asOf, err := h.store.AlertsSince(h.ctx, "shop", n)
			h.ok(err)
			h.equal("as of", asOf, h.admit(p).Change)
			for _, a := range list {
				ids = append(ids, a.ID+" "+string(a.State))
			}
			return ids
		}
		h.equals("since", since(seen), "a1 gone", "a1 gone")
		h.equals("since now", since(h.admit(p).Change))
		epoch := must(h.store.AlertEpoch(h.ctx))(h)
		h.equal("the same epoch", must(h.store.AlertEpoch(h.ctx))(h) == epoch && epoch != "", true)
		for _, n := range []int64{0, h.admit(p).Change + 1} {
			_, _, err := h.store.AlertsSince(h.ctx, "shop", n)
			h.wants(err, consent.ErrBehind)
		}
		h.clock.pass(consent.FeedLife + time.Second)
		h.ok(h.ledger.Prune(h.ctx))
		_, _, err = h.store.AlertsSince(h.ctx, "shop", seen)
		h.wants(err, consent.ErrBehind)
	},
	"what time does is listed when it is due": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.raise(p, "a1", tracking.Help)
		h.clock.pass(tracking.EscalateAfter - time.Millisecond)
		h.equal("early", len(must(h.store.AlertsDue(h.ctx, h.clock.now(), 10))(h)), 0)
		h.clock.pass(time.Millisecond)
		due := must(h.store.AlertsDue(h.ctx, h.clock.now(), 10))(h)
		h.equal("due", len(due), 1)
		c, ok := due[0].Due(h.clock.now())
		h.equal("action", fmt.Sprintf("%v %s", ok, c.Action), "true escalate")
		must(h.store.ChangeAlert(h.ctx, "shop", "a1", c))(h)
		h.equal("then", len(must(h.store.AlertsDue(h.ctx, h.clock.now(), 10))(h)), 0)
	},
	"a final alert is listed for a minute and forgotten after a day": func(_ *testing.T, h *house) {
		p := h.phone("ana", "k1", "shop")
		h.decide(p, "assist", consent.ForATerm)
		h.raise(p, "a1", tracking.Help)
		h.endVisit(p, false)
		h.equal("just ended", h.alert("shop", "a1").State, tracking.Gone)
		h.clock.pass(time.Minute)
		list, change, err := h.store.Alerts(h.ctx, "shop")
		h.ok(err)
		h.equal("listed", len(list), 0)
		h.equal("as of", change, h.admit(p).Change)
		h.clock.pass(consent.AlertLife)
		h.ok(h.ledger.Prune(h.ctx))
		_, err = h.store.ChangeAlert(h.ctx, "shop", "a1", tracking.Change{Action: tracking.Claim, Now: h.clock.now()})
		h.wants(err, tracking.ErrNoAlert)
	},
}
