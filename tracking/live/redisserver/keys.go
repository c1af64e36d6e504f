// SPDX-License-Identifier: Apache-2.0

package redisserver

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// Key is one key of a server, as a test looks at it.
type Key struct {
	Name, Value string
	TTL         time.Duration // negative: it has none
}

// Keys walks the whole keyspace as the operator. What expires meanwhile is left out.
func (s *Server) Keys(ctx context.Context) (keys []Key, err error) {
	pool := s.client()
	defer pool.Close()
	client := pool.Conn()
	defer client.Close()
	_ = client.ReadOnly(ctx).Err() // a cluster's replica else sends one on to its primary; who is in no cluster says no
	walk := client.Scan(ctx, 0, "", 1000).Iterator()
	for walk.Next(ctx) {
		k := Key{Name: walk.Val()}
		ttl, err := client.PTTL(ctx, k.Name).Result()
		if err != nil {
			return nil, err
		}
		k.TTL = ttl // -1: no expiry; -2: no key
		k.Value, err = client.Get(ctx, k.Name).Result()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, walk.Err()
}
