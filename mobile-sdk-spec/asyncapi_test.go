// SPDX-License-Identifier: Apache-2.0

package spec_test

import (
	"bytes"
	"compress/gzip"
	"os"
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
