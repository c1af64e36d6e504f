// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/renameio/v2"
)

// erasedEntry is an erasure as it is written beside the keyring, for a backup of the database that is restored
// later: what went, the others of its buckets under their new keys, and what was written in its place. It holds no
// id that anybody outside has seen: handles, and what is sealed.
type erasedEntry struct {
	Rotation int64       `json:"rotation"`
	At       time.Time   `json:"at"`
	Gone     []string    `json:"gone"`
	Mates    []mate      `json:"mates"`
	Proofs   []keptProof `json:"proofs"`
	Row      string      `json:"row"`  // of the erasure
	Body     string      `json:"body"` // of it
}

// mate is somebody of the same bucket, under its new key.
type mate struct {
	Handle string `json:"handle"`
	Lookup string `json:"lookup"`
	Bucket string `json:"bucket"`
	Sealed string `json:"sealed"`
}

type keptProof struct {
	Index int64  `json:"index"`
	Until int64  `json:"until"`
	Body  string `json:"body"`
}

// BackupLife is how old a backup may be that is restored: erasures are remembered for so long.
const BackupLife = 400 * 24 * time.Hour

func (db *DB) entryPath(rotation int64) string {
	return filepath.Join(db.keyring+".erasures", fmt.Sprintf("%012d.json", rotation))
}

// saveEntry writes an erasure down: whole or not at all, and on the disk with its name.
func (db *DB) saveEntry(j erasedEntry) error {
	path := db.entryPath(j.Rotation)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	data, err := json.Marshal(j)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	if err := renameio.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	return syncDirs(filepath.Dir(path), filepath.Dir(db.keyring))
}

func (db *DB) loadEntry(rotation int64) (j erasedEntry, err error) {
	data, err := os.ReadFile(db.entryPath(rotation))
	if err == nil {
		err = json.Unmarshal(data, &j)
	}
	if err != nil {
		err = fmt.Errorf("sqlstore: what is written of erasure %d: %w", rotation, err)
	}
	return j, err
}

// dropEntry takes back what was written of an erasure that did not happen.
func (db *DB) dropEntry(rotation int64) error {
	if err := os.Remove(db.entryPath(rotation)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sqlstore: %w", err)
	}
	return nil
}

// forgetEntries drops those that no backup can need any more.
func (db *DB) forgetEntries(now time.Time) error {
	list, err := os.ReadDir(filepath.Dir(db.entryPath(0)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, f := range list { // by name, so the oldest first
		if err != nil {
			break
		}
		var n int64
		if _, bad := fmt.Sscanf(f.Name(), "%d.json", &n); bad != nil {
			continue
		}
		var j erasedEntry
		if j, err = db.loadEntry(n); err == nil && !j.At.Before(now.Add(-BackupLife)) {
			break
		}
		if err == nil {
			err = db.dropEntry(n)
		}
	}
	return err
}

// syncDirs makes names durable.
func syncDirs(dirs ...string) error {
	for _, dir := range dirs {
		d, err := os.Open(dir)
		if err != nil {
			return fmt.Errorf("sqlstore: %w", err)
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return fmt.Errorf("sqlstore: %w", err)
		}
	}
	return nil
}
