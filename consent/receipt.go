// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// receiptType is the typ header of a receipt.
const receiptType = "consent-receipt+jwt"

// Receipt is what a shopper keeps: the record of a decision or of an end, signed, with its place in
// the log. It proves and authorises nothing else. As a compact JWS it is signed with EdDSA; iss is the
// controller, sub the shopper's Ref, jti the record's id, exp the declared end of the proof.
type Receipt struct {
	jwt.RegisteredClaims
	Record     Record     `json:"receipt"`
	NoticeHash string     `json:"notice_hash"`
	Log        ReceiptLog `json:"log"`
}

// ReceiptLog places a receipt in the log. Leaf is the entry itself; with Key, whoever holds the
// receipt, and nobody else, can show that the leaf is about this record.
type ReceiptLog struct {
	Index int64  `json:"index"`
	Size  int64  `json:"size"` // of the tree right after the event
	Root  string `json:"root"`
	Leaf  string `json:"leaf"`
	Key   string `json:"key"` // hex
}

// Receipt makes the ledger a Sealer: it signs an event with its place in the log.
func (l *Ledger) Receipt(e Event, at Place) (string, error) {
	text, err := e.Leaf()
	if err != nil {
		return "", err
	}
	issued := e.Record.Event.Time
	return l.Keys().Sign(receiptType, Receipt{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: l.Registry().Controller.ID, Subject: string(e.Record.Header.Principal), ID: e.Record.Header.RecordID,
			IssuedAt: jwt.NewNumericDate(issued), ExpiresAt: jwt.NewNumericDate(issued.Add(days(l.Registry().ProofDays))),
		},
		Record: e.Record, NoticeHash: e.Notice,
		Log: ReceiptLog{Index: at.Index, Size: at.Size, Root: at.Root, Leaf: string(text), Key: hex.EncodeToString(e.Key[:])},
	})
}

// ErrReceipt is why a receipt does not verify; wrapped with what is wrong.
var ErrReceipt = errors.New("the receipt does not verify")

// VerifyReceipt checks a compact JWS against a key set, offline: the signature and its type, the
// times as of now, and that the leaf it names is a commitment to this very record. That the leaf is
// in the log is shown by a Proof, whose Leaf and Index must be those of the receipt.
func VerifyReceipt(jws string, keySet []byte) (Receipt, error) {
	return VerifyReceiptAt(jws, keySet, time.Now())
}

// VerifyReceiptAt is VerifyReceipt as of another time.
func VerifyReceiptAt(jws string, keySet []byte, now time.Time) (Receipt, error) {
	set, err := ParseKeySet(keySet)
	if err != nil {
		return Receipt{}, fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	return set.Verify(jws, now)
}

// KeySet holds the public keys of receipts by their kid.
type KeySet map[string]ed25519.PublicKey

// ParseKeySet reads the Ed25519 keys of a JSON Web Key Set; others are left out. The set is read here rather
// than by a library, since those come with an HTTP client, which has no place in the rules.
func ParseKeySet(data []byte) (KeySet, error) {
	var set jwks
	if err := json.Unmarshal(data, &set); err != nil {
		return nil, fmt.Errorf("the key set is not JSON: %w", err)
	}
	keys := KeySet{}
	for _, k := range set.Keys {
		if k.Kty != "OKP" || k.Crv != "Ed25519" {
			continue
		}
		x, err := base64.RawURLEncoding.DecodeString(k.X)
		if err != nil || len(x) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("key %q in the set is not an Ed25519 key", k.Kid)
		}
		keys[k.Kid] = x
	}
	return keys, nil
}

// Verify is VerifyReceiptAt with a set that was read before.
func (s KeySet) Verify(jws string, now time.Time) (Receipt, error) {
	r, err := s.parse(jws, jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(ClaimAhead),
		jwt.WithTimeFunc(func() time.Time { return now }))
	if err != nil {
		return Receipt{}, err
	}
	return r, nil
}

// open is Verify at whatever time. With errUnknownKey comes what the receipt says of itself.
func (s KeySet) open(jws string) (Receipt, error) { return s.parse(jws, jwt.WithoutClaimsValidation()) }

// errUnknownKey is why a receipt cannot be checked.
var errUnknownKey = errors.New("the key set has no such key")

func (s KeySet) parse(jws string, options ...jwt.ParserOption) (Receipt, error) {
	var r Receipt
	parser := jwt.NewParser(append(options, jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}), jwt.WithStrictDecoding())...)
	var refused error // by what is said below, which the library would wrap in words of its own
	_, err := parser.ParseWithClaims(jws, &r, func(t *jwt.Token) (any, error) {
		kid, _ := t.Header["kid"].(string)
		k, known := s[kid]
		switch {
		case t.Header["typ"] != receiptType:
			refused = fmt.Errorf("it is a signed %v, not a %s", t.Header["typ"], receiptType)
		case !known:
			refused = fmt.Errorf("%w: %q: fetch the keys again", errUnknownKey, kid)
		}
		return k, refused
	})
	switch {
	case refused != nil:
		return r, fmt.Errorf("%w: %w", ErrReceipt, refused)
	case err != nil:
		return Receipt{}, fmt.Errorf("%w: %w", ErrReceipt, plainJWS(err, r))
	}
	if err := r.checkLeaf(); err != nil {
		return Receipt{}, fmt.Errorf("%w: %w", ErrReceipt, err)
	}
	return r, nil
}

// plainJWS says in plain words what the library says of a JWS.
func plainJWS(err error, r Receipt) error {
	date := func(t *jwt.NumericDate) string { return t.UTC().Format(time.RFC3339) }
	switch {
	case errors.Is(err, jwt.ErrTokenRequiredClaimMissing):
		return errors.New("it does not say until when it proves something")
	case errors.Is(err, jwt.ErrTokenMalformed):
		return errors.New("it is not a compact JWS: keep it as it was answered, one line of three parts with dots in between")
	case errors.Is(err, jwt.ErrTokenSignatureInvalid):
		return errors.New("its signature is not of this text under the key that it names: a byte of it was changed, or it was forged")
	case errors.Is(err, jwt.ErrTokenExpired) && r.ExpiresAt != nil:
		return fmt.Errorf("the time in which it proves something ended at %s", date(r.ExpiresAt))
	case errors.Is(err, jwt.ErrTokenUsedBeforeIssued) && r.IssuedAt != nil:
		return fmt.Errorf("it is dated %s, which lies ahead of this clock", date(r.IssuedAt))
	}
	return err
}

func (r Receipt) checkLeaf() error {
	e := Event{Record: r.Record, Notice: r.NoticeHash}
	key, err := hex.DecodeString(r.Log.Key)
	if err != nil || len(key) != len(e.Key) {
		return errors.New("the key of its leaf is not 64 hex digits")
	}
	copy(e.Key[:], key)
	text, err := e.Leaf()
	if err != nil {
		return err
	}
	if string(text) != r.Log.Leaf {
		return errors.New("its leaf is about something else")
	}
	return nil
}
