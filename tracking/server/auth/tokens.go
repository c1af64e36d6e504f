// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Door is what a token opens, and the audience it must name, alone.
type Door string

// The doors. Their names are the audiences of the contract.
const (
	ShopperDoor Door = "doorstep:shopper"
	StaffDoor   Door = "doorstep:staff"
	AdminDoor   Door = "doorstep:admin"
)

// Lives and tolerances of tokens.
const (
	ShopperLife   = 15 * time.Minute // exp − iat at most: a shopper's token is asked for often
	StaffLife     = 12 * time.Hour   // a shift
	AdminLife     = time.Hour
	DefaultLeeway = 10 * time.Second // between the issuer's clock and ours
	MaxLeeway     = time.Minute
)

// methods are all the signature methods there are here. HMAC is not among them and cannot be set:
// with it, whoever can verify can mint.
var methods = []string{"ES256", "EdDSA", "RS256"}

// Issuer is one party that may mint tokens, with the doors it may mint for. A retailer whose
// shoppers and staff come from different identity providers names two.
type Issuer struct {
	Name    string   // the exact iss
	Methods []string // of ES256, EdDSA, RS256: what this issuer signs with
	Keys    Keys
	Doors   []Door // never empty; a token for another door is refused with 403
}

// Settings configure Tokens. The zero value does not start: each empty check is an error.
type Settings struct {
	Issuers []Issuer
	Leeway  time.Duration // for exp, nbf and iat; 0 is exact, negative or above MaxLeeway an error
	Now     func() time.Time
}

// Tokens verifies the JWTs of shoppers, staff and administrators, as RFC 8725 advises. It is safe
// for concurrent use; only Keys that are fetched hold state.
type Tokens struct {
	issuers map[string]issuer
	leeway  time.Duration
	now     func() time.Time
}

type issuer struct {
	Issuer
	parser *jwt.Parser
}

// NewTokens checks the settings and returns a verifier. Its errors are *SettingError: an empty
// issuer, method or door would switch the check off in the library below, so none is let through.
func NewTokens(s Settings) (*Tokens, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	t := &Tokens{issuers: make(map[string]issuer), leeway: s.Leeway, now: s.Now}
	for _, i := range s.Issuers {
		p := jwt.NewParser(jwt.WithValidMethods(i.Methods), jwt.WithIssuer(i.Name), jwt.WithLeeway(s.Leeway),
			jwt.WithTimeFunc(s.Now), jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithStrictDecoding())
		t.issuers[i.Name] = issuer{i, p}
	}
	return t, nil
}

func (s Settings) check() error {
	if len(s.Issuers) == 0 {
		return &SettingError{"Issuers", "empty", "Name at least one party that mints tokens."}
	}
	if s.Leeway < 0 || s.Leeway > MaxLeeway {
		return &SettingError{"Leeway", "not between 0 and 1 minute", "Use 10 s, or mend the clocks."}
	}
	if s.Now == nil {
		return &SettingError{"Now", "empty", "Give the server's clock."}
	}
	seen := make(map[string]bool)
	for n, i := range s.Issuers {
		at := "Issuers[" + strconv.Itoa(n) + "]."
		if err := i.check(at); err != nil {
			return err
		}
		if seen[i.Name] {
			return &SettingError{at + "Name", "given twice", "Merge the two issuers."}
		}
		seen[i.Name] = true
	}
	return nil
}

func (i Issuer) check(at string) error {
	switch {
	case i.Name == "":
		return &SettingError{at + "Name", "empty", "Set it to the exact iss of the tokens."}
	case len(i.Methods) == 0:
		return &SettingError{at + "Methods", "empty", "Name what the issuer signs with: ES256, EdDSA or RS256."}
	case i.Keys == nil:
		return &SettingError{at + "Keys", "empty", "Give a JWKS file or address."}
	case len(i.Doors) == 0:
		return &SettingError{at + "Doors", "empty (no audience)", "Name the doors the issuer may mint for: doorstep:shopper, doorstep:staff or doorstep:admin."}
	}
	for _, m := range i.Methods {
		if !slices.Contains(methods, m) {
			return &SettingError{at + "Methods", strconv.Quote(m) + " is not allowed", "Use ES256, EdDSA or RS256."}
		}
	}
	for _, d := range i.Doors {
		if d != ShopperDoor && d != StaffDoor && d != AdminDoor {
			return &SettingError{at + "Doors", strconv.Quote(string(d)) + " is not a door", "Use doorstep:shopper, doorstep:staff or doorstep:admin."}
		}
	}
	return nil
}

// verify answers the claims of a token that is good, current and for the door.
//
//	bounded, unambiguous ─► known issuer ─► dates ─► known kid, its own method ─► signature ─► now    else 401
//	                                                                          ─► kind ─► door   else 403
//
// The door comes last, so that a 403 is only ever said about a token that is good.
func (t *Tokens) verify(ctx context.Context, raw string, door Door, life time.Duration) (claims, error) {
	c, err := openCompact(raw)
	if err != nil {
		return nil, refuseToken(err.Error())
	}
	if _, there := c.header["jwk"]; there {
		return nil, refuseToken("header carries jwk")
	}
	set := claims(c.claims)
	name, _ := set.text("iss", maxText)
	by, ok := t.issuers[name]
	if !ok {
		return nil, refuseToken("issuer is not ours")
	}
	if err := set.timely(life); err != nil {
		return nil, refuseToken(err.Error())
	}
	if _, err := by.parser.Parse(raw, keyOf(ctx, by.Keys)); err != nil {
		if unavailable, ok := errors.AsType[*keysUnavailable](err); ok {
			return nil, unavailable.problem()
		}
		return nil, refuseToken(ruleOf(err))
	}
	if err := set.opens(c.header, by.Issuer, door); err != nil {
		return nil, err
	}
	return set, nil
}

// keyOf finds the key by its id and insists that the token uses that key's own method: a key
// never serves two (RFC 8725, section 3.1).
func keyOf(ctx context.Context, keys Keys) jwt.Keyfunc {
	return func(t *jwt.Token) (any, error) {
		kid, ok := t.Header["kid"].(string)
		if !ok || kid == "" || len(kid) > maxText {
			return nil, errors.New("no usable kid")
		}
		k, err := keys.Key(ctx, kid)
		if err != nil && !errors.Is(err, ErrUnknownKey) {
			return nil, &keysUnavailable{err}
		}
		if err != nil {
			return nil, err
		}
		if k.Method != t.Method.Alg() {
			return nil, errors.New("the key's method is another")
		}
		return k.Public, nil
	}
}

// ruleOf names the rule that failed, for counting; never what the token said.
func ruleOf(err error) string {
	for _, known := range []error{jwt.ErrTokenExpired, jwt.ErrTokenUsedBeforeIssued, jwt.ErrTokenNotValidYet,
		jwt.ErrTokenRequiredClaimMissing, jwt.ErrTokenInvalidClaims, ErrUnknownKey, jwt.ErrTokenSignatureInvalid,
		jwt.ErrTokenUnverifiable, jwt.ErrTokenMalformed} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "refused"
}
