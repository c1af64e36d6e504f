// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"doorstep/consent"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking"
	"doorstep/tracking/server"
)

// exampleFiles are the example registry, with an edit of any of its files: file, old, new, …
func exampleFiles(t *testing.T, edits ...string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	example := consent.DevelopmentFiles()
	err := fs.WalkDir(example, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(example, path)
		files[path] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(edits); i += 3 {
		text := string(files[edits[i]].Data)
		if !strings.Contains(text, edits[i+1]) {
			t.Fatalf("%s has no %q", edits[i], edits[i+1])
		}
		files[edits[i]] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(text, edits[i+1], edits[i+2]))}
	}
	return files
}

// houseUnder is a house with a registry of its own.
func houseUnder(t *testing.T, files fstest.MapFS, edit func(*server.Config)) *house {
	t.Helper()
	reg, err := consent.LoadRegistry(files)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return buildHouse(t, l, (&net.Dialer{}).DialContext, tracking.SystemClock{}, edit, reg)
}

// listed are the frame fields in the published rules, and which of them a purpose has.
func (h *house) listed(purpose string) (all, of []string) {
	h.Helper()
	_, body := h.get("/v1/rules")
	var rules struct {
		Purposes []struct {
			ID   string
			Data []string
		}
		DataTypes []struct {
			ID     string
			Fields []string
		} `json:"data_types"`
	}
	h.ok(json.Unmarshal(body, &rules))
	for _, p := range rules.Purposes {
		for _, d := range rules.DataTypes {
			if slices.Contains(p.Data, d.ID) {
				all = append(all, d.Fields...)
				if p.ID == purpose {
					of = append(of, d.Fields...)
				}
			}
		}
	}
	return all, of
}

// sent are the fields that a frame can be made to carry, with a value of each.
var sent = map[string]string{
	"lat": "", "lng": "", "accuracy_m": `"accuracy_m":5,"accuracy_basis":"p68"`, "level": `"level":0`,
	"speed_mps": `"speed_mps":1`, "heading_deg": `"heading_deg":90`, "source": `"source":"os"`, "mocked": `"mocked":true`,
}

// What is published and what is enforced never differ: with each field taken out of the registry, or put in, a frame
// that carries it is refused as undeclared if, and only if, the rules and their page do not list it (brief, 17 and 18).
func TestAFieldIsTakenIfAndOnlyIfItIsListed(t *testing.T) {
	example := newHouse(t)
	example.attended()
	for field, carry := range sent {
		t.Run(field, func(t *testing.T) {
			edits := []string{"registry.json", `"` + field + `",`, ""}
			if strings.HasPrefix(field, "speed") || strings.HasPrefix(field, "heading") {
				edits = []string{"registry.json", `"lat",`, `"lat", "` + field + `",`}
			}
			seen := map[bool]bool{}
			for _, h := range []*house{example, houseUnder(t, exampleFiles(t, edits...), nil)} {
				all, of := h.listed("assist")
				listed := slices.Contains(all, field)
				seen[listed] = true
				_, page := h.get("/rules")
				if got := strings.Contains(string(page), "<code>"+field+"</code>"); got != listed {
					t.Errorf("listed in the rules: %v; on the page: %v", listed, got)
				}
				if h != example {
					h.attended()
				}
				var p peer
				s := h.connect(h.app(field, h.web, h.dialer(&p.wire)))
				got, want := s.Welcome().Fields, slices.Compact(slices.Sorted(slices.Values(of)))
				if !slices.Equal(got, want) {
					t.Errorf("the welcome lists %v, the rules %v", got, want)
				}
				more := carry
				if more != "" {
					more = "," + more
				}
				h.ok(p.write(frame(opText|last, fmt.Sprintf(`{"type":"fix","seq":1,"t":%d,"lat":54,"lng":3,"precise":true,"app_state":"foreground"%s}`,
					time.Now().UnixMilli(), more))))
				h.ok(p.write(frame(opText|last, `{"type":"fix","seq":2,"t":1,"lat":54,"lng":3,"precise":true,"app_state":"foreground","device_id":"x"}`)))
				undeclared := []string{}
				for len(undeclared) == 0 || undeclared[len(undeclared)-1] != "device_id" {
					if e := refusal(t, s); e.Code == "undeclared" {
						undeclared = append(undeclared, e.Field)
					}
				}
				if refused := slices.Contains(undeclared, field); refused == listed {
					t.Errorf("listed: %v, refused as undeclared: %v (%v)", listed, refused, undeclared)
				}
			}
			if len(seen) != 2 {
				t.Error("the edit changes nothing: this proves nothing")
			}
		})
	}
}

