// SPDX-License-Identifier: Apache-2.0

package live

import "time"

// Allow replaces tracking.WriteDeadline: a negative one makes every write late.
func (o Options) Allow(d time.Duration) Options {
	o.allow = d
	return o
}

// The unexported that tests look at directly.
var (
	Translate  = translate
	ParseURL   = parseURL
	AppendHead = appendShownHead
)
