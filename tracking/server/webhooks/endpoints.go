// SPDX-License-Identifier: Apache-2.0

// Package webhooks tells the world outside of alerts: signed, retried, and only while it is so. Which events there are, and when one may
// still be told, the ledger's database decides (tracking.Outside); here it is put on the wire.
package webhooks

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"doorstep/tracking"
)

// Endpoint is a receiver.
type Endpoint struct {
	ID      string                  `json:"id"`
	URL     string                  `json:"url"`              // https
	Secrets []string                `json:"secrets"`          // whsec_ and base64; while one is replaced, the new one first, then the old
	Stores  []string                `json:"stores,omitempty"` // all, if empty
	Events  []tracking.OutsideEvent `json:"events,omitempty"` // all, if empty; of what it was told, it always hears that it is gone

	keys [][]byte
}

// Settings are the receivers, as a file has them:
//
//	{"endpoints": [{"id": "crm", "url": "https://hooks.shop.example/doorstep", "secrets": ["whsec_…"], "events": ["call", "alert.raised"]}],
//	 "allow_private": ["10.1.2.0/24"], "ca_file": "our-ca.pem"}
type Settings struct {
	Endpoints    []Endpoint     `json:"endpoints"`
	AllowPrivate []netip.Prefix `json:"allow_private,omitempty"` // networks that are not public and may be reached all the same
	CAFile       string         `json:"ca_file,omitempty"`       // trusted instead of the system's; beside this file, unless absolute

	roots *x509.CertPool
}

var (
	names  = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)
	events = []tracking.OutsideEvent{tracking.CallEvent, tracking.OffEvent, tracking.GoneEvent, "alert.raised", "alert.claimed", "alert.snoozed",
		"alert.escalated", "alert.resolved", "alert.expired"}
)

// ReadFile reads and checks a file of receivers. An error names the member and what to write, and no secret.
func ReadFile(path string) (*Settings, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var s Settings
	if err := d.Decode(&s); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if s.CAFile != "" && !filepath.IsAbs(s.CAFile) {
		s.CAFile = filepath.Join(filepath.Dir(path), s.CAFile)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &s, nil
}

func (s *Settings) check() error {
	var errs []error
	say := func(at, wrong string) { errs = append(errs, errors.New(at+": "+wrong)) }
	seen := map[string]bool{}
	for i := range s.Endpoints {
		e, at := &s.Endpoints[i], fmt.Sprintf("endpoints[%d]", i)
		if !names.MatchString(e.ID) || seen[e.ID] {
			say(at+".id", "write a name of its own in small letters, digits and hyphens, 32 at most")
		}
		seen[e.ID] = true
		if u, err := url.Parse(e.URL); err != nil || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Fragment != "" {
			say(at+".url", "write https://host/path, without a name or password in it")
		}
		e.keys = nil
		for _, secret := range e.Secrets {
			key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
			if err != nil || !strings.HasPrefix(secret, "whsec_") || len(key) < 24 || len(key) > 64 {
				say(at+".secrets", "write whsec_ and 24 to 64 random bytes in base64: echo whsec_$(head -c32 /dev/urandom | base64)")
				continue
			}
			e.keys = append(e.keys, key)
		}
		if len(e.Secrets) == 0 || len(e.Secrets) > 4 {
			say(at+".secrets", "1 to 4: what is not signed is believed by nobody")
		}
		for _, event := range e.Events {
			if !slices.Contains(events, event) {
				say(at+".events", fmt.Sprintf("%q is none: write some of %v", event, events))
			}
		}
	}
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		s.roots = x509.NewCertPool()
		if err != nil || !s.roots.AppendCertsFromPEM(pem) {
			say("ca_file", "no certificate in "+s.CAFile)
		}
	}
	return errors.Join(errs...)
}

func (s *Settings) endpoint(id string) (Endpoint, bool) {
	i := slices.IndexFunc(s.Endpoints, func(e Endpoint) bool { return e.ID == id })
	if i < 0 {
		return Endpoint{}, false
	}
	return s.Endpoints[i], true
}

func (s *Settings) ids() []string {
	ids := make([]string, len(s.Endpoints))
	for i, e := range s.Endpoints {
		ids[i] = e.ID
	}
	return ids
}

// listens reports whether a receiver wants an event of a store.
func (s *Settings) listens(id, store string, event tracking.OutsideEvent) bool {
	e, ok := s.endpoint(id)
	return ok && (len(e.Stores) == 0 || slices.Contains(e.Stores, store)) && (len(e.Events) == 0 || slices.Contains(e.Events, event))
}
