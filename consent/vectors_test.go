// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/tlog"

	"doorstep/consent"
)

// The vectors of receipts are made here, under keys that everybody knows, and checked in by hand: a client in
// any language can hold itself to them. `go test ./consent -run Vectors -update` writes the file anew.
var update = flag.Bool("update", false, "write mobile-sdk-spec/vectors/receipts.json anew")

var vectorFile = filepath.Join("..", "mobile-sdk-spec", "vectors", "receipts.json")

type vectors struct {
	Note       string          `json:"note"`
	Keys       json.RawMessage `json:"keys"`
	LogKey     string          `json:"log_key"`
	Checkpoint string          `json:"checkpoint"`
	Leaves     []string        `json:"leaves"`
	Cases      []vectorCase    `json:"cases"`
}

type vectorCase struct {
	Name      string         `json:"name"`
	Receipt   string         `json:"receipt"`
	At        int64          `json:"at"`        // Unix seconds
	Signature string         `json:"signature"` // valid, invalid, unknown_key or malformed
	Good      bool           `json:"good"`      // as a receipt, at that time
	Proof     *consent.Proof `json:"proof,omitempty"`
	Why       string         `json:"why,omitempty"`
}

// vectorTime is when the vectors' events happened; their proof ends a hundred years later.
var vectorTime = time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC)

// knownKeys are keys that are no secret.
func knownKeys(t *testing.T, first byte) consent.Keys {
	t.Helper()
	seed := func(b byte) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{first + b}, 32)) }
	text := fmt.Sprintf(`{"version":2,"ref":%q,"visit":%q,"receipts":[{"seed":%q},{"seed":%q}],"log":[{"seed":%q}]}`,
		seed(1), seed(2), seed(3), seed(4), seed(5))
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	k, err := consent.LoadKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// vectorEvent is the n-th event.
func vectorEvent(k consent.Keys, n int) consent.Event {
	state := []consent.State{consent.Given, consent.RefusedState, consent.Deferred, consent.Renewed, consent.WithdrawnOver}[n%5]
	at := vectorTime.Add(time.Duration(n) * time.Minute)
	e := consent.RecordEvent{Time: at, Validity: "PT0S", Entity: k.Installation(fmt.Sprint("phone-", n)), Type: "explicit consent", State: string(state), Method: "button"}
	if state.Allows() {
		e.Validity = "PT43200S"
	}
	return consent.Event{
		Record: consent.Record{
			Header: consent.RecordHeader{SchemaVersion: "ISO/IEC TS 27560:2023", RecordID: fmt.Sprintf("019c9a00-0000-7000-8000-%012d", n), Principal: k.Subject("shopper")},
			Processing: consent.RecordProcessing{PrivacyNotice: "assist@1", Language: "en", Purpose: []string{"assist"}, Store: "shop-" + fmt.Sprint(n),
				PIIInformation: []string{"position"}, Controllers: []string{"https://shop.example/privacy"}, Storage: []string{"EU"}, Retention: []string{"position PT30S"},
				Jurisdiction: "eu", Recipients: []string{"staff"}, WithdrawalMethod: "press Stop \u2014 \u505c\u6b62"},
			Party: []consent.Party{{ID: "https://shop.example/privacy", Name: "Shop \u2028 <& Sons>", Contact: "privacy@shop.example", Role: "pii controller"}},
			Event: e,
		},
		Notice: strings.Repeat(fmt.Sprintf("%02x", n), 32), Key: [32]byte(bytes.Repeat([]byte{byte(100 + n)}, 32)),
	}
}

