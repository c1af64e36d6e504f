// SPDX-License-Identifier: Apache-2.0

//go:build race

package sqlstore_test

// changedBytes: the race detector makes each ten times as slow.
const changedBytes = "10"

// randomHistories is how many are tried.
const randomHistories = "3"
