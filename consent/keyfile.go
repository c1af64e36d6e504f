// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/google/renameio/v2"
)

// keyFile is the JSON form; byte slices are base64.
type keyFile struct {
	Version   int       `json:"version"`
	Ref       []byte    `json:"ref"`
	Visit     []byte    `json:"visit"`
	Receipts  []keyForm `json:"receipts"` // the one that signs, the next one, then the retired ones
	Log       []keyForm `json:"log"`      // of checkpoints, the newest first
	ProofDays int       `json:"proof_days,omitempty"`
}

// keyForm is an Ed25519 key: its seed, or its public half once it signs no more.
type keyForm struct {
	Seed      []byte     `json:"seed,omitempty"`
	Public    []byte     `json:"public,omitempty"`
	Published *time.Time `json:"published,omitempty"`
	Retired   *time.Time `json:"retired,omitempty"`
}

// firstKeyFile is version 1, which had no key of checkpoints and none that comes next.
type firstKeyFile struct {
	Ref     []byte   `json:"ref"`
	Visit   []byte   `json:"visit"`
	Signing [][]byte `json:"signing"` // seeds, the signing one first
}

const keyFileVersion = 2

// LoadKeys reads a key file. It refuses one that others may read. From a file of version 1 it makes keys
// without writing them down: see OpenKeys.
func LoadKeys(path string) (Keys, error) {
	data, err := readSecret(path)
	if err != nil {
		return Keys{}, fmt.Errorf("consent keys: %w", err)
	}
	k, _, err := parseKeys(data)
	if err != nil {
		return Keys{}, fmt.Errorf("consent keys: %s: %w", path, err)
	}
	return k, nil
}

// readSecret reads a file that nobody else may read.
func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others (%v): chmod 600 it", path, info.Mode().Perm())
	}
	return os.ReadFile(path)
}

// LoadOrCreateKeys reads the key file, or writes a fresh one if there is none. A ledger that was
// written under other keys is then refused by Ledger.Bind.
func LoadOrCreateKeys(path string) (Keys, error) { return OpenKeys(path, 0) }

// OpenKeys reads the key file for a server whose receipts live for proofDays. It writes a fresh one if
// there is none, brings one of version 1 up to date and keeps that beside it as a way back (PATH.v1), and
// writes down proofDays if that is longer than before.
func OpenKeys(path string, proofDays int) (Keys, error) {
	return ChangeKeys(path, func(k Keys) (Keys, error) { return k.Promising(proofDays), nil })
}

// ChangeKeys changes a key file, which is made if there is none, and returns what is in it then. One
// process at a time does so: the others wait. The file is written whole or not at all, and only if
// something changed.
func ChangeKeys(path string, change func(Keys) (Keys, error)) (Keys, error) {
	if c, err := readAndChange(path, change); err != nil || c.same() {
		return c.keys, err
	}
	unlock, err := lockPath(path + ".lock")
	if err != nil {
		return Keys{}, fmt.Errorf("consent keys: %w", err)
	}
	defer unlock()
	c, err := readAndChange(path, change) // again: whoever had the lock before may have written
	if err != nil || c.same() {
		return c.keys, err
	}
	if c.version < keyFileVersion {
		if err := renameio.WriteFile(fmt.Sprintf("%s.v%d", path, c.version), c.before, 0o600); err != nil {
			return Keys{}, fmt.Errorf("consent keys: %w", err)
		}
	}
	return c.keys, c.keys.Save(path)
}

// keyChange is a change of a key file on its way.
type keyChange struct {
	before, after []byte
	version       int // of before
	keys          Keys
}

func (c keyChange) same() bool { return bytes.Equal(c.before, c.after) }

