// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"doorstep/consent"
)

func (d *desk) receipt(t *testing.T, c consent.Choice, change func(*consent.DecisionRequest)) string {
	t.Helper()
	r := d.answer(d.prompt(t, opened), c)
	if change != nil {
		change(&r)
	}
	got, err := d.Decide(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return got.Receipt
}

func TestReceiptSaysWhatWasDecided(t *testing.T) {
	states := map[consent.Choice][2]string{
		consent.ThisVisit: {"given", "PT43200S"}, consent.ForATerm: {"given", "PT15811200S"},
		consent.No: {"refused", "PT0S"}, consent.NotNow: {"deferred", "PT0S"},
	}
	for choice, want := range states {
		d := newDesk(t)
		r, err := consent.VerifyReceiptAt(d.receipt(t, choice, nil), d.keys.JWKS(), d.now)
		if err != nil {
			t.Fatal(err)
		}
		p, e := r.Record.Processing, r.Record.Event
		if [2]string{e.State, e.Validity} != want || !e.Time.Equal(d.now) || e.Method != "button" {
			t.Errorf("%s: event %+v, want %v", choice, e, want)
		}
		if len(p.Purpose) != 1 || p.Purpose[0] != "assist" || p.PrivacyNotice != "assist@1" || p.Language != "en" || p.Jurisdiction != "eu" {
			t.Errorf("%s: processing %+v", choice, p)
		}
		subject := d.request().Subject
		if r.Subject != string(subject) || r.Record.Header.Principal != subject || r.ID != r.Record.Header.RecordID || len(r.NoticeHash) != 64 {
			t.Errorf("%s: claims %+v", choice, r.RegisteredClaims)
		}
	}
}

// A change of a byte is found, in whatever part. Every third one is tried.
func TestTamperedReceiptDoesNotVerify(t *testing.T) {
	d := newDesk(t)
	jws := d.receipt(t, consent.ThisVisit, nil)
	if _, err := consent.VerifyReceiptAt(jws, d.keys.JWKS(), d.now); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(jws); i += 3 {
		b := []byte(jws)
		if b[i] ^= 1; b[i] == '.' || jws[i] == '.' {
			b[i] = 'A'
		}
		if _, err := consent.VerifyReceiptAt(string(b), d.keys.JWKS(), d.now); !errors.Is(err, consent.ErrReceipt) {
			t.Fatalf("byte %d: got %v", i, err)
		}
	}
}

func TestReceiptNeedsTheRightKeyTypeAndTime(t *testing.T) {
	d := newDesk(t)
	jws := d.receipt(t, consent.ThisVisit, nil)
	proofEnds := d.now.Add(1096 * 24 * time.Hour)
	sign := func(typ string, change func(*consent.Receipt)) string {
		r, err := consent.VerifyReceiptAt(jws, d.keys.JWKS(), d.now)
		if err != nil {
			t.Fatal(err)
		}
		change(&r)
		out, err := d.keys.Sign(typ, r)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	none, err := jwt.NewWithClaims(jwt.SigningMethodNone, jwt.MapClaims{"exp": proofEnds.Unix()}).SignedString(jwt.UnsafeAllowNoneSignatureType)
	if err != nil {
		t.Fatal(err)
	}
	same := func(*consent.Receipt) {}
	for name, c := range map[string]struct {
		jws  string
		keys []byte
		at   time.Time
	}{
		"other keys":           {jws, consent.NewKeys().JWKS(), d.now},
		"no keys":              {jws, []byte(`{"keys":[]}`), d.now},
		"keys that are none":   {jws, []byte(`<html>`), d.now},
		"unsigned":             {none, d.keys.JWKS(), d.now},
		"of another type":      {sign("consent-notice+jwt", same), d.keys.JWKS(), d.now},
		"after its time":       {jws, d.keys.JWKS(), proofEnds.Add(consent.ClaimAhead + time.Second)},
		"before its time":      {jws, d.keys.JWKS(), d.now.Add(-consent.ClaimAhead - time.Second)},
		"without an end":       {sign("consent-receipt+jwt", func(r *consent.Receipt) { r.ExpiresAt = nil }), d.keys.JWKS(), d.now},
		"another record":       {sign("consent-receipt+jwt", func(r *consent.Receipt) { r.Record.Event.State = "refused" }), d.keys.JWKS(), d.now},
		"another notice":       {sign("consent-receipt+jwt", func(r *consent.Receipt) { r.NoticeHash = "" }), d.keys.JWKS(), d.now},
		"another leaf":         {sign("consent-receipt+jwt", func(r *consent.Receipt) { r.Log.Leaf = "{}" }), d.keys.JWKS(), d.now},
		"a leaf without a key": {sign("consent-receipt+jwt", func(r *consent.Receipt) { r.Log.Key = "" }), d.keys.JWKS(), d.now},
	} {
		if _, err := consent.VerifyReceiptAt(c.jws, c.keys, c.at); !errors.Is(err, consent.ErrReceipt) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := consent.VerifyReceiptAt(sign("consent-receipt+jwt", same), d.keys.JWKS(), proofEnds); err != nil {
		t.Errorf("signed again without a change: %v", err)
	}
}

// The server's clock rules; what the client claims is kept as claimed beside it.
func TestClaimedTimes(t *testing.T) {
	d := newDesk(t)
	for claim, client := range map[time.Duration]time.Duration{
		-48 * time.Hour: -48 * time.Hour, consent.ClaimAhead: consent.ClaimAhead, consent.ClaimAhead + time.Millisecond: 0,
	} {
		jws := d.receipt(t, consent.NotNow, func(r *consent.DecisionRequest) { r.ShownAt, r.DecidedAt = time.Time{}, d.now.Add(claim) })
		r, err := consent.VerifyReceiptAt(jws, d.keys.JWKS(), d.now)
		if err != nil {
			t.Fatal(err)
		}
		e := r.Record.Event
		if !e.Time.Equal(d.now) || !e.Claimed.Equal(d.now.Add(claim)) || !e.Client.Equal(d.now.Add(client)) {
			t.Errorf("claimed %v: %v, %v, %v", claim, e.Time, e.Claimed, e.Client)
		}
	}
}

// A leaf says when, to the hour, and what kind of event; nothing that names anybody.
func TestLeafNamesNobody(t *testing.T) {
	d := newDesk(t)
	r, err := consent.VerifyReceiptAt(d.receipt(t, consent.ThisVisit, nil), d.keys.JWKS(), d.now)
	if err != nil {
		t.Fatal(err)
	}
	var leaf map[string]string
	if err := json.Unmarshal([]byte(r.Log.Leaf), &leaf); err != nil {
		t.Fatal(err)
	}
	if len(leaf) != 4 || leaf["type"] != "given" || leaf["time"] != "2026-03-01T10:00:00Z" || leaf["notice"] != r.NoticeHash || len(leaf["event"]) != 64 {
		t.Errorf("leaf %v", leaf)
	}
	for _, secret := range []string{r.Subject, r.ID, string(d.request().Installation), "shop", "assist"} {
		if strings.Contains(r.Log.Leaf, secret) {
			t.Errorf("the leaf holds %q", secret)
		}
	}
}

func TestNoticeSignatureVerifies(t *testing.T) {
	d := newDesk(t)
	p := d.prompt(t, nil)
	if strings.Count(p.Notice.Signature, ".") != 2 {
		t.Fatalf("not a compact JWS: %q", p.Notice.Signature)
	}
	if _, err := consent.VerifyReceiptAt(p.Notice.Signature, d.keys.JWKS(), d.now); err == nil {
		t.Fatal("a notice's signature passes for a receipt")
	}
	claims := jwt.MapClaims{}
	if _, _, err := jwt.NewParser().ParseUnverified(p.Notice.Signature, claims); err != nil {
		t.Fatal(err)
	}
	if claims["hash"] != p.Notice.Hash || claims["digest"] != p.Digest || claims["jurisdiction"] != "eu" {
		t.Errorf("claims %v", claims)
	}
}

// Why a receipt does not verify is said in plain words, without the library's.
func TestReceiptErrorsArePlain(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.Cases {
		_, err := consent.VerifyReceiptAt(c.Receipt, v.Keys, time.Unix(c.At, 0))
		if err != nil && (strings.Contains(err.Error(), "token") || strings.Contains(err.Error(), "keyfunc") || strings.Contains(err.Error(), "claim")) {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}
