// SPDX-License-Identifier: Apache-2.0

package redisserver

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// What a test does to a cluster under those who use it.

// Of is the place, in Primaries, of the one that had a key at the start.
func (c *Cluster) Of(ctx context.Context, key string) (int, error) {
	slot, err := c.Primaries[0].command(ctx, "CLUSTER", "KEYSLOT", key).Int()
	return (slot*len(c.Primaries) + len(c.Primaries) - 1) / slotCount, err
}

// Cut keeps the replica at i from hearing anything more from its primary: it cannot sign in there any longer.
func (c *Cluster) Cut(ctx context.Context, i int) error {
	if err := c.Replicas[i].Do(ctx, "CONFIG", "SET", "masterauth", "another"); err != nil {
		return err
	}
	if err := c.Primaries[i].Do(ctx, "CLIENT", "KILL", "TYPE", "replica"); err != nil {
		return err
	}
	return patiently(ctx, func() error {
		info, err := c.Replicas[i].ask(ctx, "INFO", "replication")
		if err == nil && !strings.Contains(info, "master_link_status:down") {
			err = fmt.Errorf("redisserver: the replica %s still follows", c.Replicas[i].Addr())
		}
		return err
	})
}

// FailOver kills the primary at i, and has its replica take its place with what it knows.
func (c *Cluster) FailOver(ctx context.Context, i int) error {
	c.Primaries[i].Kill()
	if err := c.Replicas[i].Do(ctx, "CLUSTER", "FAILOVER", "TAKEOVER"); err != nil {
		return err
	}
	return patiently(ctx, func() error {
		role, err := c.Replicas[i].ask(ctx, "INFO", "replication")
		if err == nil && !strings.Contains(role, "role:master") {
			err = fmt.Errorf("redisserver: %s has not taken over", c.Replicas[i].Addr())
		}
		return err
	})
}

// Reshard moves the slot of a key from the primary that has it to the one at to, one of its keys at a time, as
// redis-cli would. between is called before each key, and once more when all have been moved and the slot has not.
func (c *Cluster) Reshard(ctx context.Context, key string, to int, between func()) error {
	from, err := c.Of(ctx, key)
	if err != nil {
		return err
	}
	source, target := c.Primaries[from], c.Primaries[to]
	slot, err := source.command(ctx, "CLUSTER", "KEYSLOT", key).Int()
	sourceID, err1 := source.ask(ctx, "CLUSTER", "MYID")
	targetID, err2 := target.ask(ctx, "CLUSTER", "MYID")
	if err := errors.Join(err, err1, err2,
		target.Do(ctx, "CLUSTER", "SETSLOT", slot, "IMPORTING", sourceID),
		source.Do(ctx, "CLUSTER", "SETSLOT", slot, "MIGRATING", targetID)); err != nil {
		return err
	}
	for {
		between()
		keys, err := source.command(ctx, "CLUSTER", "GETKEYSINSLOT", slot, 1).StringSlice()
		if err != nil && !errors.Is(err, redis.Nil) {
			return err
		}
		if len(keys) == 0 {
			break
		}
		if err := source.Do(ctx, "MIGRATE", "127.0.0.1", target.port, keys[0], 0, 5000, "AUTH2", adminUser, target.admin); err != nil {
			return err
		}
	}
	for _, s := range []*Server{target, source} {
		if err := s.Do(ctx, "CLUSTER", "SETSLOT", slot, "NODE", targetID); err != nil {
			return err
		}
	}
	return nil
}
