// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"doorstep/mobile-sdk-spec/conformance"
)

// conformanceCmd plays the server's part to an SDK under test.
type conformanceCmd struct {
	Listen   string   `default:"127.0.0.1:8090" help:"Address to listen on; the SDK and its hands ask there (mobile-sdk-spec/SPEC.md, section 10)."`
	Scenario []string `placeholder:"NAME" help:"Tell only these stories."`
	Without  []string `placeholder:"FEATURE" help:"Leave out the stories of what the SDK's platform cannot do: pocket."`
	List     bool     `help:"List the stories and stop."`
	JSON     string   `name:"json" type:"path" placeholder:"FILE" help:"Write the verdicts as JSON too."`
	JUnit    string   `name:"junit" type:"path" placeholder:"FILE" help:"Write the verdicts as JUnit XML too."`
}

// Run waits until every story has been told, or the run is interrupted. It fails unless every rule was kept.
func (c *conformanceCmd) Run(ctx context.Context, s streams) error {
	if c.List {
		return c.list(s.out)
	}
	names, err := c.stories()
	if err != nil {
		return usageError{err}
	}
	suite, err := conformance.New(names...)
	if err != nil {
		return usageError{err}
	}
	suite.OnTold(func(t conformance.Told) {
		fmt.Fprintf(s.err, "%d of %d: %s%s\n", t.N, t.Of, t.Scenario, map[bool]string{true: ": " + t.Broken + " is broken"}[t.Broken != ""])
	})
	if _, err := hostPort("--listen", c.Listen); err != nil {
		return err
	}
	if err := errors.Join(writable("--json", c.JSON), writable("--junit", c.JUnit)); err != nil {
		return err
	}
	at, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w: choose another port", c.Listen, err)
	}
	server := &http.Server{Handler: suite, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(at) }() // it ends when the server is closed
	defer server.Close()
	fmt.Fprintf(s.out, "Point the SDK under test and its hands at http://%s\n", at.Addr())
	select {
	case <-suite.Done():
	case <-ctx.Done():
	}
	return c.say(suite.Report(), s.out)
}

// stories are the names of those that are told; none for all.
func (c *conformanceCmd) stories() ([]string, error) {
	if len(c.Without) == 0 {
		return c.Scenario, nil
	}
	all, err := conformance.Scenarios()
	if err != nil {
		return nil, err
	}
	var names, features []string
	for _, sc := range all {
		if sc.Needs != "" {
			features = append(features, sc.Needs)
		}
		if !slices.Contains(c.Without, sc.Needs) && (len(c.Scenario) == 0 || slices.Contains(c.Scenario, sc.Name)) {
			names = append(names, sc.Name)
		}
	}
	for _, w := range c.Without {
		if !slices.Contains(features, w) {
			return nil, fmt.Errorf("--without %s: no story needs that: choose from %s", w, strings.Join(slices.Compact(slices.Sorted(slices.Values(features))), ", "))
		}
	}
	if len(names) == 0 {
		return nil, errors.New("--without: no story is left: name others with --scenario")
	}
	return names, nil
}

// say writes the report in every form that was asked for.
func (c *conformanceCmd) say(r conformance.Report, out io.Writer) error {
	err := errors.Join(r.Text(out), write(c.JSON, r.JSON), write(c.JUnit, r.JUnit))
	if err == nil && !r.OK {
		err = errors.New("the SDK does not conform: each rule above is explained under its name in mobile-sdk-spec/SPEC.md")
	}
	return err
}

// writable makes sure, before anybody is told a story, that there will be a place for the verdicts.
func writable(flag, name string) error {
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("%s: %w: name a file in a folder that is there", flag, err)
	}
	return f.Close()
}

// write makes a file, unless it has no name.
func write(name string, content func(io.Writer) error) error {
	if name == "" {
		return nil
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(content(f), f.Close())
}

func (c *conformanceCmd) list(out io.Writer) error {
	all, err := conformance.Scenarios()
	for _, sc := range all {
		fmt.Fprintf(out, "%-16s %s\n", sc.Name, sc.Story)
	}
	return err
}
