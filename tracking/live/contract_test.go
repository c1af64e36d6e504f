// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"doorstep/tracking"
	"doorstep/tracking/live/livetest"
	"doorstep/tracking/live/redisserver"
)

func TestContractMemory(t *testing.T) {
	livetest.Run(t, func(t *testing.T) livetest.Fixture { return memoryFixture(t) })
}

// The application's user is the one the contract is checked as: its rules must be enough.
func TestContractRedis(t *testing.T) {
	server := startServer(t)
	admin := operator(t, server.AdminURL())
	livetest.Run(t, func(t *testing.T) livetest.Fixture { return fixture(t, server.URL(), admin) })
}

// A cluster of three primaries, with the stores of the contract on different ones.
func TestContractCluster(t *testing.T) {
	c, nodes := startCluster(t)
	livetest.Run(t, func(t *testing.T) livetest.Fixture { return fixture(t, c.URL(), nodes...) })
	if shard(t, c, "s1") == shard(t, c, "s2") {
		t.Error("both stores are on one primary: the contract was not checked across two")
	}
}

// startCluster starts a cluster that ends with the test, with a client of the operator's for each primary.
func startCluster(t *testing.T) (*redisserver.Cluster, []*redis.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := redisserver.StartCluster(ctx, 3)
	started(t, err)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	var nodes []*redis.Client
	for _, s := range c.Primaries {
		nodes = append(nodes, operator(t, s.AdminURL()))
	}
	return c, nodes
}

// shard is the place of the primary that has a store.
func shard(t *testing.T, c *redisserver.Cluster, store string) int {
	t.Helper()
	i, err := c.Of(t.Context(), "ds:{"+store+"}:")
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// Random commands: the twin and Redis must not be told apart.
func TestCompare(t *testing.T) {
	server := startServer(t)
	admin := operator(t, server.AdminURL())
	twin := memoryFixture(t)
	livetest.Compare(t, fixture(t, server.URL(), admin), twin, func() {
		twin.Pass(tracking.FenceLife) // nothing lives longer
		if err := admin.FlushAll(context.Background()).Err(); err != nil {
			t.Fatal(err)
		}
	})
}

// password and port are parts of a URL and an address.
func password(t *testing.T, raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	secret, _ := u.User.Password()
	return secret
}

func port(addr string) string { return addr[strings.LastIndexByte(addr, ':')+1:] }

// field is one line's value of an INFO.
func field(info, name string) string {
	_, rest, _ := strings.Cut(info, name+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}
