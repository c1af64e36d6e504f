// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"regexp"
	"testing"

	spec "doorstep/mobile-sdk-spec"
)

// Who asks for what is documented as secured, without a credential, is refused for that; and what is documented as public refuses
// nobody for it. But for a sign-in and a made-up shopper, whose code is in the body, and for signing out, which is done if there is nothing to do.
func TestWhatTakesACredentialIsDocumented(t *testing.T) {
	h := newHouse(t)
	operations, err := spec.Operations()
	if err != nil || len(operations) < 50 {
		t.Fatal(len(operations), err)
	}
	otherwise := map[string]bool{"POST /v1/staff/session": true, "POST /v1/demo/shopper": true, "DELETE /v1/staff/session": true}
	for _, o := range operations {
		name := o.Method + " " + o.Template
		if o.Socket || otherwise[name] {
			continue
		}
		body := ""
		if o.Method == http.MethodPost || o.Method == http.MethodPut {
			body = "{}"
		}
		status, code := h.request(o.Method, regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(o.Template, "x"), body, h.page(""))
		if refused := status == http.StatusUnauthorized; refused != o.Secured {
			t.Errorf("%s without a credential: %d %s; documented as secured: %v", name, status, code, o.Secured)
		}
	}
}
