// SPDX-License-Identifier: Apache-2.0

package consent

// PageWords are the pages' own words, for their test.
func PageWords() map[string]map[string]string { return pageWords() }
