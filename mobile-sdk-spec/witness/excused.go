// SPDX-License-Identifier: Apache-2.0

package witness

// Why something that is documented was never seen. Neither is this server's to send; clients know both, and the conformance
// run, which plays a server that does, judges what they do then.
const (
	slower = "a server may slow its phones down; this one has room for all at the rates of its welcome, and closes who keeps to none (4004)"
	coarse = "a server may end a session whose phone has approximate locations only; this one refuses each fix as approximate, and the lease ends it (4003)"
)

// excused are names that a whole run need not show, each with the reason. The account says which are seen all the same: those
// excuses can go.
var excused = map[string]string{
	"out close 4505": coarse,

	"out-throttle": slower, "out-throttle.type": slower, "out-throttle.min_ms": slower, "out-throttle.for_ms": slower,
}
