// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/cmd/doorstep/demostore"
)

// A folder of walks that is of no use is refused with its place and a remedy.
func TestReadRoutesSaysWhatIsWrong(t *testing.T) {
	fence := demoFence(t)
	dir := t.TempDir()
	write := func(path, text string) string {
		t.Helper()
		path = filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("file.ndjson", "")
	write("none/readme.txt", "no walks here")
	write("folder/walk.ndjson/inside.txt", "")
	write("words/a.ndjson", "not a fix\n")
	write("still/a.ndjson", "{\"t\":1,\"lat\":1,\"lng\":1}\n")
	write("long/a.ndjson", strings.Repeat(" ", lineMost+1))
	write("elsewhere/a.ndjson", straight(1, 1, 40))
	in := middle(t)
	write("deep/a.ndjson", straight(in[0], in[1], 40))
	for name, c := range map[string]struct {
		path string
		says []string
	}{
		"missing":      {filepath.Join(dir, "missing"), []string{"missing: no such file or directory", "name the folder"}},
		"a file":       {file, []string{"file.ndjson: this is a file", "name the folder"}},
		"no walks":     {filepath.Join(dir, "none"), []string{"none: no recorded walks (*.ndjson)", "name the one"}},
		"a folder":     {filepath.Join(dir, "folder"), []string{"walk.ndjson: this is a folder", "rename it"}},
		"not a fix":    {filepath.Join(dir, "words"), []string{"a.ndjson:", "line 1", "correct it"}},
		"one fix":      {filepath.Join(dir, "still"), []string{"a.ndjson:", "fewer than two lines", "correct it"}},
		"a long line":  {filepath.Join(dir, "long"), []string{"a.ndjson: line 1: ", "give one fix a line"}},
		"another map":  {filepath.Join(dir, "elsewhere"), []string{"none comes within", demostore.ID, "belongs to the map"}},
		"not the door": {filepath.Join(dir, "deep"), []string{"none comes within", "belongs to the map"}},
	} {
		_, err := ReadRoutes(fence, c.path)
		if err == nil {
			t.Errorf("%s: nothing was wrong", name)
			continue
		}
		for _, part := range c.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", name, err, part)
			}
		}
	}
}

// straight is a recorded walk of n seconds that hardly moves.
func straight(lat, lng float64, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"t\":%d,\"lat\":%.8f,\"lng\":%.8f}\n", 1000*(i+1), lat+1e-8*float64(i), lng)
	}
	return b.String()
}

// middle is a point of the store that is far from its boundary: latitude and longitude.
func middle(t *testing.T) [2]float64 {
	t.Helper()
	r, err := ReadRoutes(demoFence(t), "")
	if err != nil {
		t.Fatal(err)
	}
	site, err := demostore.Load()
	if err != nil {
		t.Fatal(err)
	}
	frame := site.Frame()
	for x := -60.0; x < 60; x++ {
		for y := -60.0; y < 60; y++ {
			p := frame.LatLng(x, y)
			if r.fence.DistM(p.Lat, p.Lng, nil) < -nearDoor-2 {
				return [2]float64{p.Lat, p.Lng}
			}
		}
	}
	t.Fatal("the store is nowhere that deep")
	return [2]float64{}
}
