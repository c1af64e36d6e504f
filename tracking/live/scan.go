// SPDX-License-Identifier: Apache-2.0

package live

import "context"

// Scan counts the keys that still hold anything but a tombstone for the given visits.
func Scan(ctx context.Context, url string, visits []string) (left int, err error) {
	return 0, errUnwired
}

// CheckDurability refuses a Redis that writes to disk.
func CheckDurability(ctx context.Context, url string) (warnings []string, err error) {
	return nil, errUnwired
}
