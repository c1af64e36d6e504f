// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// highMark is a file outside the database that knows how far the ledger has come: the change number of the newest end
// that was acknowledged. A copy of the ledger that counts less is older than something that was promised. All
// processes that use one database share the file, as they share the keyring beside which it lies.
//
// It holds two lines, each in a block of its own, of which the higher counts. The lower one is written over in place
// and synced: no new file, no name, one sync. A line that a crash has torn was never acknowledged.
type highMark struct {
	path string

	mu   sync.Mutex // owns the rest
	kept int64      // what the file is known to hold
	next *markRound // wanted, and not begun
	busy bool       // somebody writes
	work sync.WaitGroup
}

// markRound is one sync, and those who wait for it.
type markRound struct {
	change int64
	done   chan struct{}
	err    error // once done is closed
}

const (
	markBlock = 4096
	markSum   = 8 // bytes of the checksum
)

// reach returns once the file holds change or more. Whoever asks while a sync is under way shares the next one.
func (m *highMark) reach(ctx context.Context, change int64) error {
	m.mu.Lock()
	if change <= m.kept {
		m.mu.Unlock()
		return nil
	}
	if m.next == nil {
		m.next = &markRound{done: make(chan struct{})}
	}
	r := m.next
	r.change = max(r.change, change)
	if !m.busy {
		m.busy = true
		m.work.Go(m.write)
	}
	m.mu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write writes for as long as anything is wanted.
func (m *highMark) write() {
	for {
		m.mu.Lock()
		r := m.next
		m.next, m.busy = nil, r != nil
		m.mu.Unlock()
		if r == nil {
			return
		}
		at, err := raiseMark(m.path, r.change)
		m.mu.Lock()
		m.kept = max(m.kept, at)
		m.mu.Unlock()
		r.err = err
		close(r.done)
	}
}

// known reads what the file holds, which another process may have raised. ok is false if there is none.
func (m *highMark) known() (change int64, ok bool, err error) {
	f, err := os.Open(m.path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("sqlstore: %w", err)
	}
	defer f.Close()
	change, _, err = readMark(f)
	if errors.Is(err, io.EOF) { // a crash came before anything was in it
		return 0, false, nil
	}
	if err != nil {
		return 0, true, fmt.Errorf("sqlstore: %s: %w", m.path, err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = max(m.kept, change)
	return m.kept, true, nil
}

// reached is the highest that known or reach has seen.
func (m *highMark) reached() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.kept
}

// make makes the file, with nothing in it.
func (m *highMark) make() error {
	_, err := raiseMark(m.path, 0)
	return err
}

// raiseMark lets the file hold change at least, and returns what it holds. It makes the file if there is none.
func raiseMark(path string, change int64) (int64, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, fmt.Errorf("sqlstore: %w", err)
	}
	defer f.Close()
	if err := waitLock(f); err != nil { // given back when the file is closed
		return 0, fmt.Errorf("sqlstore: %s: %w", path, err)
	}
	is, other, err := readMark(f)
	if errors.Is(err, io.EOF) { // new
		err = errors.Join(f.Truncate(2*markBlock), f.Sync(), syncDirs(filepath.Dir(path)))
	}
	if err == nil && change > is {
		if _, err = f.WriteAt(markLine(change), other); err == nil {
			err = f.Sync()
		}
	}
	if err != nil {
		return 0, fmt.Errorf("sqlstore: %s: %w", path, err)
	}
	return max(is, change), nil
}

// readMark is the higher line, and where the other one lies.
func readMark(f *os.File) (change, other int64, err error) {
	block := make([]byte, 2*markBlock)
	n, err := f.ReadAt(block, 0)
	if n == 0 {
		return 0, 0, err
	}
	if n < len(block) {
		return 0, 0, errMark
	}
	first, one := parseMark(block[:markBlock])
	second, two := parseMark(block[markBlock:])
	if !one && !two { // neither can have been acknowledged, or both have been spoiled since
		return 0, 0, errMark
	}
	if first > second {
		return first, markBlock, nil
	}
	return second, 0, nil
}

var errMark = errors.New("damaged: restore the newest copy of it")

// markLine is a change number and a checksum of it. A block in which nothing was written yet reads as 0.
func markLine(change int64) []byte {
	text := strconv.FormatInt(change, 10)
	sum := sha256.Sum256([]byte(text))
	return []byte(text + " " + hex.EncodeToString(sum[:markSum]) + "\n")
}

func parseMark(block []byte) (change int64, ok bool) {
	if block[0] == 0 {
		return 0, true
	}
	line, _, _ := strings.Cut(string(block), "\n")
	text, _, _ := strings.Cut(line, " ")
	change, err := strconv.ParseInt(text, 10, 64)
	if err != nil || string(markLine(change)) != line+"\n" {
		return 0, false
	}
	return change, true
}