// makeVectors makes a log of eight events and a receipt of each, and spoils some.
func makeVectors(t *testing.T) vectors {
	t.Helper()
	k := knownKeys(t, 0)
	v := vectors{Note: "Receipts under keys that are no secret. signature: what the key says of the JWS. good: whether it is a receipt that proves something at the time given.",
		Keys: k.JWKS()}
	var stored []tlog.Hash
	read := tlog.HashReaderFunc(func(x []int64) (out []tlog.Hash, err error) {
		for _, i := range x {
			out = append(out, stored[i])
		}
		return out, nil
	})
	root := func(size int64) consent.TreeHead {
		h, err := tlog.TreeHash(size, read)
		ok(t, err)
		return consent.TreeHead{Size: size, Root: hex.EncodeToString(h[:])}
	}
	sign := func(typ string, r consent.Receipt) string {
		jws, err := k.Sign(typ, r)
		ok(t, err)
		return jws
	}
	var receipts []consent.Receipt
	for n := range 8 {
		e := vectorEvent(k, n)
		leaf, err := e.Leaf()
		ok(t, err)
		more, err := tlog.StoredHashes(int64(n), leaf, read)
		ok(t, err)
		stored, v.Leaves = append(stored, more...), append(v.Leaves, string(leaf))
		head := root(int64(n) + 1)
		receipts = append(receipts, consent.Receipt{
			RegisteredClaims: jwt.RegisteredClaims{Issuer: "https://shop.example/privacy", Subject: string(e.Record.Header.Principal), ID: e.Record.Header.RecordID,
				IssuedAt: jwt.NewNumericDate(e.Record.Event.Time), ExpiresAt: jwt.NewNumericDate(vectorTime.AddDate(100, 0, 0))},
			Record: e.Record, NoticeHash: e.Notice,
			Log: consent.ReceiptLog{Index: int64(n), Size: head.Size, Root: head.Root, Leaf: string(leaf), Key: hex.EncodeToString(e.Key[:])},
		})
	}
	head := root(8)
	signed, err := k.SignCheckpoint(consent.Checkpoint{Origin: "shop.example/privacy", TreeHead: head}, vectorTime)
	ok(t, err)
	names, err := k.LogVerifiers("shop.example/privacy")
	ok(t, err)
	v.Checkpoint, v.LogKey = string(signed), names[0]
	for n, r := range receipts {
		path, err := tlog.ProveRecord(8, int64(n), read)
		ok(t, err)
		p := &consent.Proof{Index: int64(n), Leaf: v.Leaves[n], Tree: head, Path: []string{}}
		for _, h := range path {
			p.Path = append(p.Path, hex.EncodeToString(h[:]))
		}
		v.Cases = append(v.Cases, vectorCase{Name: r.Record.Event.State + " " + fmt.Sprint(n), Receipt: sign("consent-receipt+jwt", r), Signature: "valid", Good: true, Proof: p})
	}
	good, r := v.Cases[0].Receipt, receipts[0]
	part := strings.Split(good, ".")
	with := func(change func(*consent.Receipt)) string {
		c := r
		change(&c)
		return sign("consent-receipt+jwt", c)
	}
	swapped := strings.Split(v.Cases[1].Receipt, ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"consent-receipt+jwt"}`))
	foreign, err := knownKeys(t, 100).Sign("consent-receipt+jwt", r)
	ok(t, err)
	v.Cases = append(v.Cases,
		vectorCase{Name: "a record of another", Receipt: part[0] + "." + swapped[1] + "." + part[2], Signature: "invalid", Why: "signature"},
		vectorCase{Name: "a changed byte", Receipt: part[0] + "." + otherShop(t, part[1]) + "." + part[2], Signature: "invalid", Why: "signature"},
		vectorCase{Name: "unsigned", Receipt: none + "." + part[1] + ".", Signature: "invalid", Why: "alg"},
		vectorCase{Name: "a key that is not published", Receipt: foreign, Signature: "unknown_key", Why: "kid"},
		vectorCase{Name: "two parts", Receipt: part[0] + "." + part[1], Signature: "malformed", Why: "form"},
		vectorCase{Name: "words", Receipt: "no receipt", Signature: "malformed", Why: "form"},
		vectorCase{Name: "a signed notice", Receipt: sign("consent-notice+jwt", r), Signature: "valid", Why: "typ"},
		vectorCase{Name: "without an end", Receipt: with(func(r *consent.Receipt) { r.ExpiresAt = nil }), Signature: "valid", Why: "exp"},
		vectorCase{Name: "after its end", Receipt: with(func(r *consent.Receipt) { r.ExpiresAt = jwt.NewNumericDate(vectorTime.Add(time.Hour)) }), Signature: "valid", Why: "exp"},
		vectorCase{Name: "before its time", Receipt: with(func(r *consent.Receipt) { r.IssuedAt = jwt.NewNumericDate(vectorTime.AddDate(1, 0, 0)) }), Signature: "valid", Why: "iat"},
		vectorCase{Name: "a leaf about something else", Receipt: with(func(r *consent.Receipt) { r.Record.Event.State = "refused" }), Signature: "valid", Why: "leaf"},
	)
	for i := range v.Cases {
		v.Cases[i].At = vectorTime.AddDate(0, 6, 0).Unix()
	}
	return v
}

// otherShop changes one byte of the claims: the store's name.
func otherShop(t *testing.T, claims string) string {
	t.Helper()
	text, err := base64.RawURLEncoding.DecodeString(claims)
	ok(t, err)
	changed := bytes.Replace(text, []byte("shop-0"), []byte("shop-1"), 1)
	if bytes.Equal(text, changed) {
		t.Fatal("there is no store to change")
	}
	return base64.RawURLEncoding.EncodeToString(changed)
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func readVectors(t *testing.T) (v vectors) {
	t.Helper()
	data, err := os.ReadFile(vectorFile)
	ok(t, err)
	ok(t, json.Unmarshal(data, &v))
	if len(v.Cases) < 10 {
		t.Fatalf("%d cases", len(v.Cases))
	}
	return v
}

// What is checked in is what the code makes: the form of a receipt does not change by accident.
func TestVectorsAreWhatTheCodeMakes(t *testing.T) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	ok(t, enc.Encode(makeVectors(t)))
	if *update {
		ok(t, os.WriteFile(vectorFile, text.Bytes(), 0o644))
	}
	if data, err := os.ReadFile(vectorFile); err != nil || !bytes.Equal(data, text.Bytes()) {
		t.Errorf("the vectors differ from what is made now (%v): run with -update if that is meant", err)
	}
}

func TestVectorsAreJudged(t *testing.T) {
	v := readVectors(t)
	for _, c := range v.Cases {
		r, err := consent.VerifyReceiptAt(c.Receipt, v.Keys, time.Unix(c.At, 0))
		if (err == nil) != c.Good {
			t.Errorf("%s: %v", c.Name, err)
		}
		if c.Proof == nil {
			continue
		}
		if err := c.Proof.Verify(); err != nil || c.Proof.Leaf != r.Log.Leaf || c.Proof.Index != r.Log.Index {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	if c, err := consent.OpenCheckpoint([]byte(v.Checkpoint), v.LogKey); err != nil || c.TreeHead != v.Cases[0].Proof.Tree {
		t.Errorf("checkpoint: %+v, %v", c, err)
	}
}

// Libraries that had no part in making them come to the same: go-jose for the JWS, transparency-dev/merkle
// for the tree, and the standard library alone for a proof.
func TestVectorsInOtherLibraries(t *testing.T) {
	v := readVectors(t)
	var set jose.JSONWebKeySet
	ok(t, json.Unmarshal(v.Keys, &set))
	for _, c := range v.Cases {
		judged := "malformed"
		if jws, err := jose.ParseSignedCompact(c.Receipt, []jose.SignatureAlgorithm{jose.EdDSA}); err == nil {
			judged = "invalid"
			keys := set.Key(jws.Signatures[0].Header.KeyID)
			if len(keys) == 0 {
				judged = "unknown_key"
			} else if payload, err := jws.Verify(keys[0]); err == nil {
				judged = "valid"
				if c.Good {
					checkClaims(t, c, payload, jws.Signatures[0].Header.ExtraHeaders["typ"])
				}
			}
		} else if c.Why == "alg" {
			judged = "invalid" // which this library says while it parses
		}
		if judged != c.Signature {
			t.Errorf("%s: %s, want %s", c.Name, judged, c.Signature)
		}
		if p := c.Proof; p != nil {
			root, _ := hex.DecodeString(p.Tree.Root)
			var path [][]byte
			for _, s := range p.Path {
				h, _ := hex.DecodeString(s)
				path = append(path, h)
			}
			ok(t, proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(p.Index), uint64(p.Tree.Size), rfc6962.DefaultHasher.HashLeaf([]byte(p.Leaf)), path, root))
		}
	}
}

func checkClaims(t *testing.T, c vectorCase, payload []byte, typ any) {
	t.Helper()
	var claims struct {
		Iss, Sub, Jti string
		Iat, Exp      int64
		NoticeHash    string `json:"notice_hash"`
		Receipt       struct {
			Header struct {
				ID  string `json:"record_id"`
				Sub string `json:"pii_principal_id"`
			}
		}
		Log struct{ Leaf string }
	}
	ok(t, json.Unmarshal(payload, &claims))
	if typ != "consent-receipt+jwt" || claims.Iss == "" || claims.Sub == "" || claims.Sub != claims.Receipt.Header.Sub || claims.Jti != claims.Receipt.Header.ID ||
		claims.Iat < vectorTime.Unix() || claims.Exp <= claims.Iat || len(claims.NoticeHash) != 64 || claims.Log.Leaf != c.Proof.Leaf {
		t.Errorf("%s: typ %v, claims %+v", c.Name, typ, claims)
	}
}

// A receipt fresh from a ledger verifies elsewhere too, before and after its key was rotated away.
func TestFreshReceiptVerifiesWithAnotherLibrary(t *testing.T) {
	d := newDesk(t)
	jws := d.receipt(t, consent.ThisVisit, nil)
	rotated, err := d.Keys().Rotate(d.now, true)
	ok(t, err)
	for _, jwks := range [][]byte{d.Keys().JWKS(), rotated.JWKS()} {
		var set jose.JSONWebKeySet
		ok(t, json.Unmarshal(jwks, &set))
		parsed, err := jose.ParseSignedCompact(jws, []jose.SignatureAlgorithm{jose.EdDSA})
		ok(t, err)
		keys := set.Key(parsed.Signatures[0].Header.KeyID)
		if len(keys) != 1 || slices.IndexFunc(set.Keys, func(k jose.JSONWebKey) bool { return !k.Valid() }) >= 0 {
			t.Fatalf("%d keys for it in %s", len(keys), jwks)
		}
		if _, isKey := keys[0].Key.(ed25519.PublicKey); !isKey {
			t.Errorf("key %T", keys[0].Key)
		}
		_, err = parsed.Verify(keys[0])
		ok(t, err)
	}
}
