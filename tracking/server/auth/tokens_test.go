// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestGoodTokens(t *testing.T) {
	w := newWorld(t)
	s, err := w.tokens.Shopper(t.Context(), w.edited(nil, nil))
	want := Shopper{Subject: "s-1", App: "app-1", AgeBand: Adult, ExpiresAt: w.Now().Add(15 * time.Minute)}
	if err != nil || !s.ExpiresAt.Equal(want.ExpiresAt) || s.Subject != want.Subject || s.App != want.App || s.AgeBand != want.AgeBand {
		t.Fatalf("got %+v, %v; want %+v", s, err, want)
	}
	for name, claims := range map[string]fields{
		"audience as a list":    {"aud": []string{"doorstep:shopper"}},
		"a mark of access":      {"token_use": "access"},
		"a fraction of seconds": {"iat": float64(w.Now().Unix()) - 0.5, "exp": float64(w.Now().Unix()) + 100.5},
		"an unknown claim":      {"scope": "x"},
		"not before now":        {"nbf": w.Now().Unix()},
	} {
		if _, err := w.tokens.Shopper(t.Context(), w.edited(nil, claims)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	staff := w.signer.sign(w.header, w.staff.with(fields{"teams": []string{"Shoes"}, "purposes": []string{"pickup"}, "lang": "zh"}))
	got, err := w.tokens.Staff(t.Context(), staff)
	if err != nil || got.Shift != "shift-1" || got.Tag != "Mei" || got.Role != RoleFloor || got.Store != "a" || len(got.Teams) != 1 || !slices.Equal(got.Purposes, []string{"pickup"}) || got.Lang != "zh" {
		t.Fatalf("got %+v, %v", got, err)
	}
}

func TestAgeBandUnknownIsEmpty(t *testing.T) {
	w := newWorld(t)
	for claim, want := range map[any]string{"adult": Adult, "minor": Minor, "ADULT": "", "21": "", nil: ""} {
		s, err := w.tokens.Shopper(t.Context(), w.edited(nil, fields{"age": claim}))
		if err != nil || s.AgeBand != want {
			t.Errorf("age %v: band %q, %v; want %q", claim, s.AgeBand, err, want)
		}
	}
	_, err := w.tokens.Shopper(t.Context(), w.edited(nil, fields{"age": 21}))
	wantCode(t, err, 401, "token")
}

// TestOtherDoors: a good token where it does not belong is 403, and says so.
func TestOtherDoors(t *testing.T) {
	w := newWorld(t)
	shopper, staff := w.edited(nil, nil), w.signer.sign(w.header, w.staff)
	_, err := w.tokens.Staff(t.Context(), shopper)
	wantCode(t, err, 403, "door")
	_, err = w.tokens.Shopper(t.Context(), staff)
	wantCode(t, err, 403, "door")
	_, err = w.tokens.Admin(t.Context(), staff)
	wantCode(t, err, 403, "door")
	admin := w.signer.sign(w.header, w.shop.with(fields{"aud": "doorstep:admin"}))
	_, err = w.tokens.Admin(t.Context(), admin)
	wantCode(t, err, 403, "door") // this issuer may not mint for administrators
	for name, raw := range map[string]string{
		"several audiences":       w.edited(nil, fields{"aud": []string{"doorstep:shopper", "doorstep:staff"}}),
		"the same audience twice": w.edited(nil, fields{"aud": []string{"doorstep:shopper", "doorstep:shopper"}}),
		"a stranger's audience":   w.edited(nil, fields{"aud": "shop"}),
		"audience in capitals":    w.edited(nil, fields{"aud": "DOORSTEP:SHOPPER"}),
		"a refresh token by typ":  w.edited(nil, fields{"typ": "Refresh"}),
		"a refresh token by use":  w.edited(nil, fields{"token_use": "refresh"}),
		"a refresh token by type": w.edited(nil, fields{"token_type": "refresh_token"}),
		"a refresh token by head": w.edited(fields{"typ": "rt+jwt"}, nil),
		"a logout token":          w.edited(fields{"typ": "logout+jwt"}, nil),
		"a proof":                 w.edited(fields{"typ": "dpop+jwt"}, nil),
		"a receipt":               w.edited(fields{"typ": "consent-receipt+jwt"}, nil),
		"a mark that is no text":  w.edited(nil, fields{"typ": 1}),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.tokens.Shopper(t.Context(), raw)
			wantCode(t, err, 403, "door")
			if !errors.Is(err, ErrDoor) {
				t.Errorf("cause %v", err)
			}
		})
	}
	_, err = w.tokens.Staff(t.Context(), w.edited(nil, fields{"exp": w.Now().Unix() - 60, "iat": w.Now().Unix() - 120}))
	wantCode(t, err, 401, "token") // an expired token is bad at every door
}

