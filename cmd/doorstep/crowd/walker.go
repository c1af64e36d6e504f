// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/google/uuid"

	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/mobile-sdk-spec/go/sim"
)

// kind is how a visit is to end.
type kind int

const (
	exitByFix        kind = iota // by a phone that sends every fix and leaves all to the server
	exitByPhone                  // by one that holds the fence and, outside, says only so
	withdrawBySocket             // as an app does: by its socket and by HTTP, with one id
	withdrawByHTTP               // as another tab of the same installation: by HTTP alone
	withdrawByStop               // as whoever closed the socket and signed out: with a stop token
)

// kindOf is the kind of a walker's visit: walker n begins with n and goes on from there.
func kindOf(round int) kind {
	switch {
	case round%4 == 0:
		return exitByPhone
	case round%4 == 2:
		return exitByFix
	}
	return withdrawBySocket + kind(round/2%3)
}

func (k kind) leaves() bool { return k == exitByFix || k == exitByPhone }

// walker is one shopper, for one visit: asked, decided, inside, served, and gone. It sees only what an
// app sees, and the console that looks on.
type walker struct {
	*Crowd
	kind  kind
	route *sim.Walker
	obeys bool // the fence that the phone holds; a phone that does not leaves all to the server
	sub   string
	key   *client.Key
	app   *client.Client
	heard chan struct{} // closed when the app has been told all

	mu        sync.Mutex // owns the rest: the reader of events and the walk share it
	signedOut bool
	state     string
	reason    string
	alert     string    // the call for help, while it is not refused
	waited    int       // reports since, without an answer
	called    bool      // it was heard: the console must be told of it, and of its end
	crossed   time.Time // when the first report was sent from truly outside
	account   account
}

const purpose = "assist"

// walker is somebody new, with a way through the store that suits the kind of visit.
func (p *Crowd) walker(round int, rng *rand.Rand) (w *walker, err error) {
	w = &walker{Crowd: p, kind: kindOf(round), obeys: round%4 < 2, sub: uuid.NewString(), heard: make(chan struct{}),
		account: account{rules: p.Rules}}
	if w.route, err = p.Routes.pick(rng, w.kind.leaves()); err != nil {
		return nil, err
	}
	if w.key, err = client.NewKey(); err != nil {
		return nil, err
	}
	w.app, err = w.tab()
	return w, err
}

// tab is the shopper's installation in one more process, which knows nothing of the others' sockets.
func (w *walker) tab() (*client.Client, error) {
	return client.New(client.Config{BaseURL: w.URL, Installation: w.key, Token: func(context.Context) (string, error) {
		w.mu.Lock()
		out := w.signedOut
		w.mu.Unlock()
		if out {
			return "", errors.New("signed out")
		}
		return w.Mint(w.sub)
	}})
}

// visit is the whole of it. Its errors are the walker's own; the run goes on. A visit that the end of
// ctx keeps from beginning is none.
func (w *walker) visit(ctx context.Context) error {
	s, err := w.enter(ctx)
	if err != nil && ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	w.tally.with(func(s *Summary) { s.Sessions++ })
	go w.read(s)
	defer func() { s.Kill(); <-w.heard }()
	return w.walk(ctx, s)
}

// enter asks, decides and, once the phone's own fence says so, connects.
func (w *walker) enter(ctx context.Context) (s *client.Session, err error) {
	if err := Patiently(ctx, func() error { return w.decide(ctx) }); err != nil {
		return nil, err
	}
	if err := w.arrive(); err != nil {
		return nil, err
	}
	err = Patiently(ctx, func() (err error) {
		s, err = w.app.ConnectWith(ctx, w.Routes.Store(), w.Routes.fence.Version, []string{purpose})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	return s, nil
}

// Patiently does what an app does when it is told to come back in a moment: it waits and tries again,
// a few times.
func Patiently(ctx context.Context, try func() error) error {
	for left := 5; ; left-- {
		err := try()
		var p *client.Problem
		var closed *client.CloseError
		again := errors.As(err, &p) && (p.Status == 503 || p.Status == 429) || errors.As(err, &closed) && closed.Retry
		if !again || left == 0 || !pause(ctx, time.Second) {
			return err
		}
	}
}

// decide asks for what to show and presses "This visit".
func (w *walker) decide(ctx context.Context) error {
	p, err := w.app.Prompt(ctx, client.PromptRequest{Store: w.Routes.Store(), Purpose: purpose, Lang: "en"})
	if err != nil {
		return fmt.Errorf("prompt: %w", err)
	}
	d, err := w.app.Decide(ctx, w.Routes.Store(), p, client.Answer{Choice: "visit", Control: "button"})
	if err != nil {
		return fmt.Errorf("decide: %w", err)
	}
	if !d.Allows() || d.Receipt == "" {
		return fmt.Errorf("decide: state %q", d.State)
	}
	return nil
}

// arrive walks up to the store without a word: until the phone's own fence says that it is inside,
// the radio is silent. The way there takes no time here.
func (w *walker) arrive() error {
	for {
		fix, _, ok := w.route.Next()
		if !ok {
			return errors.New("the route never came inside")
		}
		if w.Routes.fence.Inside(fix.Lat, fix.Lng, levelOf(fix)) {
			return nil
		}
	}
}

// now is where the session stands, and whether the call for help was heard.
func (w *walker) now() (state string, heard bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state, w.called
}

// read takes down what the app is told.
func (w *walker) read(s *client.Session) {
	defer close(w.heard)
	for e := range s.Events() {
		at := time.Now()
		switch e := e.(type) {
		case client.Ack:
			w.acked(e)
		case client.State:
			w.mu.Lock()
			w.account.state(e, at)
			w.mu.Unlock()
			w.told(e.State, e.Reason)
		case client.HelpUpdate:
			w.answered(e.ID)
		case client.FrameError:
			w.refused(e)
		case client.Closed:
			state := "closed"
			if e.Retry && !e.Local {
				state = "interrupted"
			}
			w.told(state, e.Reason)
		}
	}
}

func (w *walker) acked(k client.Ack) {
	w.mu.Lock()
	fixes, became := w.account.ack(k)
	w.mu.Unlock()
	w.tally.with(func(s *Summary) {
		switch became {
		case accepted:
			s.Accepted += fixes
		case counted:
			s.Counted += fixes
		}
		for code, n := range k.Refused {
			s.Refused[code] += n
		}
	})
}

func (w *walker) told(state, reason string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != "ended" { // what follows an end is its close
		w.state, w.reason = state, reason
	}
}
