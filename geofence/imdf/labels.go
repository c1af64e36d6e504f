// SPDX-License-Identifier: Apache-2.0

package imdf

import "strings"

// label picks a name out of a set of labels (OGC 20-094, Type Designators: texts by language tag): in the
// language wanted, else in a regional kind of it, else in English, else the first by tag.
func label(v any, language string) string {
	labels, _ := v.(map[string]any)
	if text, ok := v.(string); ok { // not IMDF, but seen
		return text
	}
	for _, match := range []func(tag string) bool{
		func(tag string) bool { return strings.EqualFold(tag, language) },
		func(tag string) bool { return language != "" && base(tag) == base(language) },
		func(tag string) bool { return base(tag) == "en" },
		func(string) bool { return true },
	} {
		for _, tag := range sorted(labels) {
			if text, _ := labels[tag].(string); text != "" && match(tag) {
				return text
			}
		}
	}
	return ""
}

// base is the language of a tag, without script and region.
func base(tag string) string {
	lang, _, _ := strings.Cut(strings.ToLower(tag), "-")
	return lang
}