func TestStaffClaims(t *testing.T) {
	w := newWorld(t)
	for name, edit := range map[string]fields{
		"store missing": {"store": nil}, "store empty": {"store": ""}, "store a list": {"store": []string{"a", "b"}},
		"tag missing": {"tag": nil}, "role missing": {"role": nil}, "role a number": {"role": 1}, "sub missing": {"sub": nil},
		"teams text": {"teams": "Shoes"}, "teams mixed": {"teams": []any{"Shoes", 1}}, "lang a number": {"lang": 1},
		"purposes text": {"purposes": "pickup"}, "purposes mixed": {"purposes": []any{"pickup", 1}}, "a purpose without a name": {"purposes": []string{""}}, "no purpose": {"purposes": []string{}},
		"teams too many": {"teams": make([]string, 17)}, "13 hours": {"exp": w.Now().Unix() + 13*3600},
	} {
		_, err := w.tokens.Staff(t.Context(), w.signer.sign(w.header, w.staff.with(edit)))
		if err == nil {
			t.Fatalf("%s: accepted", name)
		}
		wantCode(t, err, 401, "token")
	}
	s, err := w.tokens.Staff(t.Context(), w.signer.sign(w.header, w.staff.with(fields{"role": "owner"})))
	wantCode(t, err, 403, "role")
	if s.Shift != "" {
		t.Fatalf("a refused role still answers %+v", s)
	}
	s, err = w.tokens.Staff(t.Context(), w.signer.sign(w.header, w.staff))
	if err != nil {
		t.Fatal(err)
	}
	if s.At("a") != nil || s.May(RoleLead, RoleFloor) != nil {
		t.Fatal("refused at its own store or role")
	}
	wantCode(t, s.At("b"), 403, "other_store")
	wantCode(t, s.At(""), 403, "other_store")
	wantCode(t, Staff{}.At(""), 403, "other_store")
	wantCode(t, s.May(RoleAdmin), 403, "role")
}

// TestClockSkew pins the boundaries: with a leeway of 10 s, exp holds through 9.999 s after it, iat
// and nbf from exactly 10 s before.
func TestClockSkew(t *testing.T) {
	const sec, ms = time.Second, time.Millisecond
	for _, c := range []struct {
		name   string
		claim  fields // offsets in seconds from the clock's start, for exp, iat, nbf
		at     time.Duration
		accept bool
	}{
		{"last moment of exp", fields{"iat": 0, "exp": 100}, 110*sec - ms, true},
		{"exp and leeway over", fields{"iat": 0, "exp": 100}, 110 * sec, false},
		{"first moment of iat", fields{"iat": 100, "exp": 200}, 90 * sec, true},
		{"before iat and leeway", fields{"iat": 100, "exp": 200}, 90*sec - ms, false},
		{"first moment of nbf", fields{"iat": 0, "nbf": 100, "exp": 200}, 90 * sec, true},
		{"before nbf and leeway", fields{"iat": 0, "nbf": 100, "exp": 200}, 90*sec - ms, false},
		{"exactly 15 minutes", fields{"iat": 0, "exp": 900}, 0, true},
		{"one second more", fields{"iat": 0, "exp": 901}, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			edit := fields{}
			for name, off := range c.claim {
				edit[name] = w.Now().Unix() + int64(off.(int))
			}
			raw := w.edited(nil, edit)
			w.Add(c.at)
			_, err := w.tokens.Shopper(t.Context(), raw)
			if c.accept && err != nil {
				t.Fatalf("refused: %v", err)
			}
			if !c.accept {
				wantCode(t, err, 401, "token")
			}
		})
	}
}

