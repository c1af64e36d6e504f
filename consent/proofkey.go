// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"crypto/ecdh"
	"crypto/hpke"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/renameio/v2"
)

// ProofKey reads the proofs of consent that survive an erasure (brief, 41). The server has only its public half,
// in the keyring: it can write proofs and not read them. The file belongs where the server is not, with whoever
// answers for the retailer in court.
type ProofKey struct {
	ring    string // id of the keyring that it belongs to
	private hpke.PrivateKey
}

type proofKeyFile struct {
	Version int    `json:"version"`
	Keyring string `json:"keyring"`
	Private []byte `json:"private"`
}

const proofKeyVersion = 1

// HPKE (RFC 9180) in base mode: X25519, HKDF-SHA256, AES-256-GCM.
var (
	proofKEM  = hpke.DHKEM(ecdh.X25519())
	proofKDF  = hpke.HKDFSHA256()
	proofAEAD = hpke.AES256GCM()
)

// ErrProofKey is why a proof cannot be read.
var ErrProofKey = errors.New("the proof was sealed to another key, or is damaged")

// ProofKeyPath is where the private half is put when a keyring is made: from there it is to be moved away.
func ProofKeyPath(keyring string) string { return keyring + ".proofs" }

func newProofKey(ring string) (ProofKey, error) {
	private, err := proofKEM.GenerateKey()
	return ProofKey{ring, private}, err
}

func (k ProofKey) public() []byte { return k.private.PublicKey().Bytes() }

func (k ProofKey) save(path string) error {
	private, err := k.private.Bytes()
	if err != nil {
		return fmt.Errorf("consent proof key: %w", err)
	}
	data, err := json.MarshalIndent(proofKeyFile{proofKeyVersion, k.ring, private}, "", "  ")
	if err != nil {
		return fmt.Errorf("consent proof key: %w", err)
	}
	if err := renameio.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("consent proof key: %w", err)
	}
	return nil
}

// LoadProofKey reads the private half. It refuses a file that others may read.
func LoadProofKey(path string) (ProofKey, error) {
	data, err := readSecret(path)
	if err != nil {
		return ProofKey{}, fmt.Errorf("consent proof key: %w", err)
	}
	var f proofKeyFile
	if err := json.Unmarshal(data, &f); err != nil || f.Version != proofKeyVersion {
		return ProofKey{}, fmt.Errorf("consent proof key: %s is no key of proofs: name the file that was made with the keyring", path)
	}
	private, err := proofKEM.NewPrivateKey(f.Private)
	if err != nil {
		return ProofKey{}, fmt.Errorf("consent proof key: %s: %w", path, err)
	}
	return ProofKey{f.Keyring, private}, nil
}

// Open reads a proof: the receipt of the event at that place in the log.
func (k ProofKey) Open(index int64, sealed string) (receipt string, err error) {
	raw, err := base64.RawStdEncoding.DecodeString(sealed)
	if err != nil {
		return "", ErrProofKey
	}
	text, err := hpke.Open(k.private, proofKDF, proofAEAD, proofInfo(index), raw)
	if err != nil {
		return "", ErrProofKey
	}
	return string(text), nil
}

// SealProof seals a receipt for whoever has the key of proofs, and for its place in the log.
func (k *Keyring) SealProof(index int64, receipt string) (string, error) {
	public, err := proofKEM.NewPublicKey(k.ring().proofs)
	if err != nil {
		return "", fmt.Errorf("consent keyring: the key of proofs: %w", err)
	}
	raw, err := hpke.Seal(public, proofKDF, proofAEAD, proofInfo(index), []byte(receipt))
	if err != nil {
		return "", fmt.Errorf("consent keyring: a proof: %w", err)
	}
	return base64.RawStdEncoding.EncodeToString(raw), nil
}

func proofInfo(index int64) []byte { return fmt.Appendf(nil, "doorstep proof of consent|%d", index) }

// Format keeps it out of every print.
func (ProofKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, "consent.ProofKey(secret)") }
