// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"net/http"
	"net/netip"
	"strings"
)

// maxHops bounds how far back through proxies an address is followed.
const maxHops = 16

// ClientIP returns the address that a request comes from. X-Forwarded-For is written by whoever
// passes the request on, so it is believed only as far as the chain of trusted proxies reaches:
//
//	X-Forwarded-For: forged, real, proxy2     RemoteAddr: proxy1
//	                         ▲ first that is not trusted, read from the right
//
// With no trusted proxies the header means nothing. An entry that is not an address ends the walk
// at the last proxy before it. The zero Addr is returned only if RemoteAddr itself is no address.
// Every other forwarding header is ignored.
func ClientIP(r *http.Request, trusted []netip.Prefix) netip.Addr {
	at := parseHop(r.RemoteAddr)
	if !at.IsValid() || !isTrusted(at, trusted) {
		return at
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for n := len(hops) - 1; n >= 0 && n >= len(hops)-maxHops; n-- {
		next := parseHop(strings.TrimSpace(hops[n]))
		if !next.IsValid() {
			return at
		}
		if at = next; !isTrusted(at, trusted) {
			return at
		}
	}
	return at
}

// parseHop reads an address with or without a port. A mapped IPv4 address becomes plain, and a zone
// is cut off, so that one client has one address.
func parseHop(s string) netip.Addr {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone("")
	}
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return netip.Addr{}
	}
	return a.Unmap().WithZone("")
}

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// AddrKey is the address as limits count it: IPv4 whole, IPv6 by its /64, since one subscriber has
// all of that. An invalid address counts as one client called "unknown".
func AddrKey(a netip.Addr) string {
	if !a.IsValid() {
		return "unknown"
	}
	if a.Is4() {
		return a.String()
	}
	return netip.PrefixFrom(a, 64).Masked().String()
}

// isLoopback reports whether a host name or literal is this machine.
func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
