// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import "os"

func isWriter() bool { return os.Getenv("DOORSTEP_TEST_LEDGER") != "" }

func writeUntilKilled() {}