// What is declared for another purpose, or in a newer notice than the one that was granted under, is refused with
// a code of its own, and what was granted goes on being taken (brief, 14 and 18).
func TestDeclaredAndNotGranted(t *testing.T) {
	speed := `{"id": "speed", "title": {"en": "Speed", "zh": "速度", "ar": "السرعة"}, "fields": ["speed_mps"], "retention": "PT30S"},`
	h := houseUnder(t, exampleFiles(t, "registry.json", `"data_types": [`, `"data_types": [`+speed,
		"registry.json", `    "zone_count",`, `    "zone_count", "speed",`), nil)
	h.attended()
	var p peer
	s := h.connect(h.app("shopper", h.web, h.dialer(&p.wire)))
	fix := func(seq int, more string) {
		h.ok(p.write(frame(opText|last, fmt.Sprintf(`{"type":"fix","seq":%d,"t":%d,"lat":54,"lng":3,"accuracy_m":5,"accuracy_basis":"p68","precise":true,"app_state":"foreground"%s}`,
			seq, time.Now().UnixMilli(), more))))
	}
	fix(1, `,"speed_mps":1`)
	if e := refusal(t, s); e.Code != "not_granted" || e.Field != "speed_mps" {
		t.Errorf("declared, and in no notice: %+v", e)
	}
	fix(2, `,"heading_deg":1`)
	if e := refusal(t, s); e.Code != "undeclared" || e.Field != "heading_deg" {
		t.Errorf("declared nowhere: %+v", e)
	}
	fix(3, "")
	fix(4, `,"speed_mps":1,"heading_deg":1`)
	if e := refusal(t, s); e.Code != "undeclared" || e.Field != "heading_deg" {
		t.Errorf("undeclared comes before not granted: %+v", e)
	}
	if got := s.Welcome().Fields; slices.Contains(got, "speed_mps") || !slices.Contains(got, "lat") {
		t.Errorf("the welcome lists %v", got)
	}
	other := houseUnder(t, exampleFiles(t), nil)
	other.attended()
	a := other.app("shopper", other.web, other.dialer(&p.wire))
	prompt, err := a.Prompt(t.Context(), client.PromptRequest{Store: "doorstep-demo", Purpose: "pickup", Lang: "en", Opened: true})
	other.ok(err)
	_, err = a.Decide(t.Context(), "doorstep-demo", prompt, client.Answer{Choice: "visit", Control: "button"})
	other.ok(err)
	s, err = a.ConnectWith(t.Context(), "doorstep-demo", other.index.Site().Version, []string{"pickup"})
	other.ok(err)
	t.Cleanup(s.Kill)
	other.ok(p.write(frame(opText|last, `{"type":"help","id":"0198c9a0-0000-7000-8000-000000000001","topic":"shoes"}`)))
	if e := refusal(t, s); e.Code != "not_granted" || e.Field != "topic" {
		t.Errorf("a call for help without its purpose: %+v", e)
	}
}

