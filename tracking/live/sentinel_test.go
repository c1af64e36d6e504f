// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"doorstep/tracking"
	"doorstep/tracking/live"
	"doorstep/tracking/live/redisserver"
)

// A failover by Sentinel: the client finds the new primary, with that one's clock, and goes on.
func TestSentinelFailover(t *testing.T) {
	primary := startServer(t)
	secret, operatorSecret := password(t, primary.URL()), password(t, primary.AdminURL())
	replica := startServer(t, "replicaof 127.0.0.1 "+port(primary.Addr()), "masteruser operator", "masterauth "+operatorSecret)
	other := operator(t, replica.AdminURL())
	for user, s := range map[string]string{"doorstep": secret, "operator": operatorSecret} {
		if err := other.Do(t.Context(), "ACL", "SETUSER", user, ">"+s).Err(); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "the replica to follow", func() bool {
		return field(other.Info(context.Background(), "replication").Val(), "master_link_status") == "up"
	})
	addr := startSentinel(t, primary, operatorSecret)
	sentinel := redis.NewSentinelClient(&redis.Options{Addr: addr, Protocol: 2})
	t.Cleanup(func() { sentinel.Close() })
	until(t, "the Sentinel to know the replica", func() bool {
		m, err := sentinel.Master(context.Background(), "m").Result()
		return err == nil && m["num-slaves"] == "1" && m["flags"] == "master"
	})

	r := open(t, "redis://"+addr+"?master_name=m&username=doorstep&password="+secret, live.Options{ReplyTimeout: time.Second})
	mustRegister(t, r)
	wantWrite(t, r, 1, tracking.Written)
	until(t, "the failover to begin", func() bool { return sentinel.Failover(context.Background(), "m").Err() == nil })
	until(t, "the other server to be primary", func() bool {
		return field(other.Info(context.Background(), "replication").Val(), "role") == "master"
	})
	seq := int64(1)
	until(t, "a write to reach the new primary", func() bool {
		seq++
		_ = r.Register(t.Context(), here, "a", seq-1, 20*time.Second) // refused until the switch is known
		got, err := r.Write(t.Context(), one(seq, fmt.Sprint("p", seq)))
		value, _ := other.Get(context.Background(), live.KeyOf("s1", "v1")).Result()
		return err == nil && got[0] == tracking.Written && strings.HasSuffix(value, fmt.Sprint("p", seq))
	})
	if err := r.Purge(t.Context(), "s1", []string{"v1"}); err != nil {
		t.Fatal(err)
	}
	if value := other.Get(t.Context(), live.KeyOf("s1", "v1")).Val(); value != "T" {
		t.Errorf("after the purge the new primary holds %d bytes", len(value))
	}
	for _, s := range []*redisserver.Server{primary, replica} {
		if _, err := live.CheckDurability(t.Context(), "redis://operator:"+operatorSecret+"@"+s.Addr()); err != nil {
			t.Error(err)
		}
	}
}

// startSentinel starts a Sentinel for one primary, named m, that ends with the test.
func startSentinel(t *testing.T, primary *redisserver.Server, operatorSecret string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	l.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "sentinel.conf")
	lines := []string{
		"bind 127.0.0.1", "port " + port(addr), "dir " + dir,
		"sentinel monitor m 127.0.0.1 " + port(primary.Addr()) + " 1",
		"sentinel auth-user m operator", "sentinel auth-pass m " + operatorSecret,
		"sentinel down-after-milliseconds m 1000", "sentinel failover-timeout m 5000",
	}
	if err := os.WriteFile(config, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("redis-server", config, "--sentinel")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return addr
}
