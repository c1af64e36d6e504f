// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"
)

// play is a scenario under way: what the SDK has done in it, and what the server's part does.
type play struct {
	suite *Suite
	sc    Scenario

	mu      sync.Mutex // owns the rest
	events  []event
	stirred chan struct{} // closed and replaced when an event comes
	next    int           // the first event that no Expect has taken
	vars    map[string]any
	refuse  []refusal
	welcome map[string]any // in place of the usual members
	turns   map[string]bool
	fence   string    // the version that fixes are judged by
	fetched time.Time // when the new map was fetched, until map_ok
	fetches int       // of the new map, that were answered
	placed  []Command
	sock    *socket
	resumed bool // it came back to the session
	session
	proofs  map[string]bool
	tickets map[string]bool // and resume tokens; false once used
	served  map[string]any  // the prompt
	issued  int
	found   []Verdict
	stop    bool // the story cannot go on
	over    bool // it was told as far as it could be
}

// session is what is remembered across the connections of one session.
type session struct {
	seq      int64
	slow     pace
	accepted int
	outs     int // in a row
	state    string
	acks     acks
}

// event is something that the SDK did. Its members are those of a body or a frame.
type event struct {
	at   time.Time
	name string // such as "POST /v1/tickets", "open ticket", "frame fix", "closed"
	body map[string]any
}

// Verdict is one judgement.
type Verdict struct {
	Rule     string `json:"rule"`
	Scenario string `json:"scenario"`
	OK       bool   `json:"ok"`
	Due      string `json:"due"`
	Seen     string `json:"seen"`
}

func newPlay(s *Suite, sc Scenario) *play {
	return &play{suite: s, sc: sc, stirred: make(chan struct{}), vars: map[string]any{}, welcome: map[string]any{}, turns: map[string]bool{},
		fence: firstFence, proofs: map[string]bool{}, tickets: map[string]bool{}}
}

// run plays the story to its end, or to the first thing that was due and did not come.
func (p *play) run(h *hands) {
	for _, s := range p.sc.Steps {
		if !p.step(h, s) || p.stopped() {
			break
		}
	}
	p.endSocket()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
}

// verdicts are those found so far, and whether there will be no more.
func (p *play) verdicts() ([]Verdict, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.found), p.over
}

// brokenRule is the rule that was found broken, which ends a story; "" if none was.
func (p *play) brokenRule() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.IndexFunc(p.found, func(v Verdict) bool { return !v.OK }); i >= 0 {
		return p.found[i].Rule
	}
	return ""
}

func (p *play) stopped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stop
}

// step does one, and reports whether the story can go on.
func (p *play) step(h *hands, s Step) bool {
	switch {
	case s.Do != "":
		return p.order(h, s)
	case s.Expect != "":
		return p.expect(s)
	case s.Never != "":
		return p.never(s)
	case s.Shows != "" || s.Located != nil:
		return p.shows(h, s)
	case len(s.Follows) > 0:
		return p.follows(h, s)
	case s.Say != nil:
		p.withSocket(func(k *socket) { k.say(p.filled(s.Say)) })
	case s.Close != 0:
		p.withSocket(func(k *socket) { k.close(s.Close) })
	case s.Cut:
		p.withSocket((*socket).cut)
	case s.Refuse != nil:
		p.mu.Lock()
		defer p.mu.Unlock()
		for range max(1, s.Refuse.Times) {
			p.refuse = append(p.refuse, *s.Refuse)
		}
	case s.Welcome != nil:
		p.mu.Lock()
		defer p.mu.Unlock()
		_ = json.Unmarshal(s.Welcome, &p.welcome)
	case s.Server != "":
		p.turn(s.Server)
	case s.For != 0:
		time.Sleep(time.Duration(s.For) * time.Millisecond)
	}
	return true
}

// turn changes what the server's part does: offline, mute (no beat, no welcome), deaf (no answer to what is not a hello), blank (no
// subprotocol), moved (the store has its second map), brief (tokens that soon run out), signed-out (no tokens), reticent (no prompt is in
// place but for who opens the notice); usual is the end of all of that.
func (p *play) turn(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if what == "usual" {
		clear(p.turns)
		return
	}
	p.turns[what] = true
	if what == "offline" && p.sock != nil {
		p.sock.cut()
	}
}

func (p *play) is(turned string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.turns[turned]
}

