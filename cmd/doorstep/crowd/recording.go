// SPDX-License-Identifier: Apache-2.0

package crowd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"doorstep/mobile-sdk-spec/go/sim"
)

// recording is a recorded walk: its lines, one fix each.
type recording [][]byte

const (
	nearDoor   = 6  // metres from the boundary at which a recorded walk may be carried out
	leadIn     = 7  // recorded seconds before that
	shortTrace = 20 // a recorded walk of fewer fixes is not for staying
	lineMost   = 1 << 20
)

// readFolder reads every walk in a folder, and checks that each can be walked.
func (r *Routes) readFolder(folder string) error {
	switch info, err := os.Stat(folder); {
	case err != nil:
		return fmt.Errorf("%s: %w: name the folder that holds the recorded walks", folder, cutPath(err))
	case !info.IsDir():
		return fmt.Errorf("%s: this is a file: name the folder that holds the recorded walks", folder)
	}
	files := 0
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w: make it readable", path, cutPath(err))
		case !strings.HasSuffix(path, ".ndjson") || strings.Contains(path, "waypoints"):
			return nil
		case d.IsDir():
			return fmt.Errorf("%s: this is a folder, by its name a recorded walk: rename it", path)
		}
		files++
		return r.readFile(path)
	})
	switch {
	case err != nil:
		return err
	case files == 0:
		return fmt.Errorf("%s: no recorded walks (*.ndjson) in this folder, nor below: name the one that holds them", folder)
	case len(r.exits) == 0:
		return fmt.Errorf("%s: of %d recorded walks none comes within %d m of the boundary of %s: name the folder of walks that belongs to the map", folder, files, nearDoor, r.Store())
	case len(r.stays) == 0:
		return fmt.Errorf("%s: of %d recorded walks none has %d fixes or more: name a folder with longer ones", folder, files, shortTrace)
	}
	return nil
}

// cutPath leaves the path to whoever has said it already.
func cutPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (r *Routes) readFile(path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("%s: %w: make it readable, or take it out of the folder", path, cutPath(err))
	}
	var lines recording
	scan := bufio.NewScanner(bytes.NewReader(b))
	scan.Buffer(nil, lineMost)
	for scan.Scan() {
		lines = append(lines, bytes.Clone(scan.Bytes()))
	}
	if err := scan.Err(); err != nil {
		return fmt.Errorf("%s: line %d: %w: give one fix a line", path, len(lines)+1, err)
	}
	if _, err := sim.NewTraceWalker(bytes.NewReader(b), nil, sim.Options{}); err != nil {
		return fmt.Errorf("%s: %w: correct it, or take it out of the folder", path, err)
	}
	nearest, dist, err := r.nearestToBoundary(lines)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if dist > -nearDoor && dist <= 0 && nearest >= leadIn {
		r.exits = append(r.exits, lines[nearest-leadIn:nearest+1])
	}
	if len(lines) >= shortTrace {
		r.stays = append(r.stays, lines)
	}
	return nil
}

// nearestToBoundary is the line at which a walk comes nearest to the boundary of its level, and how
// far that is: negative inside.
func (r *Routes) nearestToBoundary(lines recording) (line int, dist float64, err error) {
	dist = -1e9
	for i, l := range lines {
		if len(l) == 0 {
			continue
		}
		var f struct {
			Lat, Lng float64
			Floor    *int
		}
		if err := json.Unmarshal(l, &f); err != nil {
			return 0, 0, fmt.Errorf("line %d: %w", i+1, err)
		}
		if d := r.fence.DistM(f.Lat, f.Lng, f.Floor); d > dist {
			line, dist = i, d
		}
	}
	return line, dist, nil
}
