// SPDX-License-Identifier: Apache-2.0

package live_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"doorstep/tracking"
	"doorstep/tracking/live"
)

func TestScan(t *testing.T) {
	server := startServer(t)
	r, admin := open(t, server.URL(), live.Options{}), operator(t, server.AdminURL())
	ctx := t.Context()
	for _, v := range []string{"bare", "placed", "ended", "somebody-else"} {
		for _, s := range []string{"s1", "s2"} {
			if err := r.Register(ctx, tracking.Slot{Store: s, Visit: v}, "a", 0, 20*time.Second); err != nil {
				t.Fatal(err)
			}
		}
	}
	w := tracking.LiveWrite{Slot: tracking.Slot{Store: "s1", Visit: "placed"}, Owner: "a", Seq: 1, Payload: []byte("p"), TTL: 20 * time.Second}
	if _, err := r.Write(ctx, []tracking.LiveWrite{w}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Purge(ctx, "s1", []string{"ended"}), r.Purge(ctx, "s2", []string{"ended"})); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(
		admin.Set(ctx, "copy-of-stray-visit", "T and more", time.Minute).Err(),
		admin.HSet(ctx, "ds:{s1}:v:odd-type", "T", "T").Err()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		visits []string
		want   int
	}{
		{nil, 0}, {[]string{"nobody"}, 0}, {[]string{"ended"}, 0}, {[]string{"bare"}, 2},
		{[]string{"placed", "ended", "nobody"}, 2}, {[]string{"stray-visit"}, 1}, {[]string{"odd-type"}, 1},
		{[]string{"bare", "placed", "stray-visit"}, 5},
	} {
		if got, err := live.Scan(ctx, server.AdminURL(), c.visits); err != nil || got != c.want {
			t.Errorf("scan for %v: got %d, %v; want %d", c.visits, got, err, c.want)
		}
	}
	if _, err := live.Scan(ctx, server.URL(), []string{"bare"}); !errors.Is(err, live.ErrRefused) {
		t.Errorf("scan as the application: got %v, want ErrRefused", err)
	}
}

