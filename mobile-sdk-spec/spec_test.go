// SPDX-License-Identifier: Apache-2.0

package spec_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	spec "doorstep/mobile-sdk-spec"
)

func TestEverySchemaCompiles(t *testing.T) {
	names, err := spec.Schemas()
	if err != nil {
		t.Fatal(err)
	}
	files, err := fs.Glob(spec.Files, "schemas/*.json")
	if err != nil || len(files) == 0 || len(files) != len(names) {
		t.Fatalf("%d files, %d schemas, %v", len(files), len(names), err)
	}
}

// TestEveryFrameIsInItsUnion: in.json, out.json and the consoles' list every frame there is a schema for.
func TestEveryFrameIsInItsUnion(t *testing.T) {
	for _, dir := range []string{spec.In, spec.Out, spec.StaffIn, spec.StaffOut} {
		var union struct {
			OneOf []struct {
				Ref string `json:"$ref"`
			}
		}
		readJSON(t, "schemas/"+dir+".json", &union)
		var listed []string
		for _, u := range union.OneOf {
			listed = append(listed, u.Ref)
		}
		files, err := fs.Glob(spec.Files, "schemas/"+dir+"-*.json")
		if err != nil {
			t.Fatal(err)
		}
		var there []string
		for _, f := range files {
			there = append(there, path.Base(f))
		}
		slices.Sort(listed)
		slices.Sort(there)
		if len(there) == 0 || !slices.Equal(listed, there) {
			t.Errorf("%s lists %v, there are %v", dir, listed, there)
		}
	}
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	raw, err := spec.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

// TestReferencesResolve walks every $ref of both documents.
func TestReferencesResolve(t *testing.T) {
	for _, name := range []string{"openapi.json", "asyncapi.json"} {
		var doc any
		readJSON(t, name, &doc)
		n := 0
		walkRefs(doc, func(ref string) {
			n++
			file, pointer, _ := strings.Cut(ref, "#")
			target := doc
			if file != "" {
				target = nil
				readJSON(t, file, &target)
			}
			if !resolves(target, pointer) {
				t.Errorf("%s: %s leads nowhere", name, ref)
			}
		})
		if n < 40 {
			t.Errorf("%s: only %d references", name, n)
		}
	}
}

func walkRefs(v any, f func(string)) {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			f(ref)
		}
		for _, x := range v {
			walkRefs(x, f)
		}
	case []any:
		for _, x := range v {
			walkRefs(x, f)
		}
	}
}

// resolves follows a JSON pointer without escapes but ~1.
func resolves(v any, pointer string) bool {
	for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		if part == "" {
			continue
		}
		m, ok := v.(map[string]any)
		if !ok {
			return false
		}
		if v, ok = m[strings.ReplaceAll(part, "~1", "/")]; !ok {
			return false
		}
	}
	return true
}

// TestEverySchemaIsUsed: a body or frame that neither document mentions is forgotten.
func TestEverySchemaIsUsed(t *testing.T) {
	used := map[string]bool{"record": true, "receipt-dpv": true, "receipt-kantara": true, // forms of a receipt, which is a JWS to both documents
		"common": true, "in": true, "out": true, "staff-in": true, "staff-out": true}
	for _, name := range []string{"openapi.json", "asyncapi.json"} {
		var doc any
		readJSON(t, name, &doc)
		walkRefs(doc, func(ref string) {
			file, _, _ := strings.Cut(ref, "#")
			used[strings.TrimSuffix(path.Base(file), ".json")] = true
		})
	}
	names, err := spec.Schemas()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !used[name] {
			t.Errorf("%s.json is used nowhere", name)
		}
	}
}

