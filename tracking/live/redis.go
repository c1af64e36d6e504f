// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"doorstep/tracking"
)

// pieceSize is how many keys go into one command or pipeline of a read or a purge.
const pieceSize = 512

// Redis is tracking.Live over a Redis server, a Sentinel group or a Redis Cluster, version 7.0 or
// later. Nothing that may change a position is retried; what is idempotent follows the cluster's
// redirections. All methods are safe for concurrent use and honour the context's deadline; none
// waits longer than Options.ReplyTimeout for an answer, and once more as long for a connection.
type Redis struct {
	opts    Options
	place   string
	client  redis.UniversalClient
	cluster *redis.ClusterClient // client, if it is one

	base   context.Context // ends with Close
	cancel context.CancelFunc

	mu      sync.Mutex
	writers map[string]*writer // by the node's address; guarded by mu
	subs    sync.WaitGroup     // subscriptions under way; added to under mu
}

var _ tracking.Live = (*Redis)(nil)

// OpenRedis connects to the Redis at url, asks it for its clock, and returns an error if that
// cannot be had before ctx ends. The forms of the URL:
//
//	redis://user:password@host:port            one server, or any node of a cluster (found out by asking)
//	rediss://…                                 the same over TLS
//	unix://user:password@/path                 one server on this machine
//	…?addr=host:port                           more nodes to try first, any number of times
//	…?master_name=m&username=u&password=p      host and addr are Sentinels; u and p are the primary's
//
// Plain redis: to another host is refused unless Options.AllowPlaintext. Every other parameter is
// refused: what must hold does not depend on a URL.
func OpenRedis(ctx context.Context, url string, opts Options) (*Redis, error) {
	opts.defaults()
	t, err := dial(ctx, url, opts)
	if err != nil {
		return nil, err
	}
	r := &Redis{opts: opts, place: t.place, client: t.client, cluster: t.cluster, writers: make(map[string]*writer)}
	r.base, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	return r, nil
}

// Close ends what is under way and every subscription, and waits for them.
func (r *Redis) Close() error {
	r.mu.Lock()
	r.cancel()
	r.mu.Unlock()
	err := r.client.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range r.writers {
		w.close()
	}
	r.subs.Wait()
	if errors.Is(err, redis.ErrClosed) {
		return nil
	}
	return translate("Close", r.place, err)
}

// Register implements tracking.Live. It carries a deadline as a write does, ctx's or
// WriteDeadline, whichever is sooner: ErrTooLate if it reached Redis after that. On another error
// it may have been applied.
func (r *Redis) Register(ctx context.Context, s tracking.Slot, owner string, seq int64, ttl time.Duration) error {
	if err := checkRegister(s, owner, seq, ttl); err != nil {
		return err
	}
	c := registerCall(s, owner, seq, lifeMS(ttl))
	if err := r.submit(ctx, "Register", c); err != nil {
		return err
	}
	switch c.letters {
	case "W":
		return nil
	case "F":
		return tracking.ErrFenced
	}
	return &Error{Op: "Register", Place: r.place, Family: ErrTooLate, Remedy: "register again"}
}

// Write implements tracking.Live. Up to 100 writes of different visits are one atomic step; in a
// cluster, as many in a row as are of one store. A longer batch, or one that names a visit twice, is
// cut into several that go out together, each with its own verdict on the deadline and its own
// publications. On an error any of the batch may have been applied, but none of it after ctx's
// deadline, nor later than WriteDeadline after it was sent: make ctx when the lease it rests on is
// read. A write with no lease left (TTL under a millisecond) answers NotOwner.
func (r *Redis) Write(ctx context.Context, batch []tracking.LiveWrite) ([]tracking.WriteResult, error) {
	if err := checkBatch(batch); err != nil || len(batch) == 0 {
		return nil, err
	}
	calls := writeCalls(r.publishing(), batch)
	if err := r.submit(ctx, "Write", calls...); err != nil {
		return nil, err // they may be under way still
	}
	results := make([]tracking.WriteResult, 0, len(batch))
	for _, c := range calls {
		results = c.results(results)
	}
	release(calls)
	return results, nil
}

// Home implements tracking.Live: the address of the primary that has the store.
func (r *Redis) Home(store string) string {
	if r.cluster == nil {
		return ""
	}
	client, err := r.node(r.base, store)
	if err != nil {
		return "" // writing says what is wrong
	}
	return client.Options().Addr
}

// submit sends calls to the nodes that have their stores, one node after the other; none is applied
// after ctx's deadline.
func (r *Redis) submit(ctx context.Context, op string, calls ...*call) error {
	end := latest(ctx, r.opts.Boot)
	for _, c := range calls {
		c.latest = end
	}
	for len(calls) > 0 {
		client, n, err := r.together(ctx, calls)
		if err != nil {
			return translate(op, r.place, err)
		}
		w, err := r.writer(client)
		if err == nil {
			err = w.do(ctx, client, calls[:n]...)
		}
		if err != nil {
			r.lookAgain(ctx, err)
			return translate(op, client.Options().Addr, err)
		}
		calls = calls[n:]
	}
	return nil
}

