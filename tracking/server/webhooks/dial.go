// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"syscall"
	"time"
)

// errPrivate is why an address is not dialled.
var errPrivate = errors.New("not a public address: name its network in allow_private if it is to be reached")

// notPublic are networks that netip has no word for: shared address space, benchmarking, NAT64, and what is kept for later or for nobody.
var notPublic = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2002::/16")}

// mayReach judges the address that is dialled, after the name was resolved: a name that resolves to another address the second time
// changes nothing.
func (s *Settings) mayReach(at netip.Addr) error {
	at = at.Unmap()
	in := func(list []netip.Prefix) bool {
		return slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Contains(at) })
	}
	public := at.IsGlobalUnicast() && !at.IsPrivate() && !at.IsLoopback() && !in(notPublic)
	if public || in(s.AllowPrivate) {
		return nil
	}
	return errPrivate
}

// client reaches receivers: over TLS, by no proxy, and wherever it is sent on to, it does not go.
func (s *Settings) client() *http.Client {
	dialer := &net.Dialer{Timeout: 5 * time.Second, ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return err
		}
		return s.mayReach(at.Addr())
	}}
	return &http.Client{
		Timeout:       sendWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: s.roots},
			TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: sendWithin, MaxResponseHeaderBytes: 16 << 10, MaxIdleConnsPerHost: 2,
			IdleConnTimeout: 30 * time.Second, ForceAttemptHTTP2: true},
	}
}
