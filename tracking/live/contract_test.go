// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"doorstep/tracking"
	"doorstep/tracking/live"
	"doorstep/tracking/live/livetest"
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

// A cluster of two primaries, with the stores of the contract on different ones.
func TestContractCluster(t *testing.T) {
	appURL, nodes := startCluster(t)
	livetest.Run(t, func(t *testing.T) livetest.Fixture { return fixture(t, appURL, nodes...) })
	stores := make(map[string]int)
	for _, store := range []string{"s1", "s2"} {
		r := open(t, appURL, live.Options{})
		if err := r.Purge(t.Context(), store, []string{"v"}); err != nil {
			t.Fatal(err)
		}
		for i, c := range nodes {
			if c.Exists(t.Context(), "ds:{"+store+"}:v:v").Val() == 1 {
				stores[store] = i
			}
		}
	}
	if stores["s1"] == stores["s2"] {
		t.Error("both stores are on one primary: the contract was not checked across two")
	}
}

// startCluster joins two servers into a cluster. They share their passwords, since a client has
// one for all nodes: the second's users are set to the first's.
func startCluster(t *testing.T) (appURL string, nodes []*redis.Client) {
	settings := []string{"cluster-enabled yes", "cluster-node-timeout 2000"}
	first := startServer(t, settings...)
	second := startServer(t, settings...)
	nodes = []*redis.Client{operator(t, first.AdminURL()), operator(t, second.AdminURL())}
	ctx := context.Background()
	app, admin := password(t, first.URL()), password(t, first.AdminURL())
	for i, slots := range [][2]int{{0, 8191}, {8192, 16383}} {
		c := nodes[i]
		for user, secret := range map[string]string{"doorstep": app, "operator": admin} {
			if err := c.Do(ctx, "ACL", "SETUSER", user, ">"+secret).Err(); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.ClusterAddSlotsRange(ctx, slots[0], slots[1]).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if err := nodes[0].Do(ctx, "CLUSTER", "MEET", "127.0.0.1", port(second.Addr())).Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range nodes {
		until(t, "the cluster to be whole", func() bool {
			info := c.ClusterInfo(ctx).Val()
			return field(info, "cluster_state") == "ok" && field(info, "cluster_size") == "2" && field(info, "cluster_known_nodes") == "2"
		})
	}
	return first.URL(), nodes
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