func TestFrame(t *testing.T) {
	for _, c := range []struct {
		dir, raw string
		ok       bool
	}{
		{spec.In, `{"type":"bye"}`, true},
		{spec.In, `{"type":"bye","why":1}`, false},
		{spec.In, `{"type":"unseen"}`, false},
		{spec.In, `{"type":"../in-bye"}`, false},
		{spec.In, `{"type":"bye"} {}`, false},
		{spec.Out, `{"type":"unseen"}`, true},
		{spec.Out, `{"type":"state","t":1,"state":"ended"}`, false},
		{spec.Out, `{"type":"state","t":1,"state":"active","code":4501}`, false},
		{spec.Out, `{"type":"position","lat":1,"lng":2}`, false},
		{spec.StaffOut, `{"type":"position","alert":"01890a5d-ac96-774b-bcce-b302099a8057","n":3,"x":1.5,"y":2,"accuracy_m":5,"level":null,"t":1}`, true},
		{spec.StaffOut, `{"type":"position","alert":"01890a5d-ac96-774b-bcce-b302099a8057","n":3,"x":1.5,"y":2,"accuracy_m":5,"level":null,"t":1,"lat":54}`, false},
		{spec.StaffOut, `{"type":"live","alert":"01890a5d-ac96-774b-bcce-b302099a8057","zone":null,"word":"Maple ▲ green"}`, true},
	} {
		if err := spec.Frame(c.dir, []byte(c.raw)); (err == nil) != c.ok {
			t.Errorf("%s %s: %v", c.dir, c.raw, err)
		}
	}
}

func TestHTTP(t *testing.T) {
	const problem = `{"type":"/problems/rate","title":"T","status":429,"code":"rate","detail":"D","remedy":"R","t":1}`
	for _, c := range []struct {
		method, path string
		status       int
		body         string
		ok           bool
	}{
		{"GET", "/v1/time", 200, `{"t":1}`, true},
		{"GET", "/v1/time", 200, `{"t":"1"}`, false},
		{"GET", "/v1/time", 200, ``, false},
		{"GET", "/v1/time", 201, `{"t":1}`, false},
		{"GET", "/v1/time", 429, problem, true},
		{"GET", "/v1/time", 418, `{"oops":1}`, false},
		{"POST", "/v1/time", 200, `{"t":1}`, false},
		{"GET", "/v1/nowhere", 200, `{}`, false},
		{"POST", "/v1/staff/session", 204, ``, true},
		{"POST", "/v1/staff/session", 204, `{}`, false},
		{"GET", "/v1/stores/s/fences/v", 200, `{"store":"s","name":"S","version":"v","bearing":0,"doors":[],"levels":[{"ordinal":0,"name":"","boundary":[]}]}`, true},
		{"GET", "/v1/stores/s/fences/v", 200, `{"store":"s","name":"S","version":"v","per_degree":100000000,"bearing":0,"doors":[],"levels":[{"ordinal":0,"name":"","boundary":[[[[300000000,5400000000],[10,0],[0,10],[-10,-10]]]]}]}`, true},
		{"GET", "/v1/stores/s/fences/v", 200, `{"store":"s","name":"S","version":"v","per_degree":100000000,"bearing":0,"doors":[],"levels":[{"ordinal":0,"name":"","boundary":[[[[3,54.5],[10,0],[0,10],[-10,-10]]]]}]}`, false},
		{"GET", "/v1/stores/s/fences/v", 200, `{"store":"s","name":"S","version":"v","per_degree":1000,"bearing":0,"doors":[],"levels":[{"ordinal":0,"name":"","boundary":[]}]}`, false},
		{"GET", "/v1/stores//fences/v", 200, `{"store":"s","name":"S","version":"v","bearing":0,"doors":[],"levels":[{"ordinal":0,"name":"","boundary":[]}]}`, false},
		{"POST", "/v1/prompts", 200, `{"may_prompt":false,"purpose":"assist"}`, true},
		{"POST", "/v1/prompts", 200, `{"may_prompt":true,"purpose":"assist"}`, false},
		{"POST", "/v1/staff/alerts/01890a5d-ac96-774b-bcce-b302099a8057/actions", 409, `{"type":"/problems/alert_held","title":"T","status":409,"code":"alert_held","detail":"D","remedy":"R","t":1,"holder":"Mei"}`, true},
	} {
		if err := spec.HTTP(c.method, c.path, c.status, []byte(c.body)); (err == nil) != c.ok {
			t.Errorf("%s %s %d %s: %v", c.method, c.path, c.status, c.body, err)
		}
	}
}

