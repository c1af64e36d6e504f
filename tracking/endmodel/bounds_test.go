// SPDX-License-Identifier: Apache-2.0

//go:build !race

package endmodel

// failoversTried lets a second failover undo what was repaired after the first.
const failoversTried = 2