func TestScanCluster(t *testing.T) {
	c, nodes := startCluster(t)
	for _, store := range []string{"s1", "s2"} {
		if err := nodes[shard(t, c, store)].Set(t.Context(), "ds:{"+store+"}:v:x", "R", time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := live.Scan(t.Context(), c.AdminURL(), []string{"x"}); err != nil || got != 2 {
		t.Errorf("scan of a cluster: got %d, %v; want both primaries' key", got, err)
	}
	if warnings, err := live.CheckDurability(t.Context(), c.AdminURL()); err != nil || len(warnings) != 0 {
		t.Errorf("durability of a cluster: %v, %v", warnings, err)
	}
	if err := c.Replicas[0].Do(t.Context(), "CONFIG", "SET", "repl-diskless-load", "disabled"); err != nil {
		t.Fatal(err)
	}
	until(t, "the cluster to list the replica, which would write what it receives", func() bool {
		_, err := live.CheckDurability(context.Background(), c.AdminURL())
		return errors.Is(err, live.ErrWritesToDisk)
	})
}

func TestCheckDurability(t *testing.T) {
	server := startServer(t)
	admin, ctx := operator(t, server.AdminURL()), t.Context()
	if warnings, err := live.CheckDurability(ctx, server.AdminURL()); err != nil || len(warnings) != 0 {
		t.Fatalf("our own server: %v, %v", warnings, err)
	}
	for _, c := range []struct{ setting, bad, good string }{
		{"save", "900 1", ""},
		{"appendonly", "yes", "no"},
		{"repl-diskless-sync", "no", "yes"},
		{"repl-diskless-load", "disabled", "swapdb"},
		{"shutdown-on-sigterm", "save force", "default"},
		{"shutdown-on-sigint", "save", "nosave now"},
		{"crash-log-enabled", "yes", "no"},
		{"slowlog-log-slower-than", "0", "-1"},
		{"maxmemory-policy", "allkeys-lru", "noeviction"},
	} {
		if err := admin.ConfigSet(ctx, c.setting, c.bad).Err(); err != nil {
			t.Fatal(err)
		}
		_, err := live.CheckDurability(ctx, server.AdminURL())
		var d *live.DurabilityError
		if !errors.Is(err, live.ErrWritesToDisk) || !errors.As(err, &d) || len(d.Findings) != 1 {
			t.Errorf("%s %q: got %v", c.setting, c.bad, err)
		} else if f := d.Findings[0]; f.Setting != c.setting || !strings.Contains(err.Error(), f.Fix) {
			t.Errorf("%s: found %+v", c.setting, f)
		}
		if err := admin.ConfigSet(ctx, c.setting, c.good).Err(); err != nil {
			t.Fatal(err)
		}
		if _, err := live.CheckDurability(ctx, server.AdminURL()); err != nil {
			t.Errorf("%s %q: %v", c.setting, c.good, err)
		}
	}
	warnings, err := live.CheckDurability(ctx, server.URL())
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "CONFIG GET") {
		t.Errorf("as the application: %v, %v; want one warning", warnings, err)
	}
}

// The application's user can do its work, as the contract shows, and not look around.
func TestAppACL(t *testing.T) {
	server := startServer(t)
	app := operator(t, server.URL())
	for _, args := range [][]any{
		{"CONFIG", "GET", "save"}, {"KEYS", "*"}, {"SCAN", "0"}, {"MONITOR"}, {"SLOWLOG", "GET"}, {"OBJECT", "FREQ", "ds:x"},
		{"CLIENT", "LIST"}, {"ACL", "LIST"}, {"SAVE"}, {"BGSAVE"}, {"FLUSHALL"}, {"SHUTDOWN"}, {"INFO"},
		{"GET", "other"}, {"SUBSCRIBE", "other"}, {"PSUBSCRIBE", "*"}, {"REPLICAOF", "127.0.0.1", "1"}, {"EVAL", "return 1", "0"},
	} {
		if err := app.Do(context.Background(), args...).Err(); err == nil || !strings.HasPrefix(err.Error(), "NOPERM") {
			t.Errorf("%v: got %v, want NOPERM", args[0], err)
		}
	}
}

// replyError is what the driver's errors for Redis's own answers look like.
type replyError string

func (e replyError) Error() string { return string(e) }
func (e replyError) RedisError()   {}

func TestErrorsNameNobody(t *testing.T) {
	const visit = "5f0c1d2e3b4a59687766554433221100"
	err := live.Translate("Write", "127.0.0.1:6379", replyError("ERR unknown command 'EVALSHA', with args beginning with: 'ds:{s1}:v:"+visit+"'"))
	if !errors.Is(err, live.ErrRefused) || strings.Contains(err.Error(), visit) {
		t.Errorf("got %v", err)
	}
	err = live.Translate("Write", "p", replyError("NOPERM this user has no permissions to run the 'evalsha' command"))
	if !strings.Contains(err.Error(), "NOPERM") || !strings.Contains(err.Error(), "live.AppACL") {
		t.Errorf("no remedy: %v", err)
	}
	if live.Translate("Write", "p", nil) != nil {
		t.Error("no error became one")
	}
}

func TestOpenRefuses(t *testing.T) {
	server := startServer(t)
	secret := password(t, server.URL())
	for name, c := range map[string]struct {
		url  string
		want error
	}{
		"not a URL":           {"redis://u:" + secret + "@%zz", live.ErrInvalid},
		"another scheme":      {"https://u:" + secret + "@127.0.0.1:1", live.ErrInvalid},
		"plaintext elsewhere": {"redis://u:" + secret + "@192.0.2.1:6379", live.ErrInvalid},
		"plaintext, a name":   {"redis://u:" + secret + "@redis.internal:6379", live.ErrInvalid},
		"a further address":   {server.URL() + "?addr=192.0.2.1:6379", live.ErrInvalid},
		"a parameter":         {server.URL() + "?max_retries=3", live.ErrInvalid},
		"no such password":    {"redis://doorstep:wrong" + secret + "@" + server.Addr(), live.ErrRefused},
		"nobody there":        {"redis://u:" + secret + "@127.0.0.1:1", live.ErrUnavailable},
		"no TLS there":        {strings.Replace(server.URL(), "redis:", "rediss:", 1), live.ErrUnavailable},
	} {
		r, err := live.OpenRedis(t.Context(), c.url, live.Options{ReplyTimeout: time.Second})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
		if err == nil {
			r.Close()
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error holds the password", name)
		}
	}
	for _, path := range []string{"/1", "/x", "/0/1"} {
		if _, err := live.ParseURL("redis://u:p@127.0.0.1:6379"+path, live.Options{}); err == nil || !strings.Contains(err.Error(), "number") {
			t.Errorf("a database that would not be used: %s: %v", path, err)
		}
	}
	for _, path := range []string{"", "/", "/0"} {
		if _, err := live.ParseURL("redis://u:p@127.0.0.1:6379"+path, live.Options{}); err != nil {
			t.Errorf("%q: %v", path, err)
		}
	}
	if _, err := live.ParseURL("redis://u:p@192.0.2.1:6379", live.Options{AllowPlaintext: true}); err != nil {
		t.Errorf("plaintext, permitted: %v", err)
	}
	// An address that a cluster or a Sentinel names is held to the same rule.
	o, err := live.ParseURL(server.URL(), live.Options{ReplyTimeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Dialer(t.Context(), "tcp", "192.0.2.1:6379"); !errors.Is(err, live.ErrInvalid) {
		t.Errorf("plaintext to a node elsewhere: got %v, want ErrInvalid", err)
	}
	first := "redis://doorstep:" + secret + "@127.0.0.1:1?addr=" + server.Addr()
	if err := open(t, first, live.Options{}).Ping(t.Context()); err != nil {
		t.Errorf("the second address: %v", err)
	}
}
