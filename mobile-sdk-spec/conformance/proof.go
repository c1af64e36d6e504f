// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// checkProof judges the header DPoP: the key's own signature, over this request and this token.
func checkProof(r *http.Request) (jti string, at time.Time, err error) {
	claims := jwt.MapClaims{}
	_, err = jwt.NewParser(jwt.WithValidMethods([]string{"ES256"}), jwt.WithoutClaimsValidation()).ParseWithClaims(r.Header.Get("DPoP"), claims, keyOf)
	if err != nil {
		return "", at, fmt.Errorf("no proof, or none that its own key verifies")
	}
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	sum := sha256.Sum256([]byte(token))
	for name, want := range map[string]string{"htm": r.Method, "htu": "http://" + r.Host + r.URL.Path, "ath": base64.RawURLEncoding.EncodeToString(sum[:])} {
		if claims[name] != want {
			return "", at, fmt.Errorf("a proof whose %s is of something else", name)
		}
	}
	jti, _ = claims["jti"].(string)
	iat, ok := claims["iat"].(float64)
	if jti == "" || !ok || iat > 1e11 {
		return "", at, errors.New("a proof without jti, or without iat in seconds")
	}
	return jti, time.Unix(int64(iat), 0), nil
}

// keyOf is the key that a proof names: a P-256 key's public members and no other.
func keyOf(t *jwt.Token) (any, error) {
	jwk, _ := t.Header["jwk"].(map[string]any)
	if t.Header["typ"] != "dpop+jwt" || jwk["kty"] != "EC" || jwk["crv"] != "P-256" || jwk["d"] != nil {
		return nil, errors.New("not the header of a proof")
	}
	point := []byte{4}
	for _, name := range []string{"x", "y"} {
		text, _ := jwk[name].(string)
		b, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(b) != 32 {
			return nil, errors.New("not a point")
		}
		point = append(point, b...)
	}
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}
