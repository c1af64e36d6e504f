// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"doorstep/mobile-sdk-spec/go/client"
)

// raise has 200 shoppers call for help; 50 of the calls are claimed and looked at.
func (r *run) raise(ctx context.Context, rep *Report) error {
	defer r.keepAlive(ctx)()
	callers := r.phones[:min(alertsOpen, len(r.phones))]
	ids := make([]string, 0, len(callers))
	for i, p := range callers {
		id, err := p.call()
		if err != nil {
			return err
		}
		if err := r.board.await(ctx, id, listed); err != nil {
			return err
		}
		ids = append(ids, id)
		rep.Alerts++
		desk := r.deskFor(i, p.store)
		shown := i < claimed && desk != nil
		if shown {
			if err := desk.claim(ctx, id); err != nil {
				return err
			}
			rep.Claimed++
		}
		p.mu.Lock()
		p.shown, p.leaves = shown, r.leaver(i)
		p.mu.Unlock()
	}
	for _, id := range ids {
		if err := r.board.await(ctx, id, visible); err != nil {
			return err
		}
	}
	r.say("%d alerts, %d of them claimed; %d consoles", rep.Alerts, rep.Claimed, rep.Consoles)
	return nil
}

// deskFor is the console that claims the i-th call: one of its store that has a hand free.
func (r *run) deskFor(i int, store string) *console {
	own := slices.DeleteFunc(slices.Clone(r.consoles), func(c *console) bool { return c.store != store })
	if nth := i / len(r.Stores) / claimsEach; nth < len(own) {
		return own[nth]
	}
	return nil
}

// usage is what the measured processes have used at one moment, and done.
type usage struct {
	server, redis time.Duration
	counts        Counts
}

func (r *run) usage() (u usage, err error) {
	for _, s := range r.Servers {
		var c Counts
		if err = s.Ask("counts", nil, &c); err != nil {
			return u, err
		}
		u.counts = u.counts.and(c)
		used, err := cpuOf(s.PID())
		if err != nil {
			return u, err
		}
		u.server += used
	}
	u.redis, err = cpuOf(r.RedisPID)
	return u, err
}

// takeTurns measures the server and the echo one after the other, five times.
func (r *run) takeTurns(ctx context.Context, rep *Report) error {
	each := r.For / turns
	for n := range turns {
		if n == 0 {
			if err := r.profile("cpu", "turn.cpu"); err != nil {
				return err
			}
		}
		ours, err := r.ourTurn(ctx, each)
		if n == 0 {
			err = errors.Join(err, r.profile("done", ""))
		}
		if err != nil {
			return err
		}
		stop := r.keepAlive(ctx)
		echo, err := r.echoTurn(each)
		stop()
		if err != nil {
			return err
		}
		ours.EchoUS, ours.Ratio = echo, ours.ServerUS/echo
		ours.RatioWithRedis = (ours.ServerUS + ours.RedisUS) / echo
		rep.Turns = append(rep.Turns, ours)
		r.say("turn %d of %d: %.0f positions/s; server %.1f µs a position, Redis %.2f, echo %.1f: %.2f × echo", n+1, turns,
			ours.PositionsPerS, ours.ServerUS, ours.RedisUS, ours.EchoUS, ours.Ratio)
	}
	r.settleDown(ctx)
	r.compare()
	return ctx.Err()
}

// ourTurn is one of the server's. Every fix is answered for before the account is read.
func (r *run) ourTurn(ctx context.Context, d time.Duration) (t Turn, err error) {
	due, shown := r.shownFixes(), r.dots.Load()
	before, err := r.usage()
	if err != nil {
		return t, err
	}
	start := time.Now()
	r.turn.Store(true)
	r.loaded.Store(true)
	comeIn := min(d/2, time.Duration(comesIn/r.Hz*float64(time.Second))) // who stepped out is in again by then
	t.Sent = pace(ctx, r.phones, r.Hz, d-comeIn)
	r.loaded.Store(false)
	t.Sent += pace(ctx, r.phones, r.Hz, comeIn)
	r.turn.Store(false)
	took := time.Since(start)
	time.Sleep(drained)
	after, err := r.usage()
	if err != nil {
		return t, err
	}
	accepted := after.counts.Accepted - before.counts.Accepted
	per := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(accepted) }
	t.PositionsPerS = float64(accepted) / took.Seconds()
	t.ServerUS, t.RedisUS = per(after.server-before.server), per(after.redis-before.redis)
	if batches := after.counts.Batches - before.counts.Batches; batches > 0 {
		t.Batch = float64(after.counts.Written-before.counts.Written) / float64(batches)
	}
	due = r.shownFixes() - due
	for end := time.Now().Add(time.Second); r.dots.Load()-shown < due && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	if t.Dots = r.dots.Load() - shown; t.Dots < due {
		r.problem(fmt.Sprintf("%d of %d positions were not shown to who looked", due-t.Dots, due))
	}
	return t, nil
}

