// SPDX-License-Identifier: Apache-2.0

package wire

// Decode reads one frame into in, which it overwrites. A refusal is an [*Error]; in then holds nothing
// to be used.
func (in *In) Decode(b []byte) error {
	*in = In{}
	return &Error{Code: CodeMalformed}
}
