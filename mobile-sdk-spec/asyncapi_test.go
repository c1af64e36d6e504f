// SPDX-License-Identifier: Apache-2.0

package spec_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	spec "doorstep/mobile-sdk-spec"
)

// TestAsyncAPIFitsThePublishedSchema, and a document that is spoilt does not.
func TestAsyncAPIFitsThePublishedSchema(t *testing.T) {
	f, err := os.Open("testdata/asyncapi/3.0.0.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	published, err := jsonschema.UnmarshalJSON(z)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("https://doorstep.invalid/asyncapi-schema.json", published); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("https://doorstep.invalid/asyncapi-schema.json")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := spec.Files.ReadFile("asyncapi.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(raw []byte) error {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(doc)
	}
	if err := check(raw); err != nil {
		t.Error(err)
	}
	if check(bytes.Replace(raw, []byte(`"action": "receive"`), []byte(`"action": "overhear"`), 1)) == nil {
		t.Error("the published schema accepts anything")
	}
}

// TestAsyncAPISaysWhoSaysWhat: by which socket, opened with what, and each frame of a direction in its own operation and no other. The
// published schema knows nothing of that: channels that are swapped are as good to it.
func TestAsyncAPISaysWhoSaysWhat(t *testing.T) {
	type ref struct {
		Ref string `json:"$ref"`
	}
	var doc struct {
		Channels map[string]struct {
			Address  string
			Messages map[string]ref
		}
		Operations map[string]struct {
			Action   string
			Channel  ref
			Security []ref
			Messages []ref
		}
		Components struct {
			Messages map[string]struct {
				Name    string
				Payload struct{ Schema ref }
			}
			SecuritySchemes map[string]spec.Scheme
		}
	}
	readJSON(t, "asyncapi.json", &doc)
	due := map[string]struct{ direction, action, channel, address, security string }{
		"appSends":     {spec.In, "receive", "session", "/v1/session", "ticket"},
		"appHears":     {spec.Out, "send", "session", "/v1/session", "ticket"},
		"consoleSends": {spec.StaffIn, "receive", "console", "/v1/staff/socket", "staffCookie staffToken"},
		"consoleHears": {spec.StaffOut, "send", "console", "/v1/staff/socket", "staffCookie staffToken"},
	}
	names := func(refs []ref) string {
		var list []string
		for _, r := range refs {
			list = append(list, path.Base(r.Ref))
		}
		slices.Sort(list)
		return strings.Join(list, " ")
	}
	if len(doc.Operations) != len(due) || len(doc.Channels) != 2 {
		t.Errorf("%d operations on %d channels", len(doc.Operations), len(doc.Channels))
	}
	carried := doc.Components.SecuritySchemes
	for name, s := range carried { // the server's tests hold those of OpenAPI
		s.Type = strings.Replace(s.Type, "httpApiKey", "apiKey", 1)
		if schemes, err := spec.Schemes(); err != nil || schemes[name] != s {
			t.Errorf("%s is carried as %+v here, and as %+v in OpenAPI; %v", name, s, schemes[name], err)
		}
	}
	for name, want := range due {
		o := doc.Operations[name]
		var union struct {
			OneOf []ref
		}
		readJSON(t, "schemas/"+want.direction+".json", &union)
		frames := strings.ReplaceAll(names(union.OneOf), ".json", "")
		if o.Action != want.action || path.Base(o.Channel.Ref) != want.channel || names(o.Security) != want.security || names(o.Messages) != frames {
			t.Errorf("%s: %+v\nwant %+v with %s", name, o, want, frames)
		}
		for scheme := range strings.FieldsSeq(want.security) {
			if _, there := carried[scheme]; !there {
				t.Errorf("%s: nothing says how %s is carried", name, scheme)
			}
		}
		if got := doc.Channels[want.channel].Address; got != want.address {
			t.Errorf("the channel %s is at %s, want %s", want.channel, got, want.address)
		}
		for _, m := range o.Messages {
			base := path.Base(m.Ref)
			message := doc.Components.Messages[base]
			if !strings.HasPrefix(m.Ref, o.Channel.Ref+"/messages/") || path.Base(doc.Channels[want.channel].Messages[base].Ref) != base ||
				message.Name != strings.TrimPrefix(base, want.direction+"-") || message.Payload.Schema.Ref != "schemas/"+base+".json" {
				t.Errorf("%s: %s stands for %+v", name, m.Ref, message)
			}
		}
	}
}