func TestRequest(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"id":"01890a5d-ac96-774b-bcce-b302099a8057","scope":"all","t":1}`:                                       true,
		`{"id":"01890a5d-ac96-774b-bcce-b302099a8057","scope":"store","t":1}`:                                     true, // by a stop token, which says of which
		`{"id":"01890a5d-ac96-774b-bcce-b302099a8057","scope":"grant","store":"s","t":1}`:                         false,
		`{"id":"01890a5d-ac96-774b-bcce-b302099a8057","scope":"grant","store":"s","purpose":"assist","t":1}`:      true,
		`{"id":"01890a5d-ac96-774b-bcce-b302099a8057","scope":"all","t":1,"reason":"none of anybody's business"}`: false,
	} {
		if err := spec.Request("POST", "/v1/withdrawals", []byte(body)); (err == nil) != ok {
			t.Errorf("%s: %v", body, err)
		}
	}
}

// TestTheProseIsComplete: every frame, frame code, close code and path is spoken of in SPEC.md, and
// no rule's name is used twice.
func TestTheProseIsComplete(t *testing.T) {
	raw, err := spec.Files.ReadFile("SPEC.md")
	if err != nil {
		t.Fatal(err)
	}
	prose := string(raw)
	var want []string
	for _, name := range []string{"in", "out"} {
		files, _ := fs.Glob(spec.Files, "schemas/"+name+"-*.json")
		for _, f := range files {
			want = append(want, "`"+strings.TrimSuffix(strings.TrimPrefix(path.Base(f), name+"-"), ".json")+"`")
		}
	}
	var codes struct{ Cases []struct{ Code string } }
	for _, name := range []string{"in-undeclared", "in-range", "in-malformed", "in-limits"} {
		readJSON(t, "vectors/frames/"+name+".json", &codes)
		for _, c := range codes.Cases {
			if c.Code != "" {
				want = append(want, "`"+c.Code+"`")
			}
		}
	}
	for _, code := range []string{"4001", "4002", "4003", "4004", "4005", "4006", "4500", "4501", "4502", "4503", "4504", "4505", "4506", "4507", "4508"} {
		want = append(want, "| "+code+" |")
	}
	files, _ := fs.Glob(spec.Files, "vectors/*.json")
	for _, f := range files {
		want = append(want, path.Base(f))
	}
	for _, w := range want {
		if !strings.Contains(prose, w) {
			t.Errorf("SPEC.md does not speak of %s", w)
		}
	}
	seen := map[string]bool{}
	for _, rule := range regexp.MustCompile(`- \*\*([A-Z]-\d+)\*\*`).FindAllStringSubmatch(prose, -1) {
		if seen[rule[1]] {
			t.Errorf("rule %s is there twice", rule[1])
		}
		seen[rule[1]] = true
	}
	if len(seen) < 50 {
		t.Errorf("only %d rules", len(seen))
	}
}

// TestCloses: the codes of the vectors, each for its own socket, and no others.
func TestCloses(t *testing.T) {
	for _, c := range []struct {
		direction string
		code      int
		may       bool
	}{
		{spec.Out, 4501, true}, {spec.Out, 1012, true}, {spec.Out, 4242, false}, {spec.Out, 4999, false}, {spec.Out, 3000, false}, {spec.StaffOut, 4006, true},
		{spec.StaffOut, 4501, false}, {spec.StaffOut, 4003, false}, {spec.In, 1000, false},
	} {
		if got := spec.Closes(c.direction, c.code); got != c.may {
			t.Errorf("%s %d: %v", c.direction, c.code, got)
		}
	}
}

// TestUndeclaredFailures: a default takes what any path may answer, and nothing else.
func TestUndeclaredFailures(t *testing.T) {
	problem := func(status int, code string) []byte {
		return fmt.Appendf(nil, `{"type":"/problems/%s","title":"T","status":%d,"code":%q,"detail":"D","remedy":"R","t":1}`, code, status, code)
	}
	for _, c := range []struct {
		status int
		code   string
		fits   bool
	}{{429, "rate", true}, {500, "internal", true}, {403, "origin", true}, {403, "role", false}, {404, "no_store", false}, {409, "store_closed", false}, {418, "rate", false}, {302, "rate", false}} {
		if err := spec.HTTP("GET", "/v1/time", c.status, problem(c.status, c.code)); (err == nil) != c.fits {
			t.Errorf("%d %s: %v", c.status, c.code, err)
		}
	}
}
