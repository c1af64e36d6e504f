// SPDX-License-Identifier: Apache-2.0

// Command search looks through all that the servers of a whole test run have said: logs, metrics and dumps of the live
// state hold no coordinate of the tests' store and no id that a test watched for. Having found nothing to look through
// is a failure.
package main

import (
	"fmt"
	"os"

	"doorstep/tracking/canary"
)

func main() {
	dir := os.Getenv(canary.Folder)
	f, err := canary.Search(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	least := map[canary.Kind]int{canary.Logs: 10_000, canary.Metrics: 10_000, canary.Live: 100} // bytes
	failed := len(f.Hits) > 0 || f.Watched < 100
	for kind, bytes := range least {
		fmt.Printf("%s: %d bytes in %d files\n", kind, f.Bytes[kind], f.Files[kind])
		failed = failed || f.Bytes[kind] < bytes
	}
	fmt.Printf("watched for %d ids\n", f.Watched)
	for _, hit := range f.Hits {
		fmt.Fprintln(os.Stderr, hit)
	}
	if failed {
		fmt.Fprintln(os.Stderr, "somebody is named, or too little was collected to say that nobody is")
		os.Exit(1)
	}
}