func (p *play) order(h *hands, s Step) bool {
	c := s.Command
	if s.Do == "place" || s.Do == "read" {
		c = at(c)
		p.mu.Lock()
		p.placed = append(p.placed, c)
		p.mu.Unlock()
	}
	if s.Do == "install" {
		c.Store, c.Purpose = store, purpose
	}
	said, err := h.give(s.Do, c)
	if err == nil && said.Error != "" && !s.MayFail {
		err = fmt.Errorf("the SDK said at %q: %s", s.Do, said.Error)
	}
	if err != nil {
		p.judge(orElse(s.Rule, Carried), false, orElse(s.Due, "the order is carried out"), err.Error())
	}
	return err == nil
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// add takes an event down.
func (p *play) add(name string, body map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, event{p.suite.now(), name, body})
	p.stir()
}

// named compares an event's name with one that may end in a star.
func named(e event, name string) bool {
	stem, open := strings.CutSuffix(name, "*")
	return e.name == name || open && strings.HasPrefix(e.name, stem)
}

// find is the first event of a name that has the members, from an index on, or -1. It needs mu.
func (p *play) find(from int, s Step, name string) int {
	for i := from; i < len(p.events); i++ {
		if e := p.events[i]; named(e, name) && p.fits(e.body, s) {
			return i
		}
	}
	return -1
}

// fits compares members. A variable that has no value yet takes the one that is there.
func (p *play) fits(body map[string]any, s Step) bool {
	with, _ := s.With.(map[string]any)
	taken := map[string]any{}
	for k, want := range with {
		got, there := body[k]
		if name, ok := want.(string); ok && strings.HasPrefix(name, "$") {
			known, is := p.vars[name]
			if !is && there {
				taken[name] = got
				continue
			}
			want = known
		}
		if !there || !reflect.DeepEqual(got, want) {
			return false
		}
	}
	not, _ := s.Not.(map[string]any)
	for k, bad := range not {
		if name, ok := bad.(string); ok && strings.HasPrefix(name, "$") {
			bad = p.vars[name]
		}
		if got, there := body[k]; there && (bad == "*" || reflect.DeepEqual(got, bad)) {
			return false
		}
	}
	maps.Copy(p.vars, taken)
	return true
}

const within = 6 * time.Second

// expect waits for an event, and judges.
func (p *play) expect(s Step) bool {
	began := p.suite.now()
	limit := time.NewTimer(orFor(s.Within, within))
	defer limit.Stop()
	if s.Later {
		p.mu.Lock()
		p.next = len(p.events)
		p.mu.Unlock()
	}
	for {
		p.mu.Lock()
		i, stirred := p.find(p.next, s, s.Expect), p.stirred
		var early time.Duration
		if i >= 0 {
			if !s.Stay {
				p.next = i + 1
			}
			early = time.Duration(s.Since)*time.Millisecond - p.events[i].at.Sub(began)
		}
		seen, over := p.since(began), p.stop
		p.mu.Unlock()
		if over {
			return false
		}
		if i >= 0 {
			if s.Since > 0 && early > 0 {
				p.judge(s.Rule, false, s.Due, fmt.Sprintf("%s came %v too soon", s.Expect, early.Round(time.Millisecond)))
				return false
			}
			p.judge(s.Rule, true, s.Due, s.Expect)
			return true
		}
		select {
		case <-stirred:
		case <-limit.C:
			p.judge(s.Rule, false, s.Due, "no such "+s.Expect+"; instead: "+seen)
			return false
		}
	}
}