// drained is how long the last fixes may take to be done with, as far as the server's processor is concerned.
const drained = 200 * time.Millisecond

// shownFixes is how many fixes somebody was to see, since the beginning.
func (r *run) shownFixes() (n int64) {
	for _, p := range r.phones {
		p.mu.Lock()
		if p.shown {
			n += p.seq
		}
		p.mu.Unlock()
	}
	return n
}

func (r *run) echoTurn(d time.Duration) (us float64, err error) {
	before, err := cpuOf(r.Echo.PID())
	if err != nil {
		return 0, err
	}
	var p paced
	if err := r.EchoLoad.Ask("pace", toPace{r.Hz, d.Seconds()}, &p); err != nil {
		return 0, err
	}
	after, err := cpuOf(r.Echo.PID())
	if p.Sent != p.Back {
		return 0, fmt.Errorf("the echo lost %d of %d frames: the machine cannot carry this load", p.Sent-p.Back, p.Sent)
	}
	return float64((after - before).Microseconds()) / float64(p.Back), err
}

// withdrawMany has shoppers who called for help change their minds, while everybody else goes on.
func (r *run) withdrawMany(ctx context.Context, rep *Report) error {
	leaving := r.phones[min(alertsOpen, len(r.phones)):]
	leaving = leaving[:min(withdrawals, len(leaving)/3)]
	loaded, stop := context.WithCancel(ctx)
	var load, all sync.WaitGroup
	load.Go(func() { pace(loaded, r.phones, r.Hz, time.Hour) })
	tick := time.NewTicker(time.Second / withdrawHz)
	defer tick.Stop()
	said := time.Now()
	for n, p := range leaving {
		select {
		case <-ctx.Done():
		case <-tick.C:
			all.Go(func() { r.withdraw(ctx, p) })
		}
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			r.say("%d of %d withdrawn under load", n, len(leaving))
		}
	}
	all.Wait()
	stop()
	load.Wait()
	r.settleDown(ctx)
	rep.Withdrawn = len(leaving)
	return errors.Join(ctx.Err(), r.readPurges())
}

// readPurges asks the servers, who alone see Redis confirm, how long it was until each withdrawn shopper was purged.
func (r *run) readPurges() error {
	for _, s := range r.Servers {
		var took []time.Duration
		if err := s.Ask("purges", nil, &took); err != nil {
			return err
		}
		for _, d := range took {
			r.toPurged.took(d)
		}
	}
	if purged, answered := r.toPurged.span().N, r.toAnswer.span().N; purged != answered {
		r.problem(fmt.Sprintf("%d withdrawals were answered, %d purged", answered, purged))
	}
	return nil
}

// withdraw is one call for help, taken back together with the consent as soon as staff have it.
func (r *run) withdraw(ctx context.Context, p *phone) {
	id, err := p.call()
	if err == nil {
		err = r.board.await(ctx, id, listed)
	}
	if err != nil {
		r.problem("a call before a withdrawal: " + err.Error())
		return
	}
	gone := r.board.leaving(id)
	p.leave()
	begin := time.Now()
	_, err = p.app.Withdraw(ctx, client.Withdrawal{Scope: "store", Store: p.store})
	if err != nil {
		r.lose("a withdrawal was not answered: " + err.Error())
		return
	}
	r.toAnswer.took(time.Since(begin))
	r.board.answer(id, r)
	select {
	case <-gone:
	case <-time.After(settle):
		r.lose("a withdrawn shopper was not gone from every console")
	}
}
