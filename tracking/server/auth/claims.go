// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strings"
	"time"
)

// maxText bounds any one claim or id that is kept, in bytes.
const maxText = 256

// lastSecond is the largest NumericDate that is taken for a time: the end of the year 9999.
const lastSecond = 253402300799

// claims is an unambiguous claims set, names exact, numbers as json.Number.
type claims map[string]any

// text returns a claim that is a non-empty string of at most limit bytes. It holds no NUL, which PostgreSQL does not keep.
func (c claims) text(name string, limit int) (string, bool) {
	s, ok := c[name].(string)
	return s, ok && s != "" && len(s) <= limit && !strings.ContainsRune(s, 0)
}

// second returns a NumericDate in whole seconds, a fraction cut off. A string, a negative number
// and 1e308 are not dates.
func (c claims) second(name string) (int64, error) {
	n, ok := c[name].(json.Number)
	if !ok {
		return 0, errors.New(name + " is missing or not a number")
	}
	f, err := n.Float64()
	if err != nil || !(f >= 0 && f <= lastSecond) {
		return 0, errors.New(name + " is not a date")
	}
	return int64(math.Floor(f)), nil
}

// timely checks what the library does not: that all times are dates, that iat is there, and that
// the token was not minted for longer than life.
func (c claims) timely(life time.Duration) error {
	exp, err := c.second("exp")
	if err != nil {
		return err
	}
	iat, err := c.second("iat")
	if err != nil {
		return err
	}
	if _, there := c["nbf"]; there {
		if _, err := c.second("nbf"); err != nil {
			return err
		}
	}
	if exp <= iat || time.Duration(exp-iat) > life/time.Second {
		return errors.New("lives too long, or not at all")
	}
	return nil
}

// expires is the end of the token's life; call it only after timely.
func (c claims) expires() time.Time {
	exp, _ := c.second("exp")
	return time.Unix(exp, 0)
}

// opens checks that this token is an access token whose one audience is the door, and that its
// issuer may mint for it. A missing audience is a bad token; another one is another door.
func (c claims) opens(header map[string]any, by Issuer, door Door) error {
	aud, err := c.audience()
	if err != nil {
		return refuseToken(err.Error())
	}
	switch {
	case !c.isAccess(header):
		return refuseDoor("not an access token")
	case len(aud) != 1:
		return refuseDoor("several audiences")
	case Door(aud[0]) != door:
		return refuseDoor("another audience")
	case !slices.Contains(by.Doors, door):
		return refuseDoor("the issuer may not mint for this door")
	}
	return nil
}

func (c claims) audience() ([]string, error) {
	switch aud := c["aud"].(type) {
	case string:
		if aud != "" {
			return []string{aud}, nil
		}
	case []any:
		all := make([]string, 0, len(aud))
		for _, a := range aud {
			s, ok := a.(string)
			if !ok || s == "" {
				return nil, errors.New("aud is not a list of names")
			}
			all = append(all, s)
		}
		if len(all) > 0 {
			return all, nil
		}
	}
	return nil, errors.New("aud is missing")
}

// isAccess tells an access token from its relatives. Providers mark those in different places: the
// header's typ (RFC 9068), or a claim typ, token_use or token_type. No mark at all is fine; a mark
// that does not say "access" is not.
func (c claims) isAccess(header map[string]any) bool {
	if typ, there := header["typ"]; there && !saysAccess(typ, "jwt", "at+jwt", "application/at+jwt") {
		return false
	}
	for _, name := range []string{"typ", "token_use", "token_type"} {
		if mark, there := c[name]; there && !saysAccess(mark, "access", "bearer", "jwt", "at+jwt") {
			return false
		}
	}
	return true
}

func saysAccess(mark any, allowed ...string) bool {
	s, ok := mark.(string)
	return ok && slices.Contains(allowed, strings.ToLower(s))
}

// words returns an optional list of short names; absent is none.
func (c claims) words(name string) ([]string, error) {
	v, there := c[name]
	if !there {
		return nil, nil
	}
	list, ok := v.([]any)
	if !ok || len(list) > 16 {
		return nil, errors.New(name + " is not a short list")
	}
	out := make([]string, 0, len(list))
	for _, e := range list {
		s, ok := e.(string)
		if !ok || s == "" || len(s) > 64 {
			return nil, errors.New(name + " holds something that is not a name")
		}
		out = append(out, s)
	}
	return out, nil
}
