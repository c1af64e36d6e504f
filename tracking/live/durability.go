// SPDX-License-Identifier: Apache-2.0

package live

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"
)

// ErrWritesToDisk is what CheckDurability answers about a Redis that would keep positions.
var ErrWritesToDisk = errors.New("this Redis would write positions to a disk or a log")

// Finding is one setting that must be otherwise.
type Finding struct {
	Node    string // host:port
	Setting string
	Value   string // what it is
	Fix     string // the line of redis.conf, which CONFIG SET takes too
}

// DurabilityError names every setting that must be otherwise. It is an ErrWritesToDisk.
type DurabilityError struct{ Findings []Finding }

// Error lists the settings with their fixes.
func (e *DurabilityError) Error() string {
	var b strings.Builder
	b.WriteString("live: " + ErrWritesToDisk.Error())
	for _, f := range e.Findings {
		fmt.Fprintf(&b, "; %s: %s is %q, set: %s", f.Node, f.Setting, f.Value, f.Fix)
	}
	return b.String()
}

// Is makes it an ErrWritesToDisk.
func (e *DurabilityError) Is(target error) bool { return target == ErrWritesToDisk }

// rule is what one setting must be, and why.
type rule struct {
	setting string
	ok      func(string) bool
	fix     string
}

func is(want string) func(string) bool { return func(v string) bool { return v == want } }

// rules: the first two persist; the next three write what they send, receive or leave behind to a
// file; the two logs keep arguments; and a tombstone that is evicted fences nothing.
var rules = []rule{
	{"save", is(""), `save ""`},
	{"appendonly", is("no"), "appendonly no"},
	{"repl-diskless-sync", is("yes"), "repl-diskless-sync yes"},
	{"repl-diskless-load", is("swapdb"), "repl-diskless-load swapdb"},
	{"shutdown-on-sigterm", neverSaves, "shutdown-on-sigterm nosave"},
	{"shutdown-on-sigint", neverSaves, "shutdown-on-sigint nosave"},
	{"crash-log-enabled", is("no"), "crash-log-enabled no"},
	{"slowlog-log-slower-than", func(v string) bool { return strings.HasPrefix(v, "-") }, "slowlog-log-slower-than -1"},
	{"maxmemory-policy", is("noeviction"), "maxmemory-policy noeviction"},
}

// neverSaves: the default saves only if there are save points, which another rule excludes.
func neverSaves(v string) bool {
	for word := range strings.FieldsSeq(v) {
		if word == "save" {
			return false
		}
	}
	return true
}

// CheckDurability refuses a Redis that would write positions to a disk or keep them in a log: a
// DurabilityError names each setting and its fix. Of a cluster it asks replicas too; those of a
// single primary have to be asked one by one. What cannot be found out is a warning: a user who
// may not CONFIG GET, a setting this version does not have, swap.
func CheckDurability(ctx context.Context, url string) (warnings []string, err error) {
	var opts Options
	opts.defaults()
	t, err := dial(ctx, url, opts)
	if err != nil {
		return nil, err
	}
	defer t.client.Close()
	var mu sync.Mutex // guards warnings and findings: nodes are asked at once
	var findings []Finding
	err = t.each(ctx, true, func(ctx context.Context, c *redis.Client) error {
		f, w, err := checkNode(ctx, c)
		mu.Lock()
		defer mu.Unlock()
		findings, warnings = append(findings, f...), append(warnings, w...)
		return err
	})
	if err != nil {
		return warnings, translate("CheckDurability", t.place, err)
	}
	if len(findings) > 0 {
		return warnings, &DurabilityError{Findings: findings}
	}
	return warnings, nil
}

func checkNode(ctx context.Context, c *redis.Client) (findings []Finding, warnings []string, err error) {
	node := c.Options().Addr
	for _, r := range rules {
		values, err := c.ConfigGet(ctx, r.setting).Result()
		if forbidden(err) {
			return nil, []string{node + ": this user may not CONFIG GET, so whether Redis writes to a disk is unknown; check with an operator's URL"}, nil
		}
		if err != nil {
			return nil, nil, err
		}
		value, known := values[r.setting]
		switch {
		case !known:
			warnings = append(warnings, fmt.Sprintf("%s: does not have the setting %s; Redis 7.0 or later is needed", node, r.setting))
		case !r.ok(value):
			findings = append(findings, Finding{Node: node, Setting: r.setting, Value: value, Fix: r.fix})
		}
	}
	return findings, warnings, nil
}

// forbidden reports whether an access list, or a provider who took the command away, said no.
func forbidden(err error) bool {
	return err != nil && (strings.HasPrefix(err.Error(), "NOPERM") || strings.HasPrefix(err.Error(), "ERR unknown command"))
}

// Fixes are the lines of redis.conf that CheckDurability asks for.
func Fixes() []string {
	var list []string
	for _, r := range rules {
		list = append(list, r.fix)
	}
	return list
}
