// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	spec "doorstep/mobile-sdk-spec"
)

// whereabouts is the list in DESIGN.md of what staff learn of where somebody is, and how.
func whereabouts(t *testing.T) map[string]string {
	t.Helper()
	b, err := os.ReadFile("DESIGN.md")
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	_, section, _ := strings.Cut(string(b), "## What staff learn of where somebody is")
	for _, row := range regexp.MustCompile(`(?m)^\| [^|]+ \| (.+) \| ([a-z]+)[^|]* \|$`).FindAllStringSubmatch(section, -1) {
		for _, name := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			list[name[1]] = row[2]
		}
	}
	if len(list) < 10 {
		t.Fatalf("the list has only %v", list)
	}
	return list
}

// placeless are the members of what consoles are sent that say nothing of where anybody is.
var placeless = strings.Fields(`type offset t id kind topic ref state version holder holder_tag mine raised_t changed_t due_t proof n serving code detail alert remedy retry_ms
	beat_ms stale_ms lock_ms training fence shift tag role lang store person name of bands few opened_t closed_t withheld by until_t asked
	epoch open priority quiet booking case desk proxy colleagues alerts windows zones class sensitive area_m2 shape label ordinal boundary levels doors at size since`)

// leaves calls f with every member of a schema, under the name of the frame or object that it is in.
func leaves(t *testing.T, in string, schema map[string]any, f func(string)) {
	t.Helper()
	if ref, ok := schema["$ref"].(string); ok {
		file, pointer, _ := strings.Cut(ref, "#/$defs/")
		raw, err := fs.ReadFile(spec.Files, "schemas/"+file)
		if err != nil {
			raw, err = fs.ReadFile(spec.Files, "schemas/"+strings.TrimSuffix(file, "#"))
		}
		var doc map[string]any
		if err == nil {
			err = json.Unmarshal(raw, &doc)
		}
		if err != nil {
			t.Fatal(err)
		}
		if pointer != "" {
			in, doc = pointer, doc["$defs"].(map[string]any)[pointer].(map[string]any)
		}
		leaves(t, in, doc, f)
		return
	}
	for _, of := range []string{"oneOf", "anyOf"} {
		if list, ok := schema[of].([]any); ok {
			for _, s := range list {
				leaves(t, in, s.(map[string]any), f)
			}
		}
	}
	if items, ok := schema["items"].(map[string]any); ok {
		leaves(t, in, items, f)
	}
	members, _ := schema["properties"].(map[string]any)
	for name, s := range members {
		f(in + "." + name)
		leaves(t, name, s.(map[string]any), f)
	}
}

// Whatever a console can be sent is in the list, or says nothing of where anybody is; and the list has nothing else.
func TestTheListOfWhereaboutsIsComplete(t *testing.T) {
	list, used := whereabouts(t), map[string]bool{}
	files, err := fs.Glob(spec.Files, "schemas/staff-out-*.json")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d schemas, %v", len(files), err)
	}
	files = append(files, "schemas/http-staff-me.json", "schemas/http-staff-map.json", "schemas/http-staff-counts.json", "schemas/http-break-glass.json", "schemas/http-alert-action.json")
	for _, file := range files {
		frame := strings.TrimSuffix(strings.TrimPrefix(path.Base(file), "staff-out-"), ".json")
		leaves(t, frame, map[string]any{"$ref": path.Base(file)}, func(member string) {
			_, name, _ := strings.Cut(member, ".")
			for _, key := range []string{member, name} {
				if list[key] != "" {
					used[key] = true
					return
				}
			}
			ofNobody := member == "doors.level" || member == "zones.level"
			if !slices.Contains(placeless, name) && name != "zone" && !ofNobody {
				t.Errorf("%s: %s is neither in DESIGN.md's list nor known to say nothing of where anybody is", file, member)
			}
		})
	}
	for member := range list {
		if !used[member] {
			t.Errorf("%s is in the list, and nothing that consoles are sent has it", member)
		}
	}
}

// A console at work: what it receives before anybody looks says of a place only what is declared; what is journalled
// comes after the journal has it.
func TestWhatAConsoleReceives(t *testing.T) {
	inBubble(t, nil, func(h *house) {
		list := whereabouts(t)
		mei := h.atConsole("desk")
		ana := h.granted("ana", 10*time.Minute)
		s := ana.session()
		stand := func(d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); h.pass(time.Second) {
				at := h.index.Site().Frame().LatLng(0, 0)
				s.seq++
				s.say(map[string]any{"type": "fix", "seq": s.seq, "t": time.Now().UnixMilli(), "lat": at.Lat, "lng": at.Lng, "level": 0,
					"accuracy_m": 5, "app_state": "foreground", "precise": true})
			}
		}
		stand(3 * time.Second)
		id := uuid.NewString()
		s.say(map[string]any{"type": "help", "id": id, "topic": "size", "show_me": true})
		h.pass(time.Second)
		stand(5 * time.Second)
		seen := received(list, mei.got(""))
		if seen["declared"] == 0 || seen["journalled"] != 0 {
			h.Fatalf("before anybody looks: %v", seen)
		}
		h.ok(mei.say(map[string]any{"type": "look", "alert": id}))
		h.pass(time.Second)
		var j journal
		h.fetch("/v1/journal", h.bearer("ana"), &j)
		if len(j.Entries) != 1 || j.Entries[0].Kind != "view" || !slices.Contains(j.Entries[0].Fields, "position") {
			h.Fatalf("the journal holds %+v", j.Entries)
		}
		stand(5 * time.Second)
		if seen := received(list, mei.got("")); seen["journalled"] == 0 {
			h.Fatalf("while somebody looks: %v; this test would see nothing", seen)
		}
	})
}

// received counts the members of frames by what the list says of them.
func received(list map[string]string, frames []map[string]any) map[string]int {
	seen := map[string]int{}
	var walk func(in string, v any)
	walk = func(in string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				for _, key := range []string{in + "." + name, name} {
					if how := list[key]; how != "" && member != nil {
						seen[how]++
						break
					}
				}
				walk(name, member)
			}
		case []any:
			for _, e := range v {
				walk(in, e)
			}
		}
	}
	for _, f := range frames {
		walk(f["type"].(string), f)
	}
	return seen
}
