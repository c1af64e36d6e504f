// SPDX-License-Identifier: Apache-2.0

// Package canary is for tests: it collects what the servers under test say, in logs, metrics and dumps of the live
// state, and searches it for what must never be said. Each test searches its own; if DOORSTEP_TEST_LOGS names a folder,
// all of it is kept there as well, and at the end of a whole run everything is searched for everything (the command
// in folder search). So a coordinate that one package's server got from another package's test would be found too.
package canary

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Folder is the variable that names the folder of a whole run.
const Folder = "DOORSTEP_TEST_LOGS"

// Kind is what was collected.
type Kind string

// The kinds. The live state holds positions for seconds, under pseudonyms: it is searched for ids only.
const (
	Logs    Kind = "logs"
	Metrics Kind = "metrics"
	Live    Kind = "live"
)

// place is how a latitude of the tests' own store looks, in whatever precision, from some ten metres on; eastward, how a
// longitude does: by its name, or as exactly as no count of seconds is by chance, and not before a unit of time.
var (
	place    = regexp.MustCompile(`\b(53\.999|54\.000)[0-9]{1,}`)
	eastward = regexp.MustCompile(`(?i:\b(lng|lon|longitude)\W+)(2\.99[89]|3\.00[0-2])[0-9]*|\b(2\.99[89]|3\.00[0-2])[0-9]{3,}([^0-9a-zµ]|$)`)
)

// Aviary is what one test keeps.
type Aviary struct {
	t testing.TB

	mu      sync.Mutex
	kept    map[Kind]*bytes.Buffer
	watched map[string]bool
}

// New begins to collect. When the test is over it is searched, and kept.
func New(t testing.TB) *Aviary {
	a := &Aviary{t: t, kept: map[Kind]*bytes.Buffer{}, watched: map[string]bool{}}
	t.Cleanup(a.close)
	return a
}

// Log is a log at the lowest level.
func (a *Aviary) Log() *slog.Logger {
	return slog.New(slog.NewTextHandler(writer{a, Logs}, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

type writer struct {
	a    *Aviary
	kind Kind
}

func (w writer) Write(b []byte) (int, error) {
	w.a.Keep(w.kind, b)
	return len(b), nil
}

// Keep collects text.
func (a *Aviary) Keep(kind Kind, text []byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.kept[kind] == nil {
		a.kept[kind] = &bytes.Buffer{}
	}
	a.kept[kind].Write(text)
}

// Watch names ids that must be in nothing that is collected: of shoppers, installations, visits. Short ones are not
// searched for; they would be found in words.
func (a *Aviary) Watch(ids ...string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		if len(id) >= 16 {
			a.watched[id] = true
		}
	}
}

func (a *Aviary) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for kind, text := range a.kept {
		for _, hit := range find(kind, text.String(), a.watched) {
			a.t.Errorf("in the %s: %s", kind, hit)
		}
	}
	if dir := os.Getenv(Folder); dir != "" {
		if err := a.save(dir); err != nil {
			a.t.Error(err)
		}
	}
}

// save writes one file of each kind, and one of what is watched for.
func (a *Aviary) save(dir string) error {
	h := fnv.New64a()
	fmt.Fprint(h, os.Args[0], a.t.Name())
	name := hex.EncodeToString(h.Sum(nil)) + ".txt"
	files := map[string][]byte{}
	for kind, text := range a.kept {
		files[string(kind)] = text.Bytes()
	}
	var ids strings.Builder
	for id := range a.watched {
		fmt.Fprintln(&ids, id)
	}
	files["watched"] = []byte(ids.String())
	for kind, text := range files {
		if err := os.MkdirAll(filepath.Join(dir, kind), 0o700); err != nil {
			return err
		}
		f, err := os.OpenFile(filepath.Join(dir, kind, name), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(text)
		if closed := f.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// find lists the lines of text in which something is said that must not be; not what it is.
func find(kind Kind, text string, watched map[string]bool) (hits []string) {
	lengths := lengthsOf(watched)
	for n, line := range strings.Split(text, "\n") {
		if kind != Live && place.MatchString(line) {
			hits = append(hits, fmt.Sprintf("a coordinate in line %d: %s", n+1, place.ReplaceAllString(line, "…")))
		}
		if kind == Logs && eastward.MatchString(line) {
			hits = append(hits, fmt.Sprintf("a longitude in line %d: %s", n+1, eastward.ReplaceAllString(line, "…")))
		}
		for _, word := range words.FindAllString(line, -1) {
			if id := within(word, watched, lengths); id != "" {
				hits = append(hits, fmt.Sprintf("an id in line %d: %s", n+1, strings.ReplaceAll(line, id, "…")))
			}
		}
	}
	return hits
}

// within is an id that is a part of a word, or all of it.
func within(word string, watched map[string]bool, lengths []int) string {
	for _, n := range lengths {
		for i := 0; i+n <= len(word); i++ {
			if watched[word[i:i+n]] {
				return word[i : i+n]
			}
		}
	}
	return ""
}

// lengthsOf lists how long ids are.
func lengthsOf(ids map[string]bool) []int {
	seen := map[int]bool{}
	for id := range ids {
		if len(id) >= leastID {
			seen[len(id)] = true
		}
	}
	return slices.Collect(maps.Keys(seen))
}

// leastID is how long an id is at least. What is shorter, a test's own word for a shopper, is in other words by chance.
const leastID = 16

// words are what ids consist of: hex, base64url, UUIDs.
var words = regexp.MustCompile(`[0-9A-Za-z_-]{16,}`)

// Found is what a search has seen.
type Found struct {
	Files   map[Kind]int
	Bytes   map[Kind]int
	Watched int
	Hits    []string
}

// Search searches a whole run's folder: everything in it for everything that any test watched for.
func Search(dir string) (f Found, err error) {
	f.Files, f.Bytes = map[Kind]int{}, map[Kind]int{}
	watched := map[string]bool{}
	err = eachFile(filepath.Join(dir, "watched"), func(_, text string) {
		for id := range strings.SplitSeq(text, "\n") {
			if len(id) >= leastID {
				watched[id] = true
			}
		}
	})
	f.Watched = len(watched)
	for _, kind := range []Kind{Logs, Metrics, Live} {
		if err != nil {
			return f, err
		}
		err = eachFile(filepath.Join(dir, string(kind)), func(name, text string) {
			f.Files[kind]++
			f.Bytes[kind] += len(text)
			for _, hit := range find(kind, text, watched) {
				f.Hits = append(f.Hits, fmt.Sprintf("%s/%s: %s", kind, name, hit))
			}
		})
	}
	return f, err
}

func eachFile(dir string, see func(name, text string)) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("nothing was collected: %w", err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return err
		}
		see(e.Name(), string(b))
	}
	return nil
}
