// SPDX-License-Identifier: Apache-2.0

package geofence

import (
	"fmt"
	"testing"
)

// A store of several levels is called by what its boundaries' names have in common, unless the files
// or whoever loads them say better.
func TestNameOfSeveralLevels(t *testing.T) {
	level := func(name, floorName string, floor int) string {
		return fmt.Sprintf(`{"type":"Feature","id":"b%d","properties":{"kind":"boundary","name":%q,"floor_name":%q,"floor":%d},"geometry":{"type":"Polygon","coordinates":[%s]}}`,
			floor, name, floorName, floor, square)
	}
	for _, c := range []struct {
		first, second, option, want string
	}{
		{level("West Mall B1", "B1", -1), level("West Mall F1", "F1", 1), "", "West Mall"},
		{level("西溪城 B1", "B1", -1), level("西溪城 F1", "F1", 1), "", "西溪城"},
		{level("West Mall – B1", "B1", -1), level("F1", "F1", 1), "", "West Mall"},
		{level("B1", "B1", -1), level("F1", "F1", 1), "", "west"},
		{level("Shelf1", "f1", 1), level("Shelf1", "f2", 2), "", "Shelf1"},
		{level("West Mall", "", 0), level("First", "", 1), "", "West Mall"},
		{level("West Mall B1", "B1", -1), level("West Mall F1", "F1", 1), "Another", "Another"},
	} {
		site, _, err := LoadWith("west", Options{Name: c.option}, collection(c.first, c.second))
		if err != nil {
			t.Fatal(err)
		}
		if site.Name != c.want {
			t.Errorf("called %q, want %q", site.Name, c.want)
		}
	}
}
