// SPDX-License-Identifier: Apache-2.0

package consent

import "time"

// SignIn is that somebody of the staff is signed in at a page, as every node sees it.
type SignIn struct {
	ID     string    // hash of the cookie's secret
	Who    string    // and, on a device that several people use, the hash of a PIN: sealed by the caller, for ID
	Device string    // hash of that device's secret; empty on a device of their own
	Locked bool      // nothing is done by it until it is renewed
	Ends   time.Time // Prune forgets it then
	Used   time.Time
	Acted  time.Time // when a person last did something, on a device that several people use
}
