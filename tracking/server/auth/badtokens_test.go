// SPDX-License-Identifier: Apache-2.0

package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
)

// hmacWith signs like a library that takes the public key for a shared secret.
func hmacWith(w *world, secret []byte) string {
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(w.header.with(fields{"alg": "HS256"}).json(w.signer.t))) + "." +
		enc.EncodeToString([]byte(w.shop.json(w.signer.t)))
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(text))
	return text + "." + enc.EncodeToString(m.Sum(nil))
}

func publicForms(t testing.TB, w *world) (der, pemText, point []byte) {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&w.signer.key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	point, err = w.signer.key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return der, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), point
}

// TestBadTokens is the list of the brief: whatever is wrong, the answer is the same 401, byte for byte.
func TestBadTokens(t *testing.T) {
	w := newWorld(t)
	good := w.edited(nil, nil)
	head, rest, _ := strings.Cut(good, ".")
	claims, sig, _ := strings.Cut(rest, ".")
	enc := base64.RawURLEncoding
	der, pemText, point := publicForms(t, w)
	now := w.Now().Unix()
	long := newSigner(t, "k1")
	nested := strings.Repeat(`{"a":`, 6) + "1" + strings.Repeat("}", 6)
	dup := func(text, extra string) string { return "{" + extra + "," + text[1:] }

	bad := map[string]string{
		"empty":                             "",
		"one part":                          head,
		"two parts":                         head + "." + claims,
		"four parts":                        good + ".x",
		"five parts, as encrypted":          good + ".x.y",
		"no signature":                      head + "." + claims + ".",
		"signature of zeros":                head + "." + claims + "." + enc.EncodeToString(make([]byte, 64)),
		"half a signature":                  head + "." + claims + "." + enc.EncodeToString(make([]byte, 32)),
		"another key":                       long.sign(w.header, w.shop),
		"alg none":                          enc.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`)) + "." + claims + ".",
		"alg none with a signature":         enc.EncodeToString([]byte(`{"alg":"none","kid":"k1"}`)) + "." + claims + "." + sig,
		"alg nOnE":                          w.edited(fields{"alg": "nOnE"}, nil),
		"alg es256":                         w.edited(fields{"alg": "es256"}, nil),
		"alg missing":                       w.edited(fields{"alg": nil}, nil),
		"alg a number":                      w.edited(fields{"alg": 256}, nil),
		"alg a list":                        w.edited(fields{"alg": []string{"ES256"}}, nil),
		"alg ES384":                         w.edited(fields{"alg": "ES384"}, nil),
		"alg PS256":                         w.edited(fields{"alg": "PS256"}, nil),
		"alg EdDSA with an EC key":          w.edited(fields{"alg": "EdDSA"}, nil),
		"HS256 with the public key's DER":   hmacWith(w, der),
		"HS256 with the public key's PEM":   hmacWith(w, pemText),
		"HS256 with the public key's point": hmacWith(w, point),
		"HS256 with nothing":                hmacWith(w, nil),
		"kid missing":                       w.edited(fields{"kid": nil}, nil),
		"kid empty":                         w.edited(fields{"kid": ""}, nil),
		"kid a number":                      w.edited(fields{"kid": 1}, nil),
		"kid a list":                        w.edited(fields{"kid": []string{"k1"}}, nil),
		"kid a path":                        w.edited(fields{"kid": "../../../../dev/null"}, nil),
		"kid an absolute path":              w.edited(fields{"kid": "/etc/passwd"}, nil),
		"kid a query":                       w.edited(fields{"kid": "k1' UNION SELECT 'x"}, nil),
		"kid with a zero byte":              w.edited(fields{"kid": "k1\x00"}, nil),
		"kid of 257 bytes":                  w.edited(fields{"kid": strings.Repeat("k", 257)}, nil),
		"kid unknown":                       w.edited(fields{"kid": "k2"}, nil),
		"jku":                               w.edited(fields{"jku": "https://evil.example/jwks"}, nil),
		"x5u":                               w.edited(fields{"x5u": "https://evil.example/x"}, nil),
		"x5c":                               w.edited(fields{"x5c": []string{"MII"}}, nil),
		"jwk":                               w.edited(fields{"jwk": fields{"kty": "EC"}}, nil),
		"jwk null":                          w.signer.raw(`{"alg":"ES256","kid":"k1","jwk":null}`, w.shop.json(t)),
		"crit":                              w.edited(fields{"crit": []string{"exp"}}, nil),
		"b64 false":                         w.edited(fields{"b64": false, "crit": []string{"b64"}}, nil),
		"b64 alone":                         w.edited(fields{"b64": true}, nil),
		"zip":                               w.edited(fields{"zip": "DEF"}, nil),

		"exp missing":        w.edited(nil, fields{"exp": nil}),
		"aud missing":        w.edited(nil, fields{"aud": nil}),
		"aud empty":          w.edited(nil, fields{"aud": ""}),
		"aud an empty list":  w.edited(nil, fields{"aud": []string{}}),
		"aud a list of none": w.edited(nil, fields{"aud": []string{""}}),
		"aud a number":       w.edited(nil, fields{"aud": 7}),
		"aud mixed":          w.edited(nil, fields{"aud": []any{"doorstep:shopper", 7}}),
		"iss missing":        w.edited(nil, fields{"iss": nil}),
		"iss empty":          w.edited(nil, fields{"iss": ""}),
		"iss another":        w.edited(nil, fields{"iss": "https://evil.example"}),
		"iss with a slash":   w.edited(nil, fields{"iss": testIssuer + "/"}),
		"iss a list":         w.edited(nil, fields{"iss": []string{testIssuer}}),
		"iat missing":        w.edited(nil, fields{"iat": nil}),
		"iat ahead":          w.edited(nil, fields{"iat": now + 60}),
		"nbf ahead":          w.edited(nil, fields{"nbf": now + 60}),
		"nbf a string":       w.edited(nil, fields{"nbf": "now"}),
		"exp over":           w.edited(nil, fields{"iat": now - 900, "exp": now - 60}),
		"exp a string":       w.edited(nil, fields{"exp": "1800000900"}),
		"exp 1e308":          w.signer.raw(w.header.json(t), strings.Replace(w.shop.json(t), `"exp":1800000900`, `"exp":1e308`, 1)),
		"exp 1e400":          w.signer.raw(w.header.json(t), strings.Replace(w.shop.json(t), `"exp":1800000900`, `"exp":1e400`, 1)),
		"exp negative":       w.edited(nil, fields{"exp": -1}),
		"exp true":           w.edited(nil, fields{"exp": true}),
		"exp null":           w.signer.raw(w.header.json(t), strings.Replace(w.shop.json(t), `"exp":1800000900`, `"exp":null`, 1)),
		"exp before iat":     w.edited(nil, fields{"iat": now, "exp": now}),
		"lives 15 min 1 s":   w.edited(nil, fields{"exp": now + 901}),
		"sub missing":        w.edited(nil, fields{"sub": nil}),
		"sub empty":          w.edited(nil, fields{"sub": ""}),
		"sub of 257 bytes":   w.edited(nil, fields{"sub": strings.Repeat("s", 257)}),
		"azp missing":        w.edited(nil, fields{"azp": nil}),
		"azp with a NUL":     w.edited(nil, fields{"azp": "app\x00"}),
		"names in capitals":  w.edited(nil, fields{"exp": nil, "EXP": now + 900}),

		"duplicate claim":                w.signer.raw(w.header.json(t), dup(w.shop.json(t), `"sub":"somebody"`)),
		"duplicate claim, escaped":       w.signer.raw(w.header.json(t), dup(w.shop.json(t), `"\u0073ub":"somebody"`)),
		"duplicate header":               w.signer.raw(dup(w.header.json(t), `"alg":"none"`), w.shop.json(t)),
		"duplicate deep inside":          w.signer.raw(w.header.json(t), dup(w.shop.json(t), `"x":{"a":1,"a":2}`)),
		"deep JSON":                      w.signer.raw(w.header.json(t), dup(w.shop.json(t), `"x":`+nested)),
		"deep arrays":                    w.signer.raw(w.header.json(t), dup(w.shop.json(t), `"x":`+strings.Repeat("[", 500)+strings.Repeat("]", 500))),
		"two JSON values":                w.signer.raw(w.header.json(t), w.shop.json(t)+"{}"),
		"not JSON":                       w.signer.raw(w.header.json(t), "sub=s-1"),
		"claims a list":                  w.signer.raw(w.header.json(t), "["+w.shop.json(t)+"]"),
		"claims null":                    w.signer.raw(w.header.json(t), "null"),
		"header null":                    w.signer.raw("null", w.shop.json(t)),
		"not UTF-8":                      w.signer.raw(w.header.json(t), dup(w.shop.json(t), "\"x\":\"\xff\"")),
		"over 4 KiB":                     w.edited(nil, fields{"x": strings.Repeat("x", 4096)}),
		"base64 with padding":            head + "." + claims + "." + sig + "==",
		"base64 of the other alphabet":   head + "." + claims + "." + strings.Map(toStandard, sig[:len(sig)-2]) + "+/",
		"base64 with a line break":       head + "." + claims[:9] + "\n" + claims[9:] + "." + sig,
		"base64 with a carriage return":  head + "." + claims + "." + sig[:9] + "\r" + sig[9:],
		"base64 with a space":            head + "." + claims + "." + sig[:9] + " " + sig[9:],
		"base64 with stray bits":         head + "." + claims + "." + strayBits(sig),
		"a space in front":               " " + good,
		"the scheme twice":               "Bearer " + good,
		"JSON serialisation of the JWS":  `{"payload":"` + claims + `","protected":"` + head + `","signature":"` + sig + `"}`,
		"claims of one, signature other": head + "." + enc.EncodeToString([]byte(w.shop.with(fields{"sub": "s-2"}).json(t))) + "." + sig,
	}
	want := body(refuseToken("any"))
	for name, raw := range bad {
		t.Run(name, func(t *testing.T) {
			if raw == good {
				t.Fatal("the test spoils nothing")
			}
			s, err := w.tokens.Shopper(t.Context(), raw)
			wantCode(t, err, 401, "token")
			if got := body(err); got != want {
				t.Errorf("the answer differs:\n%s\n%s", got, want)
			}
			if !errors.Is(err, ErrToken) || s != (Shopper{}) {
				t.Errorf("cause %v, value %+v", err, s)
			}
		})
	}
	if _, err := w.tokens.Shopper(t.Context(), good); err != nil {
		t.Fatalf("the token they were made from: %v", err)
	}
}

func toStandard(r rune) rune {
	switch r {
	case '-':
		return '+'
	case '_':
		return '/'
	}
	return r
}

// strayBits sets bits of the last character that no byte needs, so that a lax decoder reads the
// same bytes. A signature of 64 bytes leaves four such bits.
func strayBits(sig string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	at := strings.IndexByte(alphabet, sig[len(sig)-1])
	return sig[:len(sig)-1] + string(alphabet[at|1])
}
