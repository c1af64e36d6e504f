// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/google/renameio/v2"
)

// ringFile is the JSON form; byte slices are base64.
type ringFile struct {
	Version   int               `json:"version"`
	ID        string            `json:"id"`
	Rotations int64             `json:"rotations"` // settled
	Stays     []byte            `json:"stays"`
	Buckets   []byte            `json:"buckets"` // label and key, one after the other
	Next      map[int][]byte    `json:"next,omitempty"`
	Days      map[string][]byte `json:"days"`
	Proofs    []byte            `json:"proofs"` // public key; the private one is in a file of its own
}

const (
	ringFileVersion = 1
	labelBytes      = 8
	bucketBytes     = labelBytes + secretBytes
)

// ring is the file at one moment.
type ring struct {
	id        string
	rotations int64
	stays     Secret
	keys      [][]byte       // label and key of each bucket
	next      map[int][]byte // those that are to follow
	days      map[string]Secret
	labels    func() map[string][]byte
	secrets   sync.Map // label → Bucket
	proofs    []byte
}

func newBucketKey() []byte {
	b := make([]byte, bucketBytes)
	rand.Read(b)
	return b
}

// CreateKeyring writes a fresh keyring: whole or not at all, mode 0600. If there is one, or another process makes
// one at the same moment, it reads that.
func CreateKeyring(path string) (*Keyring, error) {
	f := ringFile{Version: ringFileVersion, ID: hex.EncodeToString(secret()[:16]), Stays: secret(), Days: map[string][]byte{}}
	f.Buckets = make([]byte, Buckets*bucketBytes)
	rand.Read(f.Buckets)
	own := path + "." + f.ID
	proofs, err := newProofKey(f.ID)
	if err != nil {
		return nil, err
	}
	f.Proofs = proofs.public()
	if err := errors.Join(proofs.save(ProofKeyPath(own)), f.save(own)); err != nil {
		return nil, err
	}
	err = os.Link(own, path) // refuses to replace what is there
	if errors.Is(err, fs.ErrExist) {
		err = os.Remove(ProofKeyPath(own))
	} else if err == nil {
		err = os.Rename(ProofKeyPath(own), ProofKeyPath(path))
	}
	if err = errors.Join(err, os.Remove(own), syncFolder(filepath.Dir(path))); err != nil {
		return nil, fmt.Errorf("consent keyring: %w", err)
	}
	return LoadKeyring(path)
}

// LoadKeyring reads a keyring. It refuses one that others may read.
func LoadKeyring(path string) (*Keyring, error) {
	k := &Keyring{path: path}
	if err := k.Reload(); err != nil {
		return nil, err
	}
	return k, nil
}

// Reload reads the file again, which another node may have changed.
func (k *Keyring) Reload() error {
	f, err := readRing(k.path)
	if err != nil {
		return err
	}
	return k.put(f)
}

func (k *Keyring) put(f *ringFile) error {
	r, err := f.ring()
	if err != nil {
		return fmt.Errorf("consent keyring: %s: %w", k.path, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.at = r
	return nil
}

func (k *Keyring) ring() *ring {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.at
}

// change applies f to the file as it is now, and writes it if it says so.
func (k *Keyring) change(f func(*ringFile) bool) error {
	file, err := readRing(k.path)
	if err != nil {
		return err
	}
	if f(file) {
		if err := file.save(k.path); err != nil {
			return err
		}
	}
	return k.put(file)
}

func readRing(path string) (*ringFile, error) {
	data, err := readSecret(path)
	if err != nil {
		return nil, fmt.Errorf("consent keyring: %w", err)
	}
	var f ringFile
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("consent keyring: %s: %w: restore the newest copy of it", path, err)
	}
	return &f, nil
}

// save writes the file whole or not at all, and returns when it and its name are on the disk.
func (f *ringFile) save(path string) error {
	data, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("consent keyring: %w", err)
	}
	if err := renameio.WriteFile(path, append(data, '\n'), 0o600); err != nil {
		return fmt.Errorf("consent keyring: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the names in a folder durable: a rename is one only then.
func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("consent keyring: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("consent keyring: %w", err)
	}
	return nil
}

func (f *ringFile) key(i int) []byte { return f.Buckets[i*bucketBytes : (i+1)*bucketBytes] }

// settle ends the rotation that was begun, as the database's count says; it reports whether there was one.
func (f *ringFile) settle(rotations int64) bool {
	if f.Next == nil {
		return false
	}
	if rotations > f.Rotations {
		for i, key := range f.Next {
			copy(f.key(i), key)
		}
		f.Rotations++
	}
	f.Next = nil
	return true
}

// ring checks the file and makes it usable.
func (f *ringFile) ring() (*ring, error) {
	switch {
	case f.Version != ringFileVersion:
		return nil, fmt.Errorf("version %d, not %d: it belongs to another version of this program", f.Version, ringFileVersion)
	case len(f.Buckets) != Buckets*bucketBytes:
		return nil, fmt.Errorf("%d bytes of keys, not %d: restore the newest copy of it", len(f.Buckets), Buckets*bucketBytes)
	case f.Days == nil || f.ID == "":
		return nil, fmt.Errorf("its id or its days are missing: restore the newest copy of it")
	}
	r := &ring{id: f.ID, rotations: f.Rotations, next: f.Next, proofs: f.Proofs, days: map[string]Secret{}}
	var err error
	if r.stays, err = SecretOf(f.Stays); err != nil {
		return nil, err
	}
	for i := range Buckets {
		r.keys = append(r.keys, f.key(i))
	}
	for i, key := range f.Next {
		if i < 0 || i >= Buckets || len(key) != bucketBytes {
			return nil, fmt.Errorf("a key that is to follow is damaged: restore the newest copy of it")
		}
	}
	for day, key := range f.Days {
		if r.days[day], err = SecretOf(key); err != nil {
			return nil, err
		}
	}
	r.labels = sync.OnceValue(r.byLabel)
	return r, nil
}

func (r *ring) byLabel() map[string][]byte {
	out := make(map[string][]byte, Buckets+len(r.next))
	for _, key := range r.keys {
		out[labelOf(key)] = key
	}
	for _, key := range r.next {
		out[labelOf(key)] = key
	}
	return out
}

// bucket is where a person falls.
func (r *ring) bucket(kind string, ref Ref) int {
	b, _ := hex.DecodeString(r.stays.Mark("bucket|"+kind, string(ref))[:4])
	return int(binary.BigEndian.Uint16(b)) % Buckets
}

// secret derives a bucket's key once.
func (r *ring) secret(key []byte) Bucket {
	label := labelOf(key)
	if b, ok := r.secrets.Load(label); ok {
		return b.(Bucket)
	}
	s, err := SecretOf(key[labelBytes:])
	if err != nil {
		panic("consent keyring: a key of the wrong length was let in: " + err.Error())
	}
	b := Bucket{label, s}
	r.secrets.Store(label, b)
	return b
}
