// SPDX-License-Identifier: Apache-2.0

//go:build race

package geofence

// oneOf is how many rows of an oracle one stands for where asking takes long. Under the race detector all of them take over a
// minute; .ci/run tries this package without it.
const oneOf = 5
