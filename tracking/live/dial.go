// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"crypto/tls"
	"net"
	"net/url"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// target is an open client of whichever kind the server turned out to be.
type target struct {
	place   string // what errors call it: host:port, without credentials
	client  redis.UniversalClient
	cluster *redis.ClusterClient // client, if it is one
}

// quiet takes the driver's own log away: it writes to standard error what Redis answered, and an
// "unknown command" repeats the arguments. What went wrong is in the errors.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

var silence = sync.OnceFunc(func() { redis.SetLogger(quiet{}) })

// dial opens what a URL names, finds out what kind it is, and sees that it answers.
func dial(ctx context.Context, rawURL string, opts Options) (*target, error) {
	silence()
	common, err := parseURL(rawURL, opts)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*opts.ReplyTimeout)
	defer cancel()
	t := &target{place: common.Addrs[0]}
	if common.MasterName != "" {
		t.client = redis.NewFailoverClient(common.Failover())
		return t.check(ctx)
	}
	mode, err := askMode(ctx, common)
	if err != nil {
		return nil, translate("open", t.place, err)
	}
	if mode == "cluster" {
		t.cluster = redis.NewClusterClient(common.Cluster())
		t.client = t.cluster
		return t.check(ctx)
	}
	t.client = redis.NewClient(common.Simple())
	return t.check(ctx)
}

// check asks for the clock once: a node whose Redis does not answer must not start.
func (t *target) check(ctx context.Context) (*target, error) {
	if err := t.client.Time(ctx).Err(); err != nil {
		_ = t.client.Close()
		return nil, translate("open", t.place, err)
	}
	return t, nil
}

// askMode asks the first of the addresses that answers whether it is standalone or in a cluster,
// and leaves that one in front.
func askMode(ctx context.Context, common *redis.UniversalOptions) (mode string, err error) {
	for i, addr := range common.Addrs {
		one := *common
		one.Addrs = []string{addr}
		client := redis.NewClient(one.Simple())
		var fields []any
		fields, err = client.Do(ctx, "HELLO").Slice()
		_ = client.Close()
		if err == nil {
			common.Addrs[0], common.Addrs[i] = common.Addrs[i], common.Addrs[0]
			return helloMode(fields), nil
		}
	}
	return "", err
}

// helloMode finds "mode" among the names and values that HELLO answers with.
func helloMode(fields []any) string {
	for i := 0; i+1 < len(fields); i += 2 {
		if fields[i] == "mode" {
			mode, _ := fields[i+1].(string)
			return mode
		}
	}
	return ""
}

// parseURL reads a URL in one of the forms of OpenRedis. No error repeats it: it holds a password.
func parseURL(rawURL string, opts Options) (*redis.UniversalOptions, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, invalid("open", "url", "use redis://user:password@host:port")
	}
	o := settings(opts)
	password, _ := u.User.Password()
	o.Username, o.Password = u.User.Username(), password
	switch u.Scheme {
	case "redis", "rediss":
		o.Addrs = []string{hostPort(u)}
	case "unix":
		o.Addrs = []string{u.Path}
	default:
		return nil, invalid("open", "url", "begin it with redis://, rediss:// or unix://")
	}
	if number := strings.Trim(u.Path, "/"); u.Scheme != "unix" && number != "" && number != "0" {
		return nil, invalid("open", "url", "leave the database's number out: a cluster has none but 0, and doorstep uses that everywhere")
	}
	var roots *tls.Config
	if u.Scheme == "rediss" {
		roots = &tls.Config{MinVersion: tls.VersionTLS12}
		if opts.TLS != nil {
			roots = opts.TLS.Clone()
		}
	}
	o.Dialer = dialer(roots, opts)
	if err := parseQuery(u.Query(), o); err != nil {
		return nil, err
	}
	return o, plaintext(o.Addrs, roots, opts)
}

func hostPort(u *url.URL) string {
	host, port := u.Hostname(), u.Port()
	if host == "" {
		host = "localhost"
	}
	if port == "" {
		port = "6379"
	}
	return net.JoinHostPort(host, port)
}

func parseQuery(q url.Values, o *redis.UniversalOptions) error {
	o.Addrs = append(o.Addrs, q["addr"]...)
	if o.MasterName = q.Get("master_name"); o.MasterName != "" {
		o.SentinelUsername, o.SentinelPassword = o.Username, o.Password
		o.Username, o.Password = q.Get("username"), q.Get("password")
	}
	for name := range q {
		known := name == "addr" || name == "master_name"
		if !known && (o.MasterName == "" || name != "username" && name != "password") {
			return invalid("open", "url parameter "+name, "take it out; addr and master_name are known, with username and password beside a master_name")
		}
	}
	return nil
}

// settings are the driver's, as the ending protocol needs them: nothing is sent twice, the
// context's deadline counts, and nothing is answered from a cache.
func settings(opts Options) *redis.UniversalOptions {
	return &redis.UniversalOptions{
		Protocol:                 2, // no push messages: neither caching nor maintenance notices come this way
		ContextTimeoutEnabled:    true,
		MaxRetries:               -1,
		DialerRetries:            1,
		DialTimeout:              opts.ReplyTimeout,
		ReadTimeout:              opts.ReplyTimeout,
		WriteTimeout:             opts.ReplyTimeout,
		PoolTimeout:              opts.ReplyTimeout,
		PipelinePoolSize:         -1, // one pool
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

// dialer connects, over TLS if roots is given. It refuses an address that a cluster or a Sentinel
// names as much as one in the URL.
func dialer(roots *tls.Config, opts Options) func(context.Context, string, string) (net.Conn, error) {
	plain := &net.Dialer{Timeout: opts.ReplyTimeout}
	secure := &tls.Dialer{NetDialer: plain, Config: roots}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if err := plaintext([]string{addr}, roots, opts); err != nil {
			return nil, err
		}
		if roots != nil {
			return secure.DialContext(ctx, network, addr)
		}
		return plain.DialContext(ctx, network, addr)
	}
}

// plaintext refuses to send positions over a network unencrypted.
func plaintext(addrs []string, roots *tls.Config, opts Options) error {
	if roots != nil || opts.AllowPlaintext {
		return nil
	}
	for _, addr := range addrs {
		host, _, err := net.SplitHostPort(addr)
		if err != nil || host == "localhost" || net.ParseIP(host).IsLoopback() {
			continue // without a port it is the path of a socket
		}
		return &Error{Op: "open", Place: addr, Family: ErrInvalid, Remedy: "use rediss:// between hosts, or permit plaintext explicitly"}
	}
	return nil
}
