// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/mobile-sdk-spec/go/phone"
	"doorstep/mobile-sdk-spec/go/sim"
)

// pedestrian is somebody on their way, with a phone that does what an SDK must do.
type pedestrian struct {
	*walkCmd
	phone  *phone.Phone
	app    *client.Client
	air    *radio
	walker *sim.Walker
	fence  *client.Fence
	store  string
	out    io.Writer
	said   chan client.Event // by the server, for the one loop to show

	welcome int64 // of the connection that was told of last
	called  bool
}

// hear is called by the phone, and keeps nobody waiting.
func (p *pedestrian) hear(e client.Event) {
	if _, often := e.(client.Ack); often {
		return
	}
	select {
	case p.said <- e:
	default:
	}
}

func (p *pedestrian) visit(ctx context.Context) error {
	prompt, err := p.app.Prompt(ctx, client.PromptRequest{Store: p.store, Purpose: p.Purpose, Lang: "en", Opened: true})
	if err != nil {
		return p.unreached(err)
	}
	if err := p.phone.Decide(ctx, p.store, prompt, client.Answer{Choice: "visit", Control: "button"}); err != nil {
		return fmt.Errorf("deciding: %w", err)
	}
	fmt.Fprintf(p.out, "given: %q, for this visit\n", prompt.Title)
	fix, ok := p.arrive()
	if !ok {
		return errors.New("the walk never comes inside the store: nothing was sent")
	}
	if err := p.phone.Start(p.fence); err != nil {
		return err
	}
	return p.walk(ctx, fix)
}

// arrive is the first fix inside at which there is a network.
func (p *pedestrian) arrive() (sim.Fix, bool) {
	for {
		fix, _, ok := p.walker.Next()
		if !ok || !fix.Offline && p.fence.Inside(fix.Lat, fix.Lng, levelOf(fix)) {
			return fix, ok
		}
	}
}

// walk gives the phone what its location says, until it has ended or there is no more. They wait at the door until the phone is in.
func (p *pedestrian) walk(ctx context.Context, fix sim.Fix) error {
	pace := time.NewTicker(time.Duration(float64(time.Second) / p.Speed))
	defer pace.Stop()
	more := true
	for {
		select {
		case <-ctx.Done():
			p.phone.Leave()
			return errors.New("interrupted before the walk was over; said goodbye")
		case e := <-p.said:
			p.show(e)
		case <-pace.C:
			if more && p.welcome != 0 {
				fix, _, more = p.walker.Next()
			}
			if more {
				p.network(!fix.Offline)
				p.phone.Read(phone.Reading{Lat: fix.Lat, Lng: fix.Lng, AccuracyM: fix.AccuracyM, Level: levelOf(fix)})
			}
		}
		if over, err := p.stands(more); over {
			return err
		}
	}
}

// stands looks at what the phone has come to, and reports whether the walk is over.
func (p *pedestrian) stands(more bool) (over bool, err error) {
	if w, open := p.phone.Welcome(); open && w.T != p.welcome {
		fmt.Fprintln(p.out, map[bool]string{true: "connected: you are " + w.Word, false: "connected again"}[p.welcome == 0])
		p.welcome = w.T
	}
	switch state := p.phone.State(); {
	case state == phone.Ended:
		return true, p.ended()
	case state == phone.Active && !p.called && p.Help != "":
		p.called = true
		_, err = p.phone.Help(p.Help, false)
		return err != nil, err
	case state == phone.Local && p.phone.Obstacle() != nil:
		return true, fmt.Errorf("connecting: %w", p.phone.Obstacle())
	case state == phone.Ready:
		return true, errors.New("the connection is gone, and half an hour of trying has not brought it back")
	case !more && state != phone.Suspended:
		fmt.Fprintln(p.out, "the walk is over; saying goodbye")
		p.phone.Leave()
		return true, nil
	}
	return false, nil
}

// leftTheStore is the close code of an end by fence.
const leftTheStore = 4501

// ended says what the server said last, and how it was.
func (p *pedestrian) ended() error {
	for range len(p.said) {
		p.show(<-p.said)
	}
	end := p.phone.End()
	fmt.Fprintf(p.out, "closed with %d (%s)\n", end.Code, end.Reason)
	if end.Code == leftTheStore {
		return nil
	}
	return fmt.Errorf("closed with %d: %s", end.Code, end.Reason)
}

// network comes and goes.
func (p *pedestrian) network(there bool) {
	switch {
	case there:
		p.air.on()
	case p.air.off():
		fmt.Fprintln(p.out, "no network")
	}
}

// show says what the app would show.
func (p *pedestrian) show(e client.Event) {
	switch e := e.(type) {
	case client.State:
		fmt.Fprintln(p.out, strings.TrimSpace("state: "+e.State+" "+e.Reason))
	case client.Seen:
		fmt.Fprintf(p.out, "%s %s can see you\n", e.Team, e.By)
	case client.Unseen:
		fmt.Fprintln(p.out, "nobody is looking")
	case client.HelpUpdate:
		fmt.Fprintf(p.out, "help: %s\n", e.State)
	case client.FrameError:
		fmt.Fprintf(p.out, "refused: %s %s\n", e.Code, e.Field)
	}
}

func levelOf(f sim.Fix) *int {
	if !f.HasLevel {
		return nil
	}
	return &f.Level
}

// boundless is a fence for a phone that obeys none: a degree to each side of the store.
func boundless(s *geofence.Site) (*client.Fence, error) {
	at := s.Frame().LatLng(0, 0)
	west, east, south, north := at.Lng-1, at.Lng+1, at.Lat-1, at.Lat+1
	return client.ParseFence(fmt.Appendf(nil, `{"store":%q,"version":%q,"levels":[{"ordinal":0,"boundary":[[[[%[3]v,%[5]v],[%[4]v,%[5]v],[%[4]v,%[6]v],[%[3]v,%[6]v],[%[3]v,%[5]v]]]]}]}`,
		s.ID, s.Version, west, east, south, north))
}
