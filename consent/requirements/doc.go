// SPDX-License-Identifier: Apache-2.0

// Package requirements holds the list of what the law asks of consent, 47 lines, each with what does it,
// the tests that show it, and the mutants that those tests must find: lines.json. Its own tests keep
// REQUIREMENTS.md equal to that list, see that every test named is there and (given the report of a run) has
// passed, and take each guard out of the real code to see that it is missed. Package evidence says how to run them.
package requirements
