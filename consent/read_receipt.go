// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// ReadReceipt reads what a receipt says without checking that it is true. It is for one's own, out of one's own
// database; for all others there is VerifyReceipt.
func ReadReceipt(jws string) (Receipt, error) {
	var r Receipt
	if _, _, err := jwt.NewParser().ParseUnverified(jws, &r); err != nil {
		return Receipt{}, fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	return r, nil
}
