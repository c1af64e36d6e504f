// SPDX-License-Identifier: Apache-2.0

//go:build !race

package geofence

// oneOf is how many rows of an oracle one stands for where asking takes long.
const oneOf = 1
