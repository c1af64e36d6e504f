// SPDX-License-Identifier: Apache-2.0

package phone

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"doorstep/mobile-sdk-spec/conformance"
	"doorstep/mobile-sdk-spec/go/client"
)

// hands are the app around a phone in a conformance run (SPEC.md, section 10).
type hands struct {
	url, name string
	wrong     wrong

	began time.Time
	key   *client.Key
	shown client.Prompt
	shows func(State) State // what the app makes of a state; of this one installation

	mu     sync.Mutex // owns the rest
	clock  time.Duration
	phone  *Phone
	client *client.Client
	kept   Kept
	placed *Reading
	store  string
	use    string // purpose
}

// order is what comes from /conformance/NAME.
type order struct {
	N  int
	Do string
	conformance.Command
}

// run does as it is told until there is no more.
func (h *hands) run(ctx context.Context) error {
	walk, still := context.WithCancel(ctx)
	var walking sync.WaitGroup
	walking.Go(func() { h.walk(walk) })
	defer walking.Wait()
	defer h.closePhone()
	defer still()
	said := map[string]any{"done": 0}
	for {
		var o order
		if err := h.ask(ctx, "/conformance/"+h.name, said, &o); err != nil {
			return err
		}
		if o.Do == "end" {
			return nil
		}
		said = map[string]any{"done": o.N}
		if err := h.do(ctx, o); err != nil {
			said["error"] = err.Error()
		}
		if p := h.now(); p != nil {
			said["state"], said["located"] = h.shows(p.State()), p.Located()
		}
	}
}

func (h *hands) now() *Phone {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.phone
}

func (h *hands) closePhone() {
	if p := h.now(); p != nil {
		p.Close()
	}
}

func (h *hands) ask(ctx context.Context, path string, in, out any) error {
	raw, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url+path, bytes.NewReader(raw))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, res.Status)
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// walk gives the phone a reading ten times a second, as a system does, while its location is on.
func (h *hands) walk(ctx context.Context) {
	every := time.NewTicker(100 * time.Millisecond)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		h.mu.Lock()
		p, placed := h.phone, h.placed
		h.mu.Unlock()
		if p != nil && placed != nil && (p.Located() || h.wrong.always) {
			r := *placed
			r.At = h.time()
			p.Read(r)
		}
	}
}

// time is the phone's clock: monotonic, from wherever the wall clock stood at installation.
func (h *hands) time() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.began.Add(time.Since(h.began) + h.clock)
}

func (h *hands) do(ctx context.Context, o order) error {
	p := h.now()
	switch o.Do {
	case "install":
		return h.install(o)
	case "consent":
		return h.consent(ctx, o)
	case "start":
		return h.start(ctx)
	case "place":
		h.place(o)
	case "pick":
		p.Pick(o.Store)
	case "read":
		p.Read(reading(o))
	case "leave":
		p.Leave()
	case "background", "permission_off":
		p.Pause(map[string]string{"background": "background", "permission_off": "permission"}[o.Do])
	case "foreground", "permission_on":
		p.Back()
	case "withdraw":
		p.Withdraw(o.Scope, o.Purpose)
	case "restart":
		p.Close()
		if err := h.launch(); err != nil || !h.wrong.resumes {
			return err
		}
		return h.start(ctx)
	case "clock":
		if h.wrong.wall {
			h.mu.Lock()
			h.clock += time.Duration(o.ClockMS) * time.Millisecond
			h.mu.Unlock()
		}
	}
	return nil
}

func reading(o order) Reading {
	return Reading{Lat: o.Lat, Lng: o.Lng, AccuracyM: o.AccuracyM, Mocked: o.Mocked}
}

func (h *hands) place(o order) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.placed = nil
	if o.At != "nowhere" {
		r := reading(o)
		h.placed = &r
	}
}

// install begins anew: another key, nothing kept.
func (h *hands) install(o order) (err error) {
	h.closePhone()
	if h.key, err = client.NewKey(); err != nil {
		return err
	}
	h.mu.Lock()
	h.kept, h.placed, h.store, h.use = Kept{}, nil, o.Store, o.Purpose
	h.began, h.clock = time.Now(), time.Duration(o.ClockMS)*time.Millisecond
	h.mu.Unlock()
	h.shows = h.wrong.view()
	return h.launch()
}

// launch is the app's process beginning.
func (h *hands) launch() error {
	c := client.Config{BaseURL: h.url, Installation: h.key, Now: h.time, HTTP: &http.Client{Timeout: 20 * time.Second},
		Token: func(ctx context.Context) (string, error) {
			var out struct{ Token string }
			err := h.ask(ctx, "/conformance/"+h.name+"/token", nil, &out)
			return out.Token, err
		}}
	h.wrong.client(&c)
	made, err := client.New(c)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.client = made
	h.phone = newPhone(Config{Client: made, Now: h.time, Keep: h.keep}, h.kept, h.wrong.decisions())
	return nil
}

func (h *hands) keep(k Kept) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wrong.keeps != nil {
		h.wrong.keeps(&k)
	}
	h.kept = k
}

func (h *hands) consent(ctx context.Context, o order) error {
	store, choice := cmp.Or(o.Store, h.store), o.Choice
	prompt, err := h.prompt(ctx, client.PromptRequest{Store: store, Purpose: cmp.Or(o.Purpose, h.use), Opened: !o.Unasked})
	if err != nil || !prompt.MayPrompt || choice == "dismiss" && !h.wrong.answers {
		return err
	}
	if choice == "dismiss" {
		choice = "not_now"
	}
	return h.now().Decide(ctx, store, prompt, client.Answer{Choice: choice, Control: "button"})
}

// prompt is what may be shown.
func (h *hands) prompt(ctx context.Context, r client.PromptRequest) (client.Prompt, error) {
	prompt, err := h.client.Prompt(ctx, r)
	if err != nil && h.wrong.insists {
		prompt, err = h.client.Prompt(ctx, r)
	}
	if err == nil && !prompt.MayPrompt && h.wrong.nags {
		return h.shown, nil
	}
	h.shown = prompt
	return prompt, err
}

func (h *hands) start(ctx context.Context) error {
	if h.wrong.over && h.now().State() == Ended {
		return nil
	}
	stores, err := h.client.Stores(ctx)
	if err != nil {
		return err
	}
	var fences []*client.Fence
	for _, s := range stores {
		f, err := h.client.Fence(ctx, s.ID, s.Fence)
		if err != nil {
			return err
		}
		fences = append(fences, f)
	}
	if err := h.now().Start(fences...); !errors.Is(err, ErrNotReady) {
		return err
	}
	return nil // as the shopper sees: nothing happens
}
