// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"doorstep/cmd/doorstep/crowd"
	"doorstep/geofence"
)

// Report is what was measured; the last line of `doorstep bench --json`. Figures of turns are their medians. Times are in
// milliseconds, with how often they were measured.
type Report struct {
	Sessions int     `json:"sessions"`
	Hz       float64 `json:"hz"`
	Stores   int     `json:"stores"`
	Nodes    int     `json:"nodes"`
	Consoles int     `json:"consoles"`
	Alerts   int     `json:"alerts"`
	Claimed  int     `json:"claimed"`

	PositionsPerS  float64 `json:"positions_per_s"`
	ServerUS       float64 `json:"server_us_per_position"`
	EchoUS         float64 `json:"echo_us_per_position"`
	Ratio          float64 `json:"cpu_ratio_to_echo"`
	RatioWithRedis float64 `json:"cpu_ratio_with_redis_to_echo"`
	RedisUS        float64 `json:"redis_us_per_position"`
	Batch          float64 `json:"redis_batch"`
	Turns          []Turn  `json:"turns"`

	KBPerIdleSession float64 `json:"kb_per_idle_session"`
	KBHeap           float64 `json:"kb_objects_per_idle_session"`
	KBStacks         float64 `json:"kb_stacks_per_idle_session"`
	EchoKB           float64 `json:"echo_kb_per_idle_socket"`
	MemoryRatio      float64 `json:"memory_ratio_to_echo"`

	FixToConsole     crowd.Span `json:"fix_to_console_ms"`
	ExitToSuspended  crowd.Span `json:"exit_to_suspended_ms"`
	ExitToHidden     crowd.Span `json:"exit_to_hidden_ms"` // the last console of the store
	WithdrawToGone   crowd.Span `json:"withdraw_to_gone_ms"`
	WithdrawToPurged crowd.Span `json:"withdraw_to_purged_ms"` // as the servers have it: from its arrival there
	WithdrawToAnswer crowd.Span `json:"withdraw_to_answer_ms"`
	Withdrawn        int        `json:"withdrawn"`

	GrantsPerS   float64    `json:"grants_per_s"`
	OpensPerS    float64    `json:"opens_per_s"`
	Storm        int        `json:"storm"`
	StormSeconds float64    `json:"storm_seconds"`
	StormWelcome crowd.Span `json:"storm_to_welcome_ms"`

	Refused  map[geofence.Refusal]int64 `json:"refused"` // all of them as the reference has it, or there is a problem
	Problems map[string]int             `json:"problems"`
	Lost     int                        `json:"lost"`
}

// Turn is one turn of the server beside one of the echo.
type Turn struct {
	Sent           int64   `json:"sent"`
	PositionsPerS  float64 `json:"positions_per_s"`
	ServerUS       float64 `json:"server_us_per_position"`
	RedisUS        float64 `json:"redis_us_per_position"`
	Batch          float64 `json:"redis_batch"`
	EchoUS         float64 `json:"echo_us_per_position"`
	Ratio          float64 `json:"cpu_ratio_to_echo"`
	RatioWithRedis float64 `json:"cpu_ratio_with_redis_to_echo"`
	Dots           int64   `json:"positions_shown"`
}

// compare holds what the server said of every phone's fixes to the reference. Nothing may be on its way.
func (r *run) compare() {
	for _, p := range r.phones {
		p.mu.Lock()
		missing, said, ref := p.seq-p.heard.seq, p.heard, p.ref
		differs := !p.left && (said.accepted != ref.last || !same(said.refused, ref.refused))
		gone := p.left
		p.mu.Unlock()
		switch {
		case gone:
		case missing > 0:
			for range missing {
				r.lose("a fix that nothing was said of")
			}
		case differs:
			r.problem(fmt.Sprintf("the server and the reference differ: refused %v, it must be %v; the last position is the %d. fix, it must be the %d.",
				said.refused, ref.refused, said.accepted, ref.last))
		}
	}
}

func same(a, b map[geofence.Refusal]int64) bool {
	for why, n := range a {
		if b[why] != n {
			return false
		}
	}
	return len(a) == len(b)
}

