// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"doorstep/tracking"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The example of the Standard Webhooks form, computed by another program; and a rotation, in which both secrets sign.
func TestSignatures(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	const want = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	at, text := time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	got := sign([][]byte{key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, text)
	if got != want {
		t.Errorf("%s, want %s", got, want)
	}
	both := strings.Fields(sign([][]byte{[]byte("another key of 24 bytes or so"), key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, text))
	if len(both) != 2 || both[1] != want || both[0] == both[1] {
		t.Errorf("two secrets: %v", both)
	}
	if sign([][]byte{key}, "msg_p5jXN8AQM9LWM0D4loKWxJek", at.Add(time.Second), text) == want {
		t.Error("the time is not signed")
	}
}

func TestOnlyPublicAddresses(t *testing.T) {
	s := &Settings{AllowPrivate: []netip.Prefix{netip.MustParsePrefix("10.1.2.0/24")}}
	for address, ok := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "10.1.2.3": true, "::ffff:10.1.2.3": true,
		"127.0.0.1": false, "::1": false, "::ffff:127.0.0.1": false, "10.1.3.1": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"0.0.0.0": false, "::": false, "100.64.0.1": false, "fc00::1": false, "fe80::1": false, "224.0.0.1": false, "255.255.255.255": false,
		"198.18.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::1": false, "240.0.0.1": false,
	} {
		if err := s.mayReach(netip.MustParseAddr(address)); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// sender is one whose only receiver answers by f.
func sender(t *testing.T, private string, f http.HandlerFunc) (*Sender, tracking.Delivery) {
	t.Helper()
	srv := httptest.NewTLSServer(f)
	t.Cleanup(srv.Close)
	s := &Settings{Endpoints: []Endpoint{{ID: "crm", URL: srv.URL, keys: [][]byte{[]byte("key")}}}}
	s.roots = srv.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	if private != "" {
		s.AllowPrivate = []netip.Prefix{netip.MustParsePrefix(private)}
	}
	out := &Sender{settings: s, client: s.client(), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	t.Cleanup(out.letGo)
	return out, tracking.Delivery{ID: "msg_1", Endpoint: "crm", Event: "alert.raised", At: time.Unix(1000, 0)}
}

// A receiver on this machine is not reached unless its network is named; a redirection is an answer like another, and so is anything but success.
func TestWhatAnAttemptComesTo(t *testing.T) {
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/" {
				t.Errorf("sent on to %s", r.URL.Path)
			}
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(status)
		}
	}
	for name, c := range map[string]struct {
		private string
		status  int
		fault   string
	}{
		"taken":          {"127.0.0.0/8", 204, ""},
		"not allowed":    {"", 204, "not a public address"},
		"sent elsewhere": {"127.0.0.0/8", 302, "answered 302"},
		"refused":        {"127.0.0.0/8", 410, "answered 410"},
		"broken":         {"127.0.0.0/8", 500, "answered 500"},
	} {
		s, d := sender(t, c.private, answer(c.status))
		if fault := s.post(context.Background(), d); !strings.HasPrefix(fault, c.fault) || fault == "" != (c.fault == "") {
			t.Errorf("%s: %q", name, fault)
		}
	}
	s, d := sender(t, "127.0.0.0/8", answer(204))
	s.settings.roots = nil
	s.letGo()
	s.client = s.settings.client()
	if fault := s.post(context.Background(), d); fault != "no answer" {
		t.Errorf("a certificate that nobody trusts: %q", fault)
	}
	d.Endpoint = "gone"
	if fault := s.post(context.Background(), d); !strings.Contains(fault, "not in the file") {
		t.Errorf("a receiver that was taken out: %q", fault)
	}
}

func TestBackoffGrowsAndSpreads(t *testing.T) {
	whole := firstRetry
	for n := 1; n < attempts; n++ {
		if low, high := backoff(n, 0), backoff(n, 0.999); low != whole/2 || high <= low || high > whole {
			t.Errorf("after %d: %v to %v", n, low, high)
		}
		whole *= retryTimes
	}
}

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

func TestTheFileOfReceivers(t *testing.T) {
	read := func(text string) (*Settings, error) {
		path := filepath.Join(t.TempDir(), "webhooks.json")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return ReadFile(path)
	}
	one := func(id, url, secret, more string) string {
		return `{"endpoints":[{"id":"` + id + `","url":"` + url + `","secrets":["` + secret + `"]` + more + `}]}`
	}
	s, err := read(one("crm", "https://hooks.example/x", secret, `,"events":["call"],"stores":["a"]`))
	if err != nil {
		t.Fatal(err)
	}
	if !s.listens("crm", "a", "call") || s.listens("crm", "b", "call") || s.listens("crm", "a", "alert.raised") || s.listens("erp", "a", "call") {
		t.Error("it listens to the wrong things")
	}
	for name, c := range map[string]struct{ text, says string }{
		"plaintext":    {one("crm", "http://hooks.example/x", secret, ""), "endpoints[0].url"},
		"a password":   {one("crm", "https://a:b@hooks.example/x", secret, ""), "endpoints[0].url"},
		"a short key":  {one("crm", "https://hooks.example/x", "whsec_c2hvcnQ=", ""), "endpoints[0].secrets"},
		"a bare key":   {one("crm", "https://hooks.example/x", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ""), "endpoints[0].secrets"},
		"an event":     {one("crm", "https://hooks.example/x", secret, `,"events":["alert.moved"]`), "endpoints[0].events"},
		"a name":       {one("The CRM", "https://hooks.example/x", secret, ""), "endpoints[0].id"},
		"a member":     {one("crm", "https://hooks.example/x", secret, `,"zone":true`), "zone"},
		"no authority": {`{"endpoints":[],"ca_file":"none.pem"}`, "ca_file"},
	} {
		_, err := read(c.text)
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "MfKQ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
