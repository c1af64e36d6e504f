// SPDX-License-Identifier: Apache-2.0

// Command account says, at the end of a whole test run, what is documented of the protocol and no server has ever sent.
// What was sent and is not documented has failed the test that brought it about.
package main

import (
	"fmt"
	"os"

	"doorstep/mobile-sdk-spec/witness"
)

func main() {
	a, err := witness.Take(os.Getenv(witness.Folder))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%d of %d documented answers, frames, members, values and codes were seen\n", a.Seen, a.Of)
	for _, name := range a.Never {
		fmt.Fprintln(os.Stderr, "documented, and never sent:", name)
	}
	if len(a.Never) > 0 {
		os.Exit(1)
	}
}