// since lists what happened, shortly. It needs mu.
func (p *play) since(t time.Time) string {
	var names []string
	for _, e := range p.events {
		if e.at.Before(t) {
			continue
		}
		if n := len(names); n > 0 && strings.TrimSuffix(names[n-1], " …") == e.name {
			names[n-1] = e.name + " …"
			continue
		}
		names = append(names, e.name)
	}
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

func orFor(ms int64, usual time.Duration) time.Duration {
	if ms == 0 {
		return usual
	}
	return time.Duration(ms) * time.Millisecond
}

// grace is for what a client on a busy machine had begun before it heard what it is to heed from now on.
const grace = 2 * time.Second

// never waits, and judges that an event has not come since the last one that an Expect has taken: what the order of events
// decides, no clock can get wrong.
func (p *play) never(s Step) bool {
	if s.Later {
		time.Sleep(grace)
	}
	began := p.suite.now()
	time.Sleep(orFor(s.For, time.Second))
	p.mu.Lock()
	seen, came := "nothing of the kind", 0
	for _, e := range p.events[p.next:] {
		if (!s.Later || e.at.After(began)) && named(e, s.Never) && p.fits(e.body, s) {
			came++
			seen = fmt.Sprintf("%s, %d times", e.name, came)
		}
	}
	p.mu.Unlock()
	p.judge(s.Rule, came <= s.Most, s.Due, seen)
	return came <= s.Most
}

// shows asks the hands until the SDK shows what it should.
func (p *play) shows(h *hands, s Step) bool {
	limit := p.suite.now().Add(orFor(s.Within, within))
	for {
		said, err := h.give("look", Command{})
		if err != nil {
			p.judge(Carried, false, "the hands look", err.Error())
			return false
		}
		ok := (s.Shows == "" || slices.Contains(strings.Split(s.Shows, "|"), said.State)) && (s.Located == nil || *s.Located == said.Located)
		if ok || p.suite.now().After(limit) {
			where := map[bool]string{true: "on", false: "off"}[said.Located]
			p.judge(s.Rule, ok, s.Due, said.State+", location "+where)
			return ok
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// prompt is how soon what the shopper sees follows (S-1).
const prompt = 250 * time.Millisecond

// follows says one state after the other and has the hands look: late is what a look that was asked for after prompt did not find.
// On a busy machine one or the other is; a client that is slow by its making is late most times.
func (p *play) follows(h *hands, s Step) bool {
	late := 0
	for _, state := range s.Follows {
		p.withSocket(func(k *socket) { k.say(map[string]any{"type": "state", "t": p.suite.ms(), "state": state}) })
		tardy, shown, err := p.shown(h, strings.ToUpper(state))
		if err != nil {
			p.judge(Carried, false, "the hands look", err.Error())
			return false
		}
		if shown != strings.ToUpper(state) {
			p.judge(s.Rule, false, s.Due, shown+", where "+state+" was said")
			return false
		}
		if tardy {
			late++
		}
	}
	ok := 2*late < len(s.Follows)
	p.judge(s.Rule, ok, s.Due, fmt.Sprintf("%d of %d were not shown within %v", late, len(s.Follows), prompt))
	return ok
}

// shown looks until a state is shown, and says what was shown last and whether a look that was asked for too late found another.
func (p *play) shown(h *hands, state string) (tardy bool, shown string, err error) {
	for said := p.suite.now(); ; time.Sleep(20 * time.Millisecond) {
		passed := p.suite.now().Sub(said)
		r, err := h.give("look", Command{})
		if err != nil || r.State == state || passed > within {
			return tardy, r.State, err
		}
		tardy = tardy || passed > prompt
	}
}

// judge takes a verdict down. Steps without a rule are there for the story: if one fails, the story cannot be told. What
// is broken ends the story: everything after would be its echo.
func (p *play) judge(rule string, ok bool, due, seen string) {
	if rule == "" && ok {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stop {
		return
	}
	p.found = append(p.found, Verdict{Rule: orElse(rule, Carried), Scenario: p.sc.Name, OK: ok, Due: due, Seen: seen})
	if !ok {
		p.stop = true
		p.stir()
	}
}

// stir wakes who waits for something to happen. It needs mu.
func (p *play) stir() {
	close(p.stirred)
	p.stirred = make(chan struct{})
}

// broken and kept judge what holds in all stories.
func (p *play) broken(rule, seen string) { p.judge(rule, false, always[rule], seen) }
func (p *play) kept(rule string)         { p.judge(rule, true, always[rule], "so it was") }

// refused takes the next refusal of a kind of request, if there is one.
func (p *play) refused(on string) (r refusal, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.IndexFunc(p.refuse, func(r refusal) bool { return r.On == on })
	if i < 0 {
		return r, false
	}
	r = p.refuse[i]
	p.refuse = slices.Delete(p.refuse, i, i+1)
	return r, true
}

func problem(t int64, status int, code string, retryMS int64) map[string]any {
	out := map[string]any{"type": "/problems/" + code, "title": http.StatusText(status), "status": status, "code": code, "t": t}
	if retryMS > 0 {
		out["retry_ms"] = retryMS
	}
	return out
}
