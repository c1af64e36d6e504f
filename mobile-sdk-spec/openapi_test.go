// SPDX-License-Identifier: Apache-2.0

package spec_test

import (
	"bytes"
	"net/url"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	spec "doorstep/mobile-sdk-spec"
)

// TestOpenAPIIsValid by a validator that others use too, and a document that is spoilt is not.
func TestOpenAPIIsValid(t *testing.T) {
	raw, err := spec.Files.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	check := func(raw []byte) error {
		loader := openapi3.NewLoader()
		loader.IsExternalRefsAllowed = true
		loader.ReadFromURIFunc = func(_ *openapi3.Loader, at *url.URL) ([]byte, error) { return spec.Files.ReadFile(at.Path) }
		doc, err := loader.LoadFromDataWithPath(raw, &url.URL{Path: "openapi.json"})
		if err != nil {
			return err
		}
		return doc.Validate(t.Context())
	}
	if err := check(raw); err != nil {
		t.Error(err)
	}
	for was, is := range map[string]string{`"in": "path"`: `"in": "air"`, `"title": "`: `"tile": "`, `"schemas/http-time.json"`: `"schemas/http-tome.json"`} {
		spoilt := bytes.Replace(raw, []byte(was), []byte(is), 1)
		if bytes.Equal(spoilt, raw) || check(spoilt) == nil {
			t.Errorf("with %s it is valid too", is)
		}
	}
}