// TestMethods: each method works with a key of its own, and no key serves two methods.
func TestMethods(t *testing.T) {
	w := newWorld(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := KeySet{"ec": w.signer.public(), "rsa": {"RS256", &rsaKey.PublicKey}, "ed": {"EdDSA", edPublic}}
	mint := func(m jwt.SigningMethod, kid string, key any) string {
		tok := jwt.NewWithClaims(m, jwt.MapClaims(w.shop))
		tok.Header["kid"] = kid
		raw, err := tok.SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	all := map[string]string{
		"ES256": mint(jwt.SigningMethodES256, "ec", w.signer.key),
		"RS256": mint(jwt.SigningMethodRS256, "rsa", rsaKey),
		"EdDSA": mint(jwt.SigningMethodEdDSA, "ed", edKey),
	}
	for allowed := range all {
		v, err := NewTokens(Settings{Now: w.Now, Issuers: []Issuer{{testIssuer, []string{allowed}, keys, []Door{ShopperDoor}}}})
		if err != nil {
			t.Fatal(err)
		}
		for method, raw := range all {
			if _, err := v.Shopper(t.Context(), raw); (err == nil) != (method == allowed) {
				t.Errorf("%s allowed, %s came: %v", allowed, method, err)
			}
		}
		_, err = v.Shopper(t.Context(), mint(jwt.SigningMethodPS256, "rsa", rsaKey))
		wantCode(t, err, 401, "token")
		_, err = v.Shopper(t.Context(), mint(jwt.SigningMethodRS512, "rsa", rsaKey))
		wantCode(t, err, 401, "token")
	}
}

// TestKeyKnowsItsMethod: the method comes with the key, so a key that is filed under another one
// verifies nothing, even where the mathematics would.
func TestKeyKnowsItsMethod(t *testing.T) {
	w := newWorld(t)
	misfiled := KeySet{"k1": {"RS256", &w.signer.key.PublicKey}}
	v, err := NewTokens(Settings{Now: w.Now, Issuers: []Issuer{{testIssuer, methods, misfiled, []Door{ShopperDoor}}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Shopper(t.Context(), w.edited(nil, nil))
	wantCode(t, err, 401, "token")
}

// asked is a key store that notes what it is asked for.
type asked struct{ kids []string }

func (a *asked) Key(_ context.Context, kid string) (Key, error) {
	a.kids = append(a.kids, kid)
	if kid == "down" {
		return Key{}, errors.New("out of reach")
	}
	return Key{}, ErrUnknownKey
}

// TestKeyStoreIsAskedLittle: an id that cannot be one never reaches the store, and a store that
// cannot answer makes the answer "not now", never "no".
func TestKeyStoreIsAskedLittle(t *testing.T) {
	w := newWorld(t)
	store := &asked{}
	v, err := NewTokens(Settings{Now: w.Now, Issuers: []Issuer{{testIssuer, methods, store, []Door{ShopperDoor}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, kid := range []any{nil, "", 1, strings.Repeat("k", 257)} {
		_, err := v.Shopper(t.Context(), w.edited(fields{"kid": kid}, nil))
		wantCode(t, err, 401, "token")
	}
	if len(store.kids) != 0 {
		t.Fatalf("asked for %q", store.kids)
	}
	_, err = v.Shopper(t.Context(), w.edited(fields{"kid": "other"}, nil))
	wantCode(t, err, 401, "token")
	_, err = v.Shopper(t.Context(), w.edited(fields{"kid": "down"}, nil))
	wantCode(t, err, 503, "unavailable")
}

// TestIssuersAreApart: the issuer of shoppers cannot make staff, even with the staff issuer's kid.
func TestIssuersAreApart(t *testing.T) {
	w := newWorld(t)
	work := newSigner(t, "k1")
	v, err := NewTokens(Settings{Now: w.Now, Issuers: []Issuer{
		{testIssuer, []string{"ES256"}, KeySet{"k1": w.signer.public()}, []Door{ShopperDoor}},
		{"https://desk.example", []string{"ES256"}, KeySet{"k1": work.public()}, []Door{StaffDoor}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = v.Staff(t.Context(), w.signer.sign(w.header, w.staff))
	wantCode(t, err, 403, "door")
	_, err = v.Staff(t.Context(), w.signer.sign(w.header, w.staff.with(fields{"iss": "https://desk.example"})))
	wantCode(t, err, 401, "token")
	if _, err = v.Staff(t.Context(), work.sign(w.header, w.staff.with(fields{"iss": "https://desk.example"}))); err != nil {
		t.Fatal(err)
	}
}

// TestRefusesToStart: an empty check is named, with its remedy.
func TestRefusesToStart(t *testing.T) {
	good := func() Settings {
		return Settings{Now: time.Now, Leeway: time.Second, Issuers: []Issuer{{testIssuer, []string{"ES256"}, KeySet{}, []Door{ShopperDoor}}}}
	}
	if _, err := NewTokens(good()); err != nil {
		t.Fatal(err)
	}
	for setting, spoil := range map[string]func(*Settings){
		"Issuers":            func(s *Settings) { s.Issuers = nil },
		"Now":                func(s *Settings) { s.Now = nil },
		"Leeway":             func(s *Settings) { s.Leeway = -1 },
		"Leeway ":            func(s *Settings) { s.Leeway = time.Minute + 1 },
		"Issuers[0].Name":    func(s *Settings) { s.Issuers[0].Name = "" },
		"Issuers[0].Methods": func(s *Settings) { s.Issuers[0].Methods = nil },
		"Issuers[0].Methods ": func(s *Settings) {
			s.Issuers[0].Methods = []string{"ES256", "HS256"}
		},
		"Issuers[0].Methods  ": func(s *Settings) { s.Issuers[0].Methods = []string{"none"} },
		"Issuers[0].Keys":      func(s *Settings) { s.Issuers[0].Keys = nil },
		"Issuers[0].Doors":     func(s *Settings) { s.Issuers[0].Doors = nil },
		"Issuers[0].Doors ":    func(s *Settings) { s.Issuers[0].Doors = []Door{""} },
		"Issuers[1].Name":      func(s *Settings) { s.Issuers = append(s.Issuers, s.Issuers[0]) },
	} {
		s := good()
		spoil(&s)
		v, err := NewTokens(s)
		e, ok := errors.AsType[*SettingError](err)
		if !ok || v != nil || e.Setting != strings.TrimSpace(setting) || e.Remedy == "" {
			t.Errorf("%s: got %v, %v", setting, v, err)
		}
	}
}
