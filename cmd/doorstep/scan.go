// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"doorstep/cmd/doorstep/crowd"
	"doorstep/tracking/live"
)

// scanCmd is the other process that looks into the live state for the demonstration: for each line
// with visits on standard input it scans the keyspace at once, and answers with the number of keys
// that still hold anything of them. The address comes by environment, since it holds a password.
type scanCmd struct{}

const scanURLEnv = "DOORSTEP_SCAN_URL"

// Run answers until its input ends.
func (*scanCmd) Run(ctx context.Context, s streams) error {
	url := os.Getenv(scanURLEnv)
	if url == "" {
		return usageError{errors.New(scanURLEnv + " is not set: it names the Redis to look into")}
	}
	lines := bufio.NewScanner(s.in)
	for lines.Scan() {
		left, err := live.Scan(ctx, url, strings.Fields(lines.Text()))
		if err != nil {
			return err
		}
		fmt.Fprintln(s.out, left)
	}
	return lines.Err()
}

// scanChildEnv lets a test binary, which is what os.Executable names in a test, act as the program.
const scanChildEnv = "DOORSTEP_SCAN_CHILD"

// scanner looks into the live state for what it still holds of a visit: from another process, if it
// is in Redis. The in-memory twin can only be looked into from here.
func (st *stack) scanner(ctx context.Context) (s crowd.Scanner, stop func(), err error) {
	if m, ok := st.live.(*live.Memory); ok {
		return memoryScanner{m}, func() {}, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	cmd := exec.CommandContext(ctx, self, "scan")
	cmd.Env = append(os.Environ(), scanURLEnv+"="+st.scanURL, scanChildEnv+"=1")
	cmd.Stderr = os.Stderr
	p, err := crowd.StartScan(cmd)
	if err != nil {
		return nil, nil, err
	}
	return p, p.Close, nil
}

type memoryScanner struct{ memory *live.Memory }

func (s memoryScanner) Left(visit string) (int, error) {
	n := 0
	for _, k := range s.memory.Keys() {
		if k.Slot.Visit == visit && !k.Tombstone {
			n++
		}
	}
	return n, nil
}
