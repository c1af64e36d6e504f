// SPDX-License-Identifier: Apache-2.0

package wire_test

import (
	"encoding/json"
	"testing"

	"doorstep/consent"
	"doorstep/geofence"
	spec "doorstep/mobile-sdk-spec"
	"doorstep/tracking/wire"
)

func TestCloseCodesAreTheVectors(t *testing.T) {
	raw, err := spec.Files.ReadFile("vectors/close-codes.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []struct {
			Code     int
			Name     string
			Kind     string
			ClearsOn string `json:"clears_on"`
		}
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Cases) == 0 {
		t.Fatal("no vectors")
	}
	known := map[int]bool{}
	for _, c := range file.Cases {
		got := wire.LookupClose(c.Code)
		if got.Name != c.Name || got.Retry != (c.Kind == "retry") || string(got.Restart) != c.ClearsOn {
			t.Errorf("%d: got %+v, want %+v", c.Code, got, c)
		}
		known[c.Code] = true
	}
	for _, c := range wire.Closes() {
		if !known[c.Code] {
			t.Errorf("%d is in the table but in no vector", c.Code)
		}
		if c.Client == "" || c.Retry != (c.Restart == "") {
			t.Errorf("%d: what the client does is unclear: %+v", c.Code, c)
		}
	}
}

func TestEveryReasonHasAClose(t *testing.T) {
	want := map[string]int{
		string(geofence.LeftStore): 4501, string(geofence.PhoneSays): 4501, string(geofence.Silent): 4003,
		string(geofence.StoreClosed): 4507, string(consent.Withdrawn): 4500, string(consent.Revoked): 4500,
		string(consent.Superseded): 4500, string(consent.Erased): 4500, string(consent.Expired): 4504,
		string(consent.Replaced): 4506, string(consent.MapChanged): 4002, string(consent.Lost): 4005,
		string(consent.Bye): 1000, string(consent.OffDuty): 4508, "approximate": 4505, "never heard of": 4005,
	}
	for reason, code := range want {
		if got := wire.CloseFor(reason); got.Code != code {
			t.Errorf("%s: got %d, want %d", reason, got.Code, code)
		}
	}
}
