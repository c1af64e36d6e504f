// SPDX-License-Identifier: Apache-2.0

//go:build !race

package sqlstore_test

// changedBytes is how many changes of a byte are tried in one run.
const changedBytes = "150"

// randomHistories is how many are tried.
const randomHistories = "30"
