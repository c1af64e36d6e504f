// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// memory is a file system that syncs nothing, where there is one: what a disk takes would take most of the test's time.
var memory = func() string {
	if _, err := os.Stat("/dev/shm"); err == nil {
		return "/dev/shm"
	}
	return ""
}()

// Whatever several processes raise it to, at the same time or one after the other, the file holds the highest that was
// acknowledged: also after a crash in the middle of the next write.
func TestTheMarkOnlyRises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(memory, "mark")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "mark")
		processes := []*highMark{{path: path}, {path: path}, {path: path}}
		var highest int64
		var torn int64 // what a crash came into the middle of
		t.Repeat(map[string]func(*rapid.T){
			"raise": func(t *rapid.T) {
				n := rapid.Int64Range(1, 1<<40).Draw(t, "to")
				p := rapid.SampledFrom(processes).Draw(t, "by")
				before, _ := os.ReadFile(path)
				if err := p.reach(context.Background(), n); err != nil {
					t.Fatal(err)
				}
				if after, err := os.ReadFile(path); err != nil || !keepsHighest(before, after, highest) {
					t.Fatalf("the line that counts was written over (%v)", err)
				}
				highest = max(highest, n)
			},
			"raise at once": func(t *rapid.T) {
				list := rapid.SliceOfN(rapid.Int64Range(1, 1<<40), 1, 8).Draw(t, "to")
				var all sync.WaitGroup
				for i, n := range list {
					all.Go(func() {
						if err := processes[i%len(processes)].reach(context.Background(), n); err != nil {
							t.Error(err)
						}
					})
					highest = max(highest, n)
				}
				all.Wait()
			},
			"crash in a write": func(t *rapid.T) {
				f, err := os.OpenFile(path, os.O_RDWR, 0)
				if err != nil {
					return // nothing was written yet
				}
				defer f.Close()
				_, other, err := readMark(f)
				if err != nil {
					t.Fatal(err)
				}
				torn = highest + rapid.Int64Range(1, 1<<40).Draw(t, "to")
				line := markLine(torn)
				if _, err := f.WriteAt(line[:rapid.IntRange(0, len(line)-2).Draw(t, "bytes")], other); err != nil {
					t.Fatal(err)
				}
			},
			"": func(t *rapid.T) {
				fresh := &highMark{path: path}
				n, _, err := fresh.known()
				if n == torn { // what it did not come to write was there already, from the line before
					highest = max(highest, n)
				}
				if err != nil || n != highest {
					t.Fatalf("%d, %v; the highest was %d", n, err, highest)
				}
			},
		})
		for _, p := range processes {
			p.work.Wait()
		}
	})
}

// keepsHighest reports whether the line that held the highest number is as it was: a crash in a write leaves it.
func keepsHighest(before, after []byte, highest int64) bool {
	for _, at := range []int{0, markBlock} {
		if len(before) > at && before[at] != 0 {
			if n, ok := parseMark(before[at:][:markBlock]); ok && n == highest {
				return bytes.Equal(before[at:][:markBlock], after[at:][:markBlock])
			}
		}
	}
	return true
}

// Whoever waits for a sync that does not come gives up; the mark is raised all the same once it can be.
func TestTheMarkWaitsForNobody(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mark")
	m := &highMark{path: path}
	if err := m.reach(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err == nil {
		err = waitLock(f)
	}
	if err != nil {
		t.Fatal(err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.reach(over, 2); err == nil {
		t.Error("acknowledged without having been written")
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	m.work.Wait()
	if n, _, err := (&highMark{path: path}).known(); err != nil || n != 2 {
		t.Errorf("%d, %v", n, err)
	}
}

func BenchmarkMark(b *testing.B) {
	m := &highMark{path: filepath.Join(b.TempDir(), "mark")}
	for i := int64(1); b.Loop(); i++ {
		if err := m.reach(b.Context(), i); err != nil {
			b.Fatal(err)
		}
	}
}
