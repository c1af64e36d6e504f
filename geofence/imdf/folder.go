// SPDX-License-Identifier: Apache-2.0

package imdf

import (
	"fmt"
	"io"
	"io/fs"
)

// IsFolder tells whether a folder holds an unpacked archive, by the one file that no map can do without.
func IsFolder(fsys fs.FS) bool {
	_, err := fs.Stat(fsys, "level.geojson")
	return err == nil
}

// ReadFolder is ReadZip for an archive that was unpacked: the files at the top of fsys.
func ReadFolder(name string, fsys fs.FS) (*Archive, error) {
	a := newArchive(name)
	list, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, a.refuse(place(name), "cannot be read ("+err.Error()+")", "name the folder that holds level.geojson")
	}
	files, left := map[string][]byte{}, int64(maxAll)
	for _, entry := range list {
		base, ok := wanted(entry.Name())
		if !ok || entry.IsDir() {
			continue
		}
		w := place(name + "/" + entry.Name())
		if files[base] != nil {
			return nil, a.refuse(w, "is there twice, written differently", "keep one of the two")
		}
		data, err := readFile(fsys, entry.Name(), min(maxFile, left))
		if err != nil {
			return nil, a.refuse(w, err.Error(), "leave out what is not part of the map")
		}
		files[base], left = data, left-int64(len(data))
	}
	return a.read(files)
}

func readFile(fsys fs.FS, name string, most int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("is longer than %d MB, or %d MB with the others", maxFile>>20, maxAll>>20)
	}
	return data, err
}
