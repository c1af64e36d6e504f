// SPDX-License-Identifier: Apache-2.0

package livetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"doorstep/tracking"
)

// op is one call about one visit, and got is what came of it.
type op struct {
	what  string // register, write, read, purge
	visit string
	owner string
	seq   int64
}

// got is what a call answered: a result of a write, a fenced registration, what was read.
type got struct {
	result tracking.WriteResult
	fenced bool
	read   string
}

// visitState is all that matters of one visit: the rules of DESIGN.md, once more and without a clock.
type visitState struct {
	there, over bool
	owner       string
	seq         int64
	payload     string
}

// oneVisit is what one visit does if everything happens in an instant between call and return.
var oneVisit = porcupine.Model{
	Partition: func(history []porcupine.Operation) (visits [][]porcupine.Operation) {
		at := make(map[string]int)
		for _, o := range history {
			v := o.Input.(op).visit
			if _, known := at[v]; !known {
				at[v] = len(visits)
				visits = append(visits, nil)
			}
			visits[at[v]] = append(visits[at[v]], o)
		}
		return visits
	},
	Init: func() any { return visitState{} },
	Step: func(state, input, output any) (bool, any) {
		s, answer := state.(visitState).after(input.(op))
		return answer == output.(got), s
	},
}

// after is the next state, and what must be answered.
func (s visitState) after(o op) (visitState, got) {
	switch {
	case o.what == "purge":
		return visitState{over: true}, got{}
	case o.what == "read":
		return s, got{read: s.payload}
	case o.what == "register" && s.over:
		return s, got{fenced: true}
	case o.what == "register":
		return visitState{there: true, owner: o.owner}, got{}
	case s.over:
		return s, got{result: tracking.Fenced}
	case !s.there:
		return s, got{result: tracking.Missing}
	case s.owner != o.owner:
		return s, got{result: tracking.NotOwner}
	case o.seq <= s.seq:
		return s, got{result: tracking.OutOfOrder}
	}
	s.seq, s.payload = o.seq, payloadOf(o)
	return s, got{}
}

func payloadOf(o op) string { return fmt.Sprint(o.owner, o.seq) }

// do calls the live state.
func (o op) do(t *testing.T, l tracking.Live) (g got, err error) {
	switch o.what {
	case "purge":
		return g, l.Purge(t.Context(), store, []string{o.visit})
	case "read":
		m, err := l.Read(t.Context(), store, []string{o.visit})
		return got{read: string(m[o.visit])}, err
	case "register":
		err = l.Register(t.Context(), slot(o.visit), o.owner, 0, life)
		if g.fenced = errors.Is(err, tracking.ErrFenced); g.fenced {
			err = nil
		}
		return g, err
	}
	r, err := l.Write(t.Context(), []tracking.LiveWrite{item(o.visit, o.owner, o.seq, payloadOf(o))})
	if err == nil {
		g.result = r[0]
	}
	return g, err
}

// testLinearizable has purges beside registrations, writes and reads of the same visits, by several callers at once:
// each must have happened in one instant between its call and its return.
func testLinearizable(t *testing.T, f Fixture) {
	const callers, calls, visits = 6, 120, 12
	start := time.Now()
	histories := make([][]porcupine.Operation, callers)
	var all sync.WaitGroup
	for c := range callers {
		r := rand.New(rand.NewPCG(uint64(c), uint64(start.UnixNano())))
		all.Go(func() {
			for i := range calls {
				o := op{visit: fmt.Sprint("v", i*visits/calls), owner: fmt.Sprint("o", r.IntN(2)), seq: int64(1 + i%(calls/visits))}
				switch n := r.IntN(20); { // a visit's ten calls of each caller: at the end, it is most likely over
				case n < 2:
					o.what = "register"
				case n < 13:
					o.what = "write"
				case n < 19:
					o.what = "read"
				default:
					o.what = "purge"
				}
				call := time.Since(start)
				g, err := o.do(t, f.Live)
				if err != nil {
					t.Errorf("%s: %v", o.what, err)
					return
				}
				histories[c] = append(histories[c], porcupine.Operation{
					ClientId: c, Input: o, Output: g, Call: int64(call), Return: int64(time.Since(start))})
			}
		})
	}
	all.Wait()
	var history []porcupine.Operation
	seen := make(map[tracking.WriteResult]int)
	for _, h := range histories {
		history = append(history, h...)
		for _, o := range h {
			if o.Input.(op).what == "write" {
				seen[o.Output.(got).result]++
			}
		}
	}
	if seen[tracking.Written] == 0 || seen[tracking.Fenced] == 0 {
		t.Errorf("writes had these results: %v; nothing was tried", seen)
	}
	if !porcupine.CheckOperations(oneVisit, history) {
		t.Error("the history is not linearizable")
	}
}
