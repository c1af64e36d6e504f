// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"doorstep/tracking"
)

const (
	quietFor  = 3 * time.Second // how long a channel may be silent before the connection is asked
	retryFrom = 50 * time.Millisecond
	retryTo   = time.Second
)

// publishing decides how this deployment publishes, for scripts and for Publish: a cluster sends a
// plain PUBLISH to every node, a sharded one only to those that hold the store.
func (r *Redis) publishing() publishing {
	if r.cluster != nil {
		return publishing{command: "SPUBLISH", apart: true}
	}
	return publishing{command: "PUBLISH"}
}

// Publish implements tracking.Live. On an error it may have been published.
func (r *Redis) Publish(ctx context.Context, channel string, payload []byte) error {
	if err := checkChannels("Publish", []string{channel}); err != nil {
		return err
	}
	var err error
	if r.cluster != nil {
		err = r.client.SPublish(ctx, channelName(channel), payload).Err()
		r.lookAgain(ctx, err)
	} else {
		err = r.client.Publish(ctx, channelName(channel), payload).Err()
	}
	return translate("Publish", r.place, err)
}

// Subscribe implements tracking.Live. It returns once every channel is confirmed; delivery goes on
// in the background until ctx ends or Close, from one goroutine for each node that has channels.
// If it cannot be had now, it returns an error and nothing goes on.
func (r *Redis) Subscribe(ctx context.Context, f func(tracking.Message), channels ...string) error {
	if err := checkChannels("Subscribe", channels); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(r.base, cancel)
	end := func() { stop(); cancel() }
	s := &subscription{redis: r, f: f, channels: channels}
	feeds, err := s.open(ctx)
	if err == nil {
		err = r.background(func() { defer end(); s.run(ctx, feeds) })
	}
	if err != nil {
		closeAll(feeds)
		end()
	}
	return translate("Subscribe", r.place, err)
}

// background runs f so that Close waits for it.
func (r *Redis) background(f func()) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.base.Err() != nil {
		return redis.ErrClosed
	}
	r.subs.Go(f)
	return nil
}

// subscription is one call of Subscribe.
type subscription struct {
	redis    *Redis
	f        func(tracking.Message)
	channels []string
}

// errResharded says that a cluster took a channel away from a node.
var errResharded = errors.New("the channel has moved to another node")

// run delivers, and whenever a feed fails opens all of them again, until ctx ends. The driver's own
// reconnection is not used: in a cluster it would look for the channels where they were.
func (s *subscription) run(ctx context.Context, feeds []*redis.PubSub) {
	wait := retryFrom
	for {
		if feeds != nil {
			wait = retryFrom
			s.pump(ctx, feeds)
		}
		timer := time.NewTimer(wait/2 + rand.N(wait/2))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		wait = min(2*wait, retryTo)
		var err error
		feeds, err = s.open(ctx) // a failure is tried again
		s.redis.lookAgain(ctx, err)
	}
}

// open subscribes at every node that has some of the channels and waits for the confirmations.
func (s *subscription) open(ctx context.Context) (feeds []*redis.PubSub, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.redis.opts.ReplyTimeout)
	defer cancel()
	byNode := make(map[*redis.Client][]string)
	for _, c := range s.channels {
		node, err := s.redis.node(ctx, c)
		if err != nil {
			return nil, err
		}
		byNode[node] = append(byNode[node], channelName(c))
	}
	for node, names := range byNode {
		feed := node.Subscribe(ctx)
		feeds = append(feeds, feed)
		if err := s.confirm(ctx, feed, names); err != nil {
			closeAll(feeds)
			return nil, err
		}
	}
	return feeds, nil
}

// confirm subscribes to the channels, one command each since they may lie in different slots, and
// reads until all are in force. What is published on the first ones meanwhile is delivered.
func (s *subscription) confirm(ctx context.Context, feed *redis.PubSub, names []string) error {
	subscribe := feed.Subscribe
	if s.redis.cluster != nil {
		subscribe = feed.SSubscribe
	}
	for _, name := range names {
		if err := subscribe(ctx, name); err != nil {
			return err
		}
	}
	for left := len(names); left > 0; {
		m, err := feed.Receive(ctx)
		if err != nil {
			return err
		}
		if _, ok := m.(*redis.Subscription); ok {
			left--
		}
		s.deliver(ctx, m)
	}
	return nil
}

// pump delivers from all feeds until one fails or ctx ends, and closes them.
func (s *subscription) pump(ctx context.Context, feeds []*redis.PubSub) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	context.AfterFunc(ctx, func() { closeAll(feeds) }) // wakes those that wait for a message
	var wg sync.WaitGroup
	for _, feed := range feeds {
		wg.Go(func() {
			defer cancel()
			_ = s.follow(ctx, feed) // whatever it was, run opens again
		})
	}
	wg.Wait()
}

// follow delivers from one feed. A silent connection is asked; a second silence ends it.
func (s *subscription) follow(ctx context.Context, feed *redis.PubSub) error {
	asked := false
	for {
		m, err := feed.ReceiveTimeout(ctx, quietFor)
		if timedOut(err) && !asked {
			asked = true
			err = feed.Ping(ctx)
			if err == nil {
				continue
			}
		}
		if err != nil {
			return err
		}
		asked = false
		if left, ok := m.(*redis.Subscription); ok && left.Kind == "sunsubscribe" {
			return errResharded
		}
		s.deliver(ctx, m)
	}
}

func timedOut(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func (s *subscription) deliver(ctx context.Context, received any) {
	m, ok := received.(*redis.Message)
	if ok && ctx.Err() == nil {
		s.f(tracking.Message{Channel: channelOf(m.Channel), Payload: []byte(m.Payload)})
	}
}

func closeAll(feeds []*redis.PubSub) {
	for _, feed := range feeds {
		_ = feed.Close() // twice does no harm
	}
}
