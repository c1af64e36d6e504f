// SPDX-License-Identifier: Apache-2.0

package redisserver

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// slotCount is how many slots a cluster has.
const slotCount = 16384

// Cluster is a Redis Cluster of children, as tests need it: each primary with one replica, all with the same
// passwords, since a client has one for all of them.
type Cluster struct {
	Primaries []*Server // as they were at the start; a failover changes the roles
	Replicas  []*Server // the one at i began as the replica of the primary at i

	app, admin string // passwords
	bus        int    // the first primary's port for the others
}

// StartCluster starts a cluster of so many primaries and as many replicas, the slots shared out evenly, and waits
// until every node calls it whole. ErrNoBinary if no redis-server is installed.
func StartCluster(ctx context.Context, primaries int) (c *Cluster, err error) {
	c = &Cluster{app: rand.Text(), admin: rand.Text()}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	for i := range 2 * primaries {
		s, err := c.startNode(ctx)
		switch {
		case err != nil:
			return c, err
		case i < primaries:
			c.Primaries = append(c.Primaries, s)
		default:
			c.Replicas = append(c.Replicas, s)
		}
	}
	return c, c.join(ctx)
}

// startNode starts a server that is a cluster of its own, and gives it the passwords that all have.
func (c *Cluster) startNode(ctx context.Context) (*Server, error) {
	bus, err := freePort() // the usual one, 10000 above the other, need not be free, nor a port at all
	if err != nil {
		return nil, err
	}
	s, err := Start(ctx, "cluster-enabled yes", fmt.Sprintf("cluster-port %d", bus),
		"cluster-node-timeout 2000", "cluster-replica-validity-factor 0", "cluster-allow-replica-migration no",
		"repl-diskless-sync-delay 0", "masteruser "+adminUser, "masterauth "+c.admin)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(s.Do(ctx, "ACL", "SETUSER", appUser, ">"+c.app), s.Do(ctx, "ACL", "SETUSER", adminUser, ">"+c.admin)); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	s.app, s.admin = c.app, c.admin
	if c.bus == 0 {
		c.bus = bus
	}
	return s, nil
}

// join makes one cluster of the servers.
func (c *Cluster) join(ctx context.Context) error {
	first := c.Primaries[0]
	for i, s := range c.Primaries {
		from, to := i*slotCount/len(c.Primaries), (i+1)*slotCount/len(c.Primaries)-1
		if err := s.Do(ctx, "CLUSTER", "ADDSLOTSRANGE", from, to); err != nil {
			return err
		}
	}
	for _, s := range c.servers()[1:] {
		if err := s.Do(ctx, "CLUSTER", "MEET", "127.0.0.1", first.port, c.bus); err != nil {
			return err
		}
	}
	for i, s := range c.Replicas {
		id, err := c.Primaries[i].ask(ctx, "CLUSTER", "MYID")
		if err != nil {
			return err
		}
		if err := patiently(ctx, func() error { return s.Do(ctx, "CLUSTER", "REPLICATE", id) }); err != nil { // refused until it has heard of it
			return err
		}
	}
	return patiently(ctx, func() error { return c.whole(ctx) })
}

// whole returns an error as long as some node does not know of all others, or some replica does not follow.
func (c *Cluster) whole(ctx context.Context) error {
	known := fmt.Sprintf("cluster_known_nodes:%d\r\n", len(c.servers()))
	for _, s := range c.servers() {
		info, err := s.ask(ctx, "CLUSTER", "INFO")
		if err == nil && !(strings.Contains(info, "cluster_state:ok") && strings.Contains(info, known)) {
			err = fmt.Errorf("redisserver: %s does not know the whole cluster", s.Addr())
		}
		if err != nil {
			return err
		}
	}
	for _, s := range c.Replicas {
		info, err := s.ask(ctx, "INFO", "replication")
		if err == nil && !strings.Contains(info, "master_link_status:up") {
			err = fmt.Errorf("redisserver: %s does not follow its primary", s.Addr())
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// servers are all of them, the first primary first.
func (c *Cluster) servers() []*Server { return slices.Concat(c.Primaries, c.Replicas) }

// URL is for the application's user. It names every node, since any may be gone.
func (c *Cluster) URL() string { return c.url((*Server).URL) }

// AdminURL is for the operator's user.
func (c *Cluster) AdminURL() string { return c.url((*Server).AdminURL) }

func (c *Cluster) url(of func(*Server) string) string {
	more := url.Values{}
	for _, s := range c.servers()[1:] {
		more.Add("addr", s.Addr())
	}
	return of(c.Primaries[0]) + "?" + more.Encode()
}

// Close ends all of it.
func (c *Cluster) Close() error {
	var errs []error
	for _, s := range c.servers() {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// Do sends one command as the operator: what a test does to a server behind its clients' backs.
func (s *Server) Do(ctx context.Context, command ...any) error {
	_, err := s.command(ctx, command...).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return fmt.Errorf("redisserver: %v: %w", command[0], err)
	}
	return nil
}

// ask is Do with an answer that is a text.
func (s *Server) ask(ctx context.Context, command ...any) (string, error) {
	return s.command(ctx, command...).Text()
}

func (s *Server) command(ctx context.Context, command ...any) *redis.Cmd {
	client := s.client()
	defer client.Close()
	return client.Do(ctx, command...)
}

func (s *Server) client() *redis.Client {
	return redis.NewClient(&redis.Options{Addr: s.Addr(), Username: adminUser, Password: s.admin, MaxRetries: -1, Protocol: 2})
}

// patiently tries until it succeeds, or ctx has ended.
func patiently(ctx context.Context, try func() error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}