// together is the node that has the store of the first call, and how many calls in a row are for it.
func (r *Redis) together(ctx context.Context, calls []*call) (client *redis.Client, n int, err error) {
	if r.cluster == nil {
		client, err = r.node(ctx, calls[0].store)
		return client, len(calls), err
	}
	for ; n < len(calls); n++ {
		next, err := r.node(ctx, calls[n].store)
		switch {
		case err != nil:
			return nil, 0, err
		case n > 0 && next.Options().Addr != client.Options().Addr:
			return client, n, nil
		}
		client = next
	}
	return client, n, nil
}

// lookAgain has the cluster asked anew who holds what, after an error that speaks for it: for the next call, since
// this one is not sent again. A node that does not answer may have been replaced; the driver notices by itself only
// when a node says that a slot has moved, and else once a minute.
func (r *Redis) lookAgain(ctx context.Context, err error) {
	var reply redis.Error
	if r.cluster != nil && err != nil && (moved(err) || !errors.As(err, &reply)) {
		r.cluster.ReloadState(ctx)
	}
}

// node is the server that holds a store, or a channel of that name.
func (r *Redis) node(ctx context.Context, store string) (*redis.Client, error) {
	if r.cluster != nil {
		return r.cluster.MasterForKey(ctx, channelName(store)) // in the store's slot
	}
	return r.client.(*redis.Client), nil // dial makes no third kind
}

// writer is the one writer for a node.
func (r *Redis) writer(client *redis.Client) (*writer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.base.Err() != nil {
		return nil, redis.ErrClosed
	}
	addr := client.Options().Addr
	w := r.writers[addr]
	if w == nil {
		w = &writer{opts: &r.opts, base: r.base}
		r.writers[addr] = w
	}
	return w, nil
}

// moved reports whether a node said that a slot is, or will be, somewhere else.
func moved(err error) bool {
	code := codeOf(err)
	return code == "MOVED" || code == "ASK" || code == "TRYAGAIN" || code == "READONLY"
}

// Read implements tracking.Live. It asks the primary.
func (r *Redis) Read(ctx context.Context, store string, visits []string) (map[string][]byte, error) {
	found := make(map[string][]byte, len(visits))
	err := r.values(ctx, "Read", store, visits, func(visit, value string) {
		if payload, ok := position(value); ok {
			found[visit] = payload
		}
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Owners implements tracking.Live. It asks the primary.
func (r *Redis) Owners(ctx context.Context, store string, visits []string) (map[string]string, error) {
	found := make(map[string]string, len(visits))
	err := r.values(ctx, "Owners", store, visits, func(visit, value string) {
		if owner, ok := ownerOf(value); ok {
			found[visit] = owner
		}
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// values calls take for each of the visits that has a value of any kind.
func (r *Redis) values(ctx context.Context, op, store string, visits []string, take func(visit, value string)) error {
	if err := checkVisits(op, store, visits); err != nil {
		return err
	}
	for from := 0; from < len(visits); from += pieceSize {
		piece := visits[from:min(from+pieceSize, len(visits))]
		values, err := r.client.MGet(ctx, keys(store, piece)...).Result()
		if err != nil {
			r.lookAgain(ctx, err)
			return translate(op, r.place, err)
		}
		for i, v := range values {
			if value, ok := v.(string); ok {
				take(piece[i], value)
			}
		}
	}
	return nil
}

func keys(store string, visits []string) []string {
	out := make([]string, len(visits))
	for i, v := range visits {
		out[i] = KeyOf(store, v)
	}
	return out
}

// Purge implements tracking.Live. It does not wait behind writes, and goes through where Redis has no
// memory left for anything else. On an error some of the visits may have been purged; purge again.
func (r *Redis) Purge(ctx context.Context, store string, visits []string) error {
	if err := checkVisits("Purge", store, visits); err != nil {
		return err
	}
	for from := 0; from < len(visits); from += pieceSize {
		piece := visits[from:min(from+pieceSize, len(visits))]
		_, err := r.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for _, k := range keys(store, piece) {
				p.Set(ctx, k, tombstone, tracking.FenceLife)
			}
			return nil
		})
		if codeOf(err) == "OOM" {
			err = r.purgeFull(ctx, keys(store, piece))
		}
		if err != nil {
			r.lookAgain(ctx, err)
			return translate("Purge", r.place, err)
		}
	}
	return nil
}

// purgeFull purges where there is no memory left: SET is refused then, whatever it takes the place of.
func (r *Redis) purgeFull(ctx context.Context, keys []string) error {
	run := func() error {
		return r.client.EvalSha(ctx, purgeScript.sha, keys, tombstone, tracking.FenceLife.Milliseconds()).Err()
	}
	err := run()
	if codeOf(err) == "NOSCRIPT" {
		if err = r.client.ScriptLoad(ctx, purgeScript.source).Err(); err == nil {
			err = run()
		}
	}
	return err
}

// Ping implements tracking.Live. Of a cluster it asks every primary.
func (r *Redis) Ping(ctx context.Context) error {
	if r.cluster == nil {
		return translate("Ping", r.place, r.client.Ping(ctx).Err())
	}
	return translate("Ping", r.place, r.cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error {
		return c.Ping(ctx).Err()
	}))
}
