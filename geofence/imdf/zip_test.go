// SPDX-License-Identifier: Apache-2.0

package imdf

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"doorstep/geofence"
)

// entry is one file of an archive under construction.
type entry struct {
	zip.FileHeader
	data []byte
}

func entries(files map[string][]byte, dir string) (list []entry) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		list = append(list, entry{zip.FileHeader{Name: dir + name, Method: zip.Deflate}, files[name]})
	}
	return list
}

func pack(t testing.TB, list []entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range list {
		w, err := z.CreateHeader(&e.FileHeader)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(data []byte) (*Archive, error) {
	return ReadZip("map.zip", bytes.NewReader(data), int64(len(data)))
}

// However an honest archive is packed, it is the same store as the folder.
func TestZips(t *testing.T) {
	want, _ := mustLoad(t, quay(t))
	stored := entries(quay(t), "")
	for i := range stored {
		stored[i].Method = zip.Store
	}
	upper := map[string][]byte{}
	for name, data := range quay(t) {
		upper[strings.ToUpper(name)] = data
	}
	helpers := append(entries(quay(t), "Quay/"), entries(quay(t), "__MACOSX/Quay/._")...)
	helpers = append(helpers, entries(map[string][]byte{"__MACOSX/level.geojson": nil, "Quay/.DS_Store": []byte("x"), "Quay/readme.txt": nil, "Quay/photos/": nil}, "")...)
	shuffled := entries(quay(t), "a/b/")
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for name, list := range map[string][]entry{
		"streamed, deflated": entries(quay(t), ""), "stored": stored, "in a folder, with helpers": helpers, "upper case": entries(upper, ""), "deep and shuffled": shuffled,
	} {
		a, err := read(pack(t, list))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s, _, err := a.Load("quay", geofence.Options{}); err != nil || s.Version != want.Version {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

// Archives that no map maker makes are refused before they cost anything, with the entry's name.
func TestHostileZips(t *testing.T) {
	with := func(e ...entry) []entry { return append(entries(quay(t), ""), e...) }
	named := func(name string) entry { return entry{zip.FileHeader{Name: name}, []byte("x")} }
	link := named("unit2.geojson")
	link.SetMode(fs.ModeSymlink | 0o777)
	locked := named("secret.geojson")
	locked.Flags |= 1
	many := make([]entry, maxEntries)
	for i := range many {
		many[i] = named(fmt.Sprintf("f%d", i))
	}
	zeros := make([]byte, 8<<20)
	whole := pack(t, with())
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"nothing", nil, "map.zip: is not a zip archive"},
		{"cut short", whole[:len(whole)-30], "is not a zip archive"},
		{"cut at the front", whole[200:], ""},
		{"no map", pack(t, []entry{named("a.txt")}), "map.zip: is not an IMDF archive"},
		{"up and out", pack(t, with(named("../level.geojson"))), "map.zip/../level.geojson: its name leads out"},
		{"from the root", pack(t, with(named("/etc/passwd"))), "leads out of the archive"},
		{"backslashes", pack(t, with(named(`a\..\b`))), "leads out of the archive"},
		{"a drive", pack(t, with(named("a/../../b"))), "leads out of the archive"},
		{"a NUL", pack(t, with(named("level.geojson\x00.txt"))), "map.zip/level.geojson?.txt: its name leads out"},
		{"a link", pack(t, with(link)), "map.zip/unit2.geojson: is not a plain file"},
		{"a password", pack(t, with(locked)), "map.zip/secret.geojson: is encrypted"},
		{"twice", pack(t, with(named("level.geojson"))), "map.zip/level.geojson: is in the archive twice"},
		{"twice, differently", pack(t, with(named("Level.GeoJSON"))), "is in the archive twice"},
		{"two maps", pack(t, with(named("other/level.geojson"))), "lies in another folder"},
		{"many entries", pack(t, append(with(), many...)), fmt.Sprintf("more than %d", maxEntries)},
		{"a bomb", pack(t, with(entry{zip.FileHeader{Name: "geofence.geojson", Method: zip.Deflate}, zeros})), "map.zip/geofence.geojson: unpacks to more than 200 times its size"},
		{"a large file", pack(t, with(entry{zip.FileHeader{Name: "geofence.geojson", Method: zip.Deflate}, make([]byte, maxFile+1)})), "map.zip/geofence.geojson: unpacks to 16 MB"},
		{"a large archive", make([]byte, maxArchive+1), "map.zip: is 16 MB long"},
		{"a sum that is wrong", corrupt(t, whole), "cannot be unpacked"},
		{"a size that is a lie", lie(whole, "level.geojson", 10), "cannot be unpacked"},
		{"another method", method(whole, "level.geojson", 99), "cannot be unpacked"},
		{"a size beyond all", lie(whole, "level.geojson", 0xfffffffe), "unpacks to 4095 MB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := read(c.data)
			var e *geofence.Error
			if !errors.As(err, &e) || e.Remedy == "" || e.Where.File == "" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("said %v, want %q", err, c.want)
			}
			if strings.ContainsAny(fmt.Sprint(err), "\x00\r") {
				t.Errorf("the message carries control characters: %q", err)
			}
		})
	}
}

// corrupt turns a bit of the first file's packed bytes.
func corrupt(t *testing.T, data []byte) []byte {
	t.Helper()
	out := bytes.Clone(data)
	at := bytes.Index(out, []byte("PK\x03\x04"))
	out[at+60] ^= 0x40
	return out
}

// central finds a file's record in the archive's directory.
func central(data []byte, name string) (record []byte) {
	for at := 0; ; at += 4 {
		i := bytes.Index(data[at:], []byte("PK\x01\x02"))
		at += i
		if n := int(binary.LittleEndian.Uint16(data[at+28:])); string(data[at+46:at+46+n]) == name {
			return data[at:]
		}
	}
}

func lie(data []byte, name string, size uint32) []byte {
	out := bytes.Clone(data)
	binary.LittleEndian.PutUint32(central(out, name)[24:], size)
	return out
}

func method(data []byte, name string, m uint16) []byte {
	out := bytes.Clone(data)
	binary.LittleEndian.PutUint16(central(out, name)[10:], m)
	return out
}