// A notice is put in force without a restart, once; it is read by its hash for ever; and what is wrong with one is
// said, with the law.
func TestNoticesArePublishedAtRuntime(t *testing.T) {
	h := newHouse(t)
	text := string(exampleFiles(t)["notices/assist.en.md"].Data)
	next := strings.NewReplacer("version: 1", "version: 2", "# Let staff", "# Please let staff").Replace(text)
	var was, is struct {
		Hash, Title, Detail, Code string
		InForce                   bool `json:"in_force"`
	}
	a := h.app("shopper", h.web, h.dialer(new(net.Conn)))
	ask := func() client.Prompt {
		p, err := a.Prompt(t.Context(), client.PromptRequest{Store: "doorstep-demo", Purpose: "assist", Lang: "en", Opened: true})
		h.ok(err)
		return p
	}
	before := ask()
	h.want("the one in force again", h.admin("PUT", "/v1/admin/notices", text, &was), http.StatusCreated)
	h.want("its hash", was.Hash, before.Notice.Hash)
	h.want("edited", h.admin("PUT", "/v1/admin/notices", strings.Replace(text, "24 hours", "25 hours", 1), &is), http.StatusConflict)
	h.want("edited", is.Code, "notice_edited")
	if !strings.Contains(is.Detail, was.Hash) || !strings.Contains(is.Detail, "make it version 2") {
		t.Errorf("the message does not help: %s", is.Detail)
	}
	h.want("without a duty", h.admin("PUT", "/v1/admin/notices", strings.Replace(next, `covers="rights, authority"`, `covers="rights"`, 1), &is), http.StatusUnprocessableEntity)
	if is.Code != "registry" || !strings.Contains(is.Detail, "covers authority") || !strings.Contains(is.Detail, "GDPR 13(2)(d)") {
		t.Errorf("the message does not help: %s %s", is.Code, is.Detail)
	}
	h.want("not a notice", h.admin("PUT", "/v1/admin/notices", "hello", nil), http.StatusUnprocessableEntity)
	h.want("too large", h.admin("PUT", "/v1/admin/notices", strings.Repeat(" ", 256<<10+1), nil), http.StatusRequestEntityTooLarge)
	h.want("published", h.admin("PUT", "/v1/admin/notices", next, &is), http.StatusCreated)
	h.want("in force", is.InForce, true)
	if p := ask(); p.Title != is.Title || p.Notice.Hash != is.Hash {
		t.Errorf("served is %q", p.Title)
	}
	_, err := a.Decide(t.Context(), "doorstep-demo", before, client.Answer{Choice: "visit", Control: "button"})
	if p, ok := err.(*client.Problem); !ok || p.Code != "notice_changed" || p.Status != 422 {
		t.Errorf("deciding on the one before: %v", err)
	}
	for hash, status := range map[string]int{was.Hash: 200, is.Hash: 200, strings.Repeat("0", 64): 404} {
		resp, _ := h.get("/v1/notices/" + hash)
		h.want("by its hash", resp.StatusCode, status)
	}
	shopper, err := h.key.MintShopper("shopper", "app", "adult", time.Minute)
	h.ok(err)
	h.want("without a token", h.ask("PUT", "/v1/admin/notices", "", next, nil), http.StatusUnauthorized)
	h.want("as a shopper", h.ask("PUT", "/v1/admin/notices", shopper, next, nil), http.StatusForbidden)
}

// What another node publishes, or whom it keeps out, is taken up here from the ledger's feed.
func TestWhatAnotherNodePublishesIsTakenUp(t *testing.T) {
	h := newHouse(t)
	h.attended()
	_, s, _ := h.caller("shopper", "nosy")
	elsewhere := consent.New(h.store, h.ledger.Keys(), consent.DevelopmentRegistry(), time.Now)
	h.ok(elsewhere.Bind(t.Context()))
	text := strings.NewReplacer("version: 1", "version: 2", "# Let staff", "# Please let staff").Replace(string(exampleFiles(t)["notices/assist.en.md"].Data))
	n, err := consent.ParseNotice([]byte(text))
	h.ok(err)
	h.ok(elsewhere.Publish(t.Context(), n, "ana"))
	h.ok(elsewhere.Suspend(t.Context(), "nosy", time.Hour))
	if code := closedWith(t, s); code != 4509 {
		t.Errorf("closed with %d", code)
	}
	taken := func() bool {
		in, err := h.ledger.NoticeByHash(n.Hash)
		return err == nil && in.InForce
	}
	for limit := time.After(10 * time.Second); !taken(); {
		select {
		case <-limit:
			t.Fatal("the notice is not in force here")
		case <-time.After(20 * time.Millisecond):
		}
	}
}
