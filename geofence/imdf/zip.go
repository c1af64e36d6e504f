// SPDX-License-Identifier: Apache-2.0

package imdf

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"doorstep/geofence/internal/mapjson"
)

// Bounds on what an archive may be. Nothing in it is ever written to a disk; these keep what it costs
// to look inside within those of a large real map.
const (
	maxArchive = 16 << 20         // bytes of the zip
	maxFile    = mapjson.MaxBytes // bytes of one file in it
	maxAll     = 4 * maxFile      // bytes of all files that are read
	maxEntries = 1_000            // files and folders
	maxRatio   = 200              // how many times its size a file may unpack to; pretty-printed maps reach 50
	ratioFrom  = 1 << 20          // bytes from which the ratio counts
)

// ReadZip takes an archive apart. Its name is for messages. Files may lie at the top or in one folder;
// what IMDF does not name is left alone. An error is of type *geofence.Error, or several joined.
func ReadZip(name string, r io.ReaderAt, size int64) (*Archive, error) {
	a := newArchive(name)
	if size > maxArchive {
		return nil, a.refuse(place(name), fmt.Sprintf("is %d MB long, more than %d", size>>20, maxArchive>>20), "leave out what is not part of the map")
	}
	z, err := zip.NewReader(r, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return nil, a.refuse(place(name), "is not a zip archive that can be read ("+err.Error()+")", "pack the map's files again")
	}
	files, err := a.entries(z)
	if err != nil {
		return nil, err
	}
	return a.read(files)
}

// entries reads the files of interest into memory, by name without folder.
func (a *Archive) entries(z *zip.Reader) (map[string][]byte, error) {
	if len(z.File) > maxEntries {
		return nil, a.refuse(place(a.name), fmt.Sprintf("holds %d entries, more than %d", len(z.File), maxEntries), "leave out what is not part of the map")
	}
	files, dir, left := map[string][]byte{}, "", int64(maxAll)
	for _, f := range z.File {
		w := place(a.name + "/" + printable(f.Name))
		if problem, remedy := hostile(f); problem != "" {
			return nil, a.refuse(w, problem, remedy)
		}
		base, ok := wanted(f.Name)
		if !ok {
			continue
		}
		switch at := path.Dir(f.Name); {
		case len(files) > 0 && at != dir:
			return nil, a.refuse(w, fmt.Sprintf("lies in another folder than the files in %q", dir), "pack one map to an archive, its files in one folder")
		case files[base] != nil:
			return nil, a.refuse(w, "is in the archive twice", "keep one of the two")
		default:
			dir = at
		}
		data, err := unpack(f, left)
		if err != nil {
			return nil, a.refuse(w, err.Error(), "pack the map's files again")
		}
		files[base], left = data, left-int64(len(data))
	}
	return files, nil
}

// hostile tells entries that no honest archive of a map holds.
func hostile(f *zip.File) (problem, remedy string) {
	const pack = "pack the map's files again, without links and passwords"
	switch {
	case strings.Contains(f.Name, `\`) || strings.ContainsRune(f.Name, 0) || !fs.ValidPath(strings.TrimSuffix(f.Name, "/")):
		return "its name leads out of the archive", pack
	case f.Mode()&(fs.ModeSymlink|fs.ModeDevice|fs.ModeNamedPipe|fs.ModeSocket) != 0:
		return "is not a plain file", pack
	case f.Flags&1 != 0:
		return "is encrypted", pack
	}
	return "", ""
}

// unpack reads one file, whatever its header claims, within bounds.
func unpack(f *zip.File, left int64) ([]byte, error) {
	most := min(maxFile, left)
	if f.UncompressedSize64 > uint64(most) {
		return nil, fmt.Errorf("unpacks to %d MB, more than %d of one file or %d of all", f.UncompressedSize64>>20, maxFile>>20, maxAll>>20)
	}
	if f.UncompressedSize64 > ratioFrom && f.UncompressedSize64/maxRatio > f.CompressedSize64 {
		return nil, fmt.Errorf("unpacks to more than %d times its size, as no map does", maxRatio)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("cannot be unpacked (%w)", err)
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot be unpacked (%w)", err)
	case int64(len(data)) > most:
		return nil, errors.New("unpacks to more than it claims")
	}
	return data, nil
}

// wanted tells the files of a map: the manifest and one file per type of feature. The helpers that some
// systems pack beside each file are not.
func wanted(name string) (base string, ok bool) {
	if strings.HasPrefix(name, "__MACOSX/") || strings.Contains(name, "/__MACOSX/") {
		return "", false
	}
	base = strings.ToLower(path.Base(name))
	if base == manifestFile {
		return base, true
	}
	kind, isMap := strings.CutSuffix(base, ".geojson")
	return base, isMap && featureTypes[kind]
}

// printable is a hostile name made fit for a message.
func printable(name string) string {
	if len(name) > 100 {
		name = name[:100] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\u2028' || r == '\u2029' {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(name, "?"))
}
