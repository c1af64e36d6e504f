// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	spec "doorstep/mobile-sdk-spec"
)

// schooled is a transport that holds every answer of the server against the published description:
// nothing undocumented is sent.
type schooled struct{ t *testing.T }

func (s schooled) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if err := spec.HTTP(r.Method, r.URL.Path, resp.StatusCode, body); err != nil {
		s.t.Errorf("%s %s answered %d with what is not in the specification: %v\n%s", r.Method, r.URL.Path, resp.StatusCode, err, body)
	}
	return resp, nil
}
