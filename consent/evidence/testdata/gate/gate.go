// SPDX-License-Identifier: Apache-2.0

// Package gate is there to be mutated.
package gate

// Lets reports whether whoever is so old, with a ticket or without one, is let in.
func Lets(age int, ticket *string) bool {
	if ticket == nil || *ticket == "" {
		return false
	}
	return age >= 14
}
