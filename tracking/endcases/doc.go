// SPDX-License-Identifier: Apache-2.0

// Package endcases holds the list of what can happen to the end of a session, each case with the tests that show what
// comes of it, and of the guards of package endmodel, each with the mutants of the real code that the same tests must
// find: lines.json. Its own tests keep ENDING.md equal to that list, see that every test named is there and (given the
// report of a run) has passed, and take each guard out of the real code to see that it is missed. Package
// consent/evidence says how to run them.
package endcases
