// SPDX-License-Identifier: Apache-2.0

package redisserver

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"
)

// StartCluster, cut and failed over: the replica comes up with what it knew, and without what it was kept from.
func TestCluster(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := StartCluster(ctx, 3)
	if errors.Is(err, ErrNoBinary) && os.Getenv("CI") != "true" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	const key = "ds:{s}:v:1"
	i, err := c.Of(ctx, key)
	if err != nil {
		t.Fatal(err)
	}
	do := func(s *Server, command ...any) {
		t.Helper()
		if err := s.Do(ctx, command...); err != nil {
			t.Fatal(err)
		}
	}
	do(c.Primaries[i], "SET", key, "known", "PX", 60000)
	do(c.Primaries[i], "WAIT", 1, 0)
	if err := c.Cut(ctx, i); err != nil {
		t.Fatal(err)
	}
	do(c.Primaries[i], "SET", key, "unknown", "PX", 60000)
	if err := c.FailOver(ctx, i); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Replicas[i].ask(ctx, "GET", key); err != nil || got != "known" {
		t.Errorf("the new primary holds %q, %v", got, err)
	}
}
