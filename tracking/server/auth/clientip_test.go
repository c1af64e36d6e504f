// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestClientIP(t *testing.T) {
	inside := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		remote  string
		header  []string
		trusted []netip.Prefix
		want    string
	}{
		"plain":                         {"203.0.113.9:5", nil, nil, "203.0.113.9"},
		"forged, nobody trusted":        {"203.0.113.9:5", []string{"1.1.1.1"}, nil, "203.0.113.9"},
		"forged, sender not trusted":    {"203.0.113.9:5", []string{"1.1.1.1"}, inside, "203.0.113.9"},
		"one proxy":                     {"10.0.0.1:5", []string{"203.0.113.9"}, inside, "203.0.113.9"},
		"one proxy, forged in front":    {"10.0.0.1:5", []string{"1.1.1.1, 203.0.113.9"}, inside, "203.0.113.9"},
		"forged as a proxy of ours":     {"10.0.0.1:5", []string{"1.1.1.1, 10.9.9.9, 203.0.113.9"}, inside, "203.0.113.9"},
		"two proxies":                   {"10.0.0.1:5", []string{"203.0.113.9, 10.0.0.2"}, inside, "203.0.113.9"},
		"two headers":                   {"10.0.0.1:5", []string{"1.1.1.1", "203.0.113.9"}, inside, "203.0.113.9"},
		"garbage in front":              {"10.0.0.1:5", []string{"<x>, 203.0.113.9"}, inside, "203.0.113.9"},
		"garbage last":                  {"10.0.0.1:5", []string{"203.0.113.9, <x>"}, inside, "10.0.0.1"},
		"empty":                         {"10.0.0.1:5", []string{""}, inside, "10.0.0.1"},
		"with a port":                   {"10.0.0.1:5", []string{"203.0.113.9:77"}, inside, "203.0.113.9"},
		"IPv6":                          {"[fd00::1]:5", []string{"2001:db8::7"}, inside, "2001:db8::7"},
		"IPv6 in brackets with a port":  {"[fd00::1]:5", []string{"[2001:db8::7]:9"}, inside, "2001:db8::7"},
		"IPv4 in IPv6":                  {"[::ffff:10.0.0.1]:5", []string{"::ffff:203.0.113.9"}, inside, "203.0.113.9"},
		"everybody trusted":             {"10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, inside, "10.0.0.3"},
		"a zone":                        {"[fe80::1%eth0]:5", nil, nil, "fe80::1"},
		"not an address":                {"@", []string{"203.0.113.9"}, inside, "invalid IP"},
		"more hops than can be honest":  {"10.0.0.1:5", []string{"203.0.113.9" + strings.Repeat(",10.0.0.2", maxHops)}, inside, "10.0.0.2"},
		"as many hops as are looked at": {"10.0.0.1:5", []string{"203.0.113.9" + strings.Repeat(",10.0.0.2", maxHops-1)}, inside, "203.0.113.9"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header["X-Forwarded-For"] = c.header
		r.Header.Set("X-Real-Ip", "6.6.6.6")
		r.Header.Set("Forwarded", "for=6.6.6.6")
		if got := ClientIP(r, c.trusted).String(); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
	}
}

// TestForgedForwardingChangesNothing: whatever stands in front of what the trusted proxy wrote.
func TestForgedForwardingChangesNothing(t *testing.T) {
	inside := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	rapid.Check(t, func(rt *rapid.T) {
		forged := rapid.StringN(0, 200, 400).Draw(rt, "forged")
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "10.0.0.1:1"
		r.Header["X-Forwarded-For"] = []string{forged, "203.0.113.9"}
		if got := ClientIP(r, inside); got != netip.MustParseAddr("203.0.113.9") {
			rt.Fatalf("behind a proxy: %v", got)
		}
		r.RemoteAddr = "203.0.113.9:1"
		r.Header["X-Forwarded-For"] = []string{forged}
		if got := ClientIP(r, inside); got != netip.MustParseAddr("203.0.113.9") {
			rt.Fatalf("without a proxy: %v", got)
		}
	})
}

func TestAddrKey(t *testing.T) {
	key := func(s string) string { return AddrKey(netip.MustParseAddr(s)) }
	if key("203.0.113.9") == key("203.0.113.8") || key("2001:db8:0:1::1") != key("2001:db8:0:1:ffff::2") ||
		key("2001:db8:0:1::1") == key("2001:db8:0:2::1") || AddrKey(netip.Addr{}) != "unknown" {
		t.Fatal("addresses are told apart wrongly")
	}
	for host, want := range map[string]bool{"localhost": true, "127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true, "10.0.0.1": false, "localhost.evil.example": false, "": false} {
		if isLoopback(host) != want {
			t.Errorf("loopback %q: %v", host, !want)
		}
	}
}