func readAndChange(path string, change func(Keys) (Keys, error)) (c keyChange, err error) {
	c.keys, c.version = NewKeys(), keyFileVersion
	c.before, err = readSecret(path)
	switch {
	case err == nil:
		if c.keys, c.version, err = parseKeys(c.before); err != nil {
			return keyChange{}, fmt.Errorf("consent keys: %s: %w", path, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return keyChange{}, fmt.Errorf("consent keys: %w", err)
	}
	if c.keys, err = change(c.keys); err != nil {
		return keyChange{}, err
	}
	c.after, err = c.keys.encode()
	return c, err
}

// Save writes the key file: whole or not at all, mode 0600.
func (k Keys) Save(path string) error {
	data, err := k.encode()
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("consent keys: %w", err)
	}
	return nil
}

func (k Keys) encode() ([]byte, error) {
	f := keyFile{Version: keyFileVersion, Ref: k.ref, Visit: k.visit, ProofDays: k.proofDays}
	for _, s := range k.signing {
		f.Receipts = append(f.Receipts, form(s.private, s.public, s.published, s.retired))
	}
	for _, l := range k.log {
		f.Log = append(f.Log, form(l.private, l.public, time.Time{}, l.retired))
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("consent keys: %w", err)
	}
	return append(data, '\n'), nil
}

func form(private ed25519.PrivateKey, public ed25519.PublicKey, published, retired time.Time) keyForm {
	at := func(t time.Time) *time.Time {
		if t.IsZero() {
			return nil
		}
		t = stamp(t)
		return &t
	}
	f := keyForm{Published: at(published), Retired: at(retired)}
	if private != nil {
		f.Seed = private.Seed()
	} else {
		f.Public = public
	}
	return f
}

var errKeyFile = errors.New("a key is missing or not 32 bytes long: restore the file from its backup")

func parseKeys(data []byte) (Keys, int, error) {
	var head struct{ Version int }
	if err := json.Unmarshal(data, &head); err != nil {
		return Keys{}, 0, fmt.Errorf("%w: restore the file from its backup", err)
	}
	var k Keys
	var err error
	switch head.Version {
	case 1:
		k, err = parseFirst(data)
	case keyFileVersion:
		k, err = parseSecond(data)
	default:
		err = fmt.Errorf("version %d is not known: use the program that wrote it", head.Version)
	}
	if err == nil && (len(k.ref) != 32 || len(k.visit) != 32) {
		err = errKeyFile
	}
	return k, head.Version, err
}

// parseFirst takes over version 1, whose further keys may have signed, and are retired as of now.
func parseFirst(data []byte) (Keys, error) {
	var f firstKeyFile
	if err := json.Unmarshal(data, &f); err != nil || len(f.Signing) == 0 {
		return Keys{}, errors.Join(errKeyFile, err)
	}
	now, k := time.Now(), Keys{ref: f.Ref, visit: f.Visit, log: []logKey{newLogKey(secret())}}
	for i, seed := range f.Signing {
		if len(seed) != ed25519.SeedSize {
			return Keys{}, errKeyFile
		}
		s := newSigningKey(seed, time.Time{})
		if i == 0 {
			k.signing = append(k.signing, s, newSigningKey(secret(), now))
			continue
		}
		s.private, s.retired = nil, now
		k.signing = append(k.signing, s)
	}
	return k, nil
}

func parseSecond(data []byte) (Keys, error) {
	var f keyFile
	if err := json.Unmarshal(data, &f); err != nil {
		return Keys{}, fmt.Errorf("%w: restore the file from its backup", err)
	}
	k := Keys{ref: f.Ref, visit: f.Visit, proofDays: f.ProofDays}
	for i, r := range f.Receipts {
		s, err := r.signing()
		if err != nil || (i < 2) != (s.private != nil && s.retired.IsZero()) {
			return Keys{}, errors.Join(errKeyFile, err)
		}
		k.signing = append(k.signing, s)
	}
	for i, l := range f.Log {
		s, err := l.signing()
		if err != nil || i == 0 && s.private == nil {
			return Keys{}, errors.Join(errKeyFile, err)
		}
		k.log = append(k.log, logKey{public: s.public, private: s.private, retired: s.retired})
	}
	if len(k.signing) < 2 || len(k.log) == 0 {
		return Keys{}, errKeyFile
	}
	return k, nil
}

func (f keyForm) signing() (signingKey, error) {
	at := func(t *time.Time) time.Time {
		if t == nil {
			return time.Time{}
		}
		return *t
	}
	switch {
	case len(f.Seed) == ed25519.SeedSize && f.Public == nil:
		s := newSigningKey(f.Seed, at(f.Published))
		s.retired = at(f.Retired)
		return s, nil
	case len(f.Public) == ed25519.PublicKeySize && f.Seed == nil:
		s := publishedKey(f.Public)
		s.published, s.retired = at(f.Published), at(f.Retired)
		return s, nil
	}
	return signingKey{}, errKeyFile
}
