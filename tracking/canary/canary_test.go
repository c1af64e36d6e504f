// SPDX-License-Identifier: Apache-2.0

package canary

import (
	"testing"
)

// quiet is a test whose complaints are counted.
type quiet struct {
	testing.TB
	complaints int
	after      []func()
}

func (q *quiet) Errorf(string, ...any) { q.complaints++ }
func (q *quiet) Cleanup(f func())      { q.after = append(q.after, f) }

func (q *quiet) end() int {
	for _, f := range q.after {
		f()
	}
	return q.complaints
}

const id = "0123456789abcdef0123456789abcdef"

func TestATestFindsWhatItsServerSays(t *testing.T) {
	t.Setenv(Folder, "") // what is found here is not the run's
	for name, c := range map[string]struct {
		say  func(a *Aviary)
		want int
	}{
		"nothing":                 {func(a *Aviary) { a.Log().Info("ready", "took", "54.2s", "n", 3.0001, "for", "3.0001234s") }, 0},
		"a coordinate":            {func(a *Aviary) { a.Log().Info("fix", "lat", 53.9997190) }, 1},
		"a coordinate, rounded":   {func(a *Aviary) { a.Log().Info("fix", "lat", "54.0001") }, 1},
		"a longitude":             {func(a *Aviary) { a.Log().Info("fix", "at", 3.0000213) }, 1},
		"a longitude, rounded":    {func(a *Aviary) { a.Log().Info("fix", "lng", "3.0004") }, 1},
		"an id in a longer word":  {func(a *Aviary) { a.Log().Info("gone", "what", "visit_"+id+"2") }, 1},
		"an id":                   {func(a *Aviary) { a.Log().Info("gone", "visit", id) }, 1},
		"an id within":            {func(a *Aviary) { a.Keep(Metrics, []byte(`sessions{of="`+id+`"} 1`)) }, 1},
		"a position where it is":  {func(a *Aviary) { a.Keep(Live, []byte(`{"lat":53.9997190}`)) }, 0},
		"an id in the live state": {func(a *Aviary) { a.Keep(Live, []byte("ds:{shop}:v:"+id)) }, 1},
	} {
		q := &quiet{TB: t}
		a := New(q)
		a.Watch(id, "short")
		c.say(a)
		if got := q.end(); got != c.want {
			t.Errorf("%s: %d complaints, want %d", name, got, c.want)
		}
	}
}

// What one test's server says is searched for what another test watches for.
func TestAWholeRunIsSearched(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(Folder, dir)
	if _, err := Search(dir); err == nil {
		t.Error("nothing was collected, and that is all right")
	}
	one, other := &quiet{TB: t}, &quiet{TB: t}
	a, b := New(one), New(other)
	a.Watch(id)
	b.Log().Info("gone", "visit", id)
	b.Keep(Metrics, []byte("sessions 1\n"))
	b.Keep(Live, []byte("keys\n"))
	if one.end()+other.end() != 0 {
		t.Error("each by itself finds nothing")
	}
	f, err := Search(dir)
	if err != nil || len(f.Hits) != 1 || f.Watched != 1 || f.Files[Logs] != 1 || f.Bytes[Metrics] == 0 || f.Bytes[Live] == 0 {
		t.Errorf("found %+v, %v", f, err)
	}
}
