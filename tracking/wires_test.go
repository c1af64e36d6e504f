// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
	"doorstep/tracking/live/redisserver"
)

// wire is a way to a server that a test can cut: what is sent is swallowed, and nobody is told, as on a network that
// is gone. Mended, it lets connections that are new through.
type wire struct {
	*testing.T
	proxy *toxiproxy.Proxy
}

func newWire(t *testing.T, upstream string) *wire {
	t.Helper()
	w := &wire{t, toxiproxy.NewProxy(toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), t.Name(), "127.0.0.1:0", upstream)}
	if err := w.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.proxy.Stop)
	return w
}

var directions = []string{"upstream", "downstream"}

func (w *wire) cut() {
	w.Helper()
	for _, d := range directions {
		toxic := strings.NewReader(`{"name":"` + d + `","type":"timeout","stream":"` + d + `","attributes":{"timeout":0}}`)
		if _, err := w.proxy.Toxics.AddToxicJson(toxic); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *wire) mend() { w.proxy.Toxics.ResetToxics(w.Context()) }

// deployment is a house on PostgreSQL and Redis, whose nodes reach them over wires of their own.
type deployment struct {
	*house
	dsn, bridge string
	ring        sqlstore.Option
	redis       *redisserver.Server
}

func deploy(t *testing.T) *deployment {
	d := &deployment{dsn: storetest.PostgresURL(t), redis: startRedis(t), ring: sqlstore.WithKeyring(filepath.Join(t.TempDir(), "keyring.json"))}
	d.bridge = bridge(t, storetest.PostgresServer(t).Socket())
	d.house = newHouse(t, openRedis(t, d.redis.URL()))
	d.keepIn(d.open(d.dsn))
	return d
}

func (d *deployment) open(dsn string) *sqlstore.DB {
	d.Helper()
	db := must(sqlstore.Open(d.Context(), dsn, d.ring))(d.house)
	d.Cleanup(func() { _ = db.Close() }) // its wire may be cut
	return db
}

// wired starts a node with its own wires to the ledger and to the live state.
func (d *deployment) wired(id string) (n *node, ledger, live *wire) {
	d.Helper()
	ledger, live = newWire(d.T, d.bridge), newWire(d.T, d.redis.Addr())
	u := must(url.Parse(d.dsn))(d.house)
	host, port, _ := net.SplitHostPort(ledger.proxy.Listen)
	q := u.Query()
	q.Set("host", host)
	q.Set("port", port)
	u.RawQuery = q.Encode()
	db := d.open(u.String())
	p := parts{db, consent.New(db, d.keys, consent.DevelopmentRegistry(), d.clock.Now),
		openRedis(d.T, strings.Replace(d.redis.URL(), d.redis.Addr(), live.proxy.Listen, 1))}
	return d.startOn(id, p), ledger, live
}

// bridge lets a Unix socket be reached over TCP.
func bridge(t *testing.T, socket string) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer near.Close()
				far, err := net.Dial("unix", socket)
				if err != nil {
					return
				}
				defer far.Close()
				all.Go(func() { _, _ = io.Copy(far, near); far.Close() })
				_, _ = io.Copy(near, far)
			})
		}
	})
	return l.Addr().String()
}