// finish draws up the report.
func (r *run) finish(rep *Report) {
	r.compare()
	median := func(of func(Turn) float64) float64 {
		all := make([]float64, len(rep.Turns))
		for i, t := range rep.Turns {
			all[i] = of(t)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	rep.PositionsPerS = median(func(t Turn) float64 { return t.PositionsPerS })
	rep.ServerUS = median(func(t Turn) float64 { return t.ServerUS })
	rep.RedisUS = median(func(t Turn) float64 { return t.RedisUS })
	rep.EchoUS = median(func(t Turn) float64 { return t.EchoUS })
	rep.Ratio = median(func(t Turn) float64 { return t.Ratio })
	rep.RatioWithRedis = median(func(t Turn) float64 { return t.RatioWithRedis })
	rep.Batch = median(func(t Turn) float64 { return t.Batch })
	rep.FixToConsole, rep.ExitToSuspended, rep.ExitToHidden = r.toConsole.span(), r.toSuspended.span(), r.toHidden.span()
	rep.WithdrawToGone, rep.WithdrawToPurged, rep.WithdrawToAnswer = r.toGone.span(), r.toPurged.span(), r.toAnswer.span()
	rep.StormWelcome = r.toWelcome.span()
	rep.Refused = make(map[geofence.Refusal]int64)
	for _, p := range r.phones {
		for why, n := range p.heard.refused {
			rep.Refused[why] += n
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rep.Problems, rep.Lost = r.problems, r.lost
}

// Verdict is an error if something was lost, or was not as the reference has it. No figure is held to a clock: they are
// for people to judge, beside what is aimed for.
func (rep Report) Verdict() error {
	switch {
	case rep.Lost > 0:
		return fmt.Errorf("%d lost: %v", rep.Lost, rep.Problems)
	case len(rep.Problems) > 0:
		return fmt.Errorf("not as it must be: %v", rep.Problems)
	case rep.Withdrawn == 0 || rep.FixToConsole.N == 0:
		return errors.New("too few sessions for the figures: take 1,000 or more")
	}
	return nil
}

// Print writes the report for people.
func (rep Report) Print(w io.Writer) {
	line := func(what, figure, aim string) { fmt.Fprintf(w, "%-44s %22s   %s\n", what, figure, aim) }
	span := func(s crowd.Span) string { return fmt.Sprintf("%.1f / %.1f (%d)", s.P50, s.P99, s.N) }
	lo, hi := rep.spread()
	line("", "measured", "aim")
	line("positions a second", fmt.Sprintf("%.0f", rep.PositionsPerS), "15,000 on two cores")
	line("server, µs of processor a position", fmt.Sprintf("%.1f", rep.ServerUS), "")
	line("echo, µs of processor a frame", fmt.Sprintf("%.1f", rep.EchoUS), "")
	line("  server to echo", fmt.Sprintf("%.2f (%.2f to %.2f)", rep.Ratio, lo, hi), "0.8 or less")
	line("  server and Redis to echo", fmt.Sprintf("%.2f", rep.RatioWithRedis), "")
	line("Redis, µs of processor a position", fmt.Sprintf("%.2f", rep.RedisUS), "3 or less")
	line("positions a batch", fmt.Sprintf("%.0f", rep.Batch), "")
	line("idle session, kB", fmt.Sprintf("%.1f", rep.KBPerIdleSession), "")
	line("idle socket of the echo, kB", fmt.Sprintf("%.1f", rep.EchoKB), "")
	line("  session to socket", fmt.Sprintf("%.2f", rep.MemoryRatio), "0.55 or less")
	line("fix → console, ms p50 / p99 (n)", span(rep.FixToConsole), "")
	line("first fix outside → app says suspended", span(rep.ExitToSuspended), "")
	line("first fix outside → hidden on every console", span(rep.ExitToHidden), "p99 50 or less")
	line("withdrawal → gone from every console", span(rep.WithdrawToGone), "")
	line("withdrawal → purged from Redis", span(rep.WithdrawToPurged), "")
	line("withdrawal → answered", span(rep.WithdrawToAnswer), "p99 100 or less")
	line("cut off and back", fmt.Sprintf("%d in %.1f s", rep.Storm, rep.StormSeconds), "10,000 in 20 s")
	line("  socket → welcome", span(rep.StormWelcome), "p99 2,000 or less")
	line("lost", fmt.Sprint(rep.Lost), "0")
	fmt.Fprintf(w, "%d sessions at %g Hz on %d nodes, %d stores, %d consoles, %d alerts, %d claimed; refused %v, each as the reference has it\n",
		rep.Sessions, rep.Hz, rep.Nodes, rep.Stores, rep.Consoles, rep.Alerts, rep.Claimed, rep.Refused)
}

// spread is the least and the greatest ratio of a turn.
func (rep Report) spread() (lo, hi float64) {
	for i, t := range rep.Turns {
		if i == 0 || t.Ratio < lo {
			lo = t.Ratio
		}
		hi = max(hi, t.Ratio)
	}
	return lo, hi
}
