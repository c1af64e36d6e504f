// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

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
