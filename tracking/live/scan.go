// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"
)

// Scan counts the keys of the Redis at url that have to do with the given visits and hold anything
// but a tombstone: 0 says that nothing of them is left. It walks the whole keyspace of every
// primary and trusts nothing that it knows of the layout: a key that merely has a visit in its
// name counts. It reads one byte of each value, so that the one who checks never holds a position.
// It needs an operator's user: the application's may not walk the keyspace.
func Scan(ctx context.Context, url string, visits []string) (left int, err error) {
	var opts Options
	opts.defaults()
	t, err := dial(ctx, url, opts)
	if err != nil {
		return 0, err
	}
	defer t.client.Close()
	var total atomic.Int64
	err = t.each(ctx, false, func(ctx context.Context, c *redis.Client) error {
		n, err := scanNode(ctx, c, visits)
		total.Add(n)
		return err
	})
	return int(total.Load()), translate("Scan", t.place, err)
}

// each runs f on every node, at once: of a cluster on the primaries, or on the replicas too.
func (t *target) each(ctx context.Context, replicas bool, f func(context.Context, *redis.Client) error) error {
	switch {
	case t.cluster == nil:
		return f(ctx, t.client.(*redis.Client)) // dial makes no third kind
	case replicas:
		return t.cluster.ForEachShard(ctx, f)
	}
	return t.cluster.ForEachMaster(ctx, f)
}

func scanNode(ctx context.Context, c *redis.Client, visits []string) (left int64, err error) {
	wanted := make(map[string]bool, 2*len(visits))
	for _, v := range visits {
		wanted[NameOf(v)], wanted[v] = true, true
	}
	var cursor uint64
	for {
		var keys, suspects []string
		if keys, cursor, err = c.Scan(ctx, cursor, "", 1000).Result(); err != nil {
			return left, err
		}
		for _, k := range keys {
			if concerns(k, wanted) {
				suspects = append(suspects, k)
			}
		}
		n, err := countLiving(ctx, c, suspects)
		left += n
		if err != nil || cursor == 0 {
			return left, err
		}
	}
}

// concerns reports whether a key has to do with one of the visits, by the name that it has here or by its own.
func concerns(k string, wanted map[string]bool) bool {
	if name, ok := nameIn(k); ok {
		return wanted[name]
	}
	for v := range wanted {
		if strings.Contains(k, v) {
			return true
		}
	}
	return false
}

// countLiving counts the keys that are there and are not tombstones. A key of another type than a
// string cannot be one.
func countLiving(ctx context.Context, c *redis.Client, keys []string) (n int64, err error) {
	if len(keys) == 0 {
		return 0, nil
	}
	cmds, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, k := range keys {
			p.GetRange(ctx, k, 0, int64(len(tombstone)))
		}
		return nil
	})
	for _, cmd := range cmds {
		first, err := cmd.(*redis.StringCmd).Result()
		wrongType := err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE")
		if err != nil && !wrongType {
			return n, err
		}
		if wrongType || first != "" && first != tombstone {
			n++
		}
	}
	if len(cmds) == 0 {
		return 0, err
	}
	return n, nil
}
