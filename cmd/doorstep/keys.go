// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"doorstep/consent"
)

type keysCmd struct {
	List   keysListCmd   `cmd:"" help:"Say which keys are published, since when, and until when they are needed."`
	Rotate keysRotateCmd `cmd:"" help:"Let the next key sign and publish another to follow it. Running servers take it up by themselves."`
}

type keysFlags struct {
	Data string `default:"doorstep-data" env:"DOORSTEP_DATA_DIR" type:"path" help:"Folder of the ledger and its keys."`
}

func keysPath(data string) string { return filepath.Join(data, "keys.json") }

// path is the key file, which has to be there: to make one is the server's business.
func (f keysFlags) path() (string, error) {
	path := keysPath(f.Data)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("--data %s: keys.json: %w: name the data folder of a server that was started once", f.Data, cause(err))
	}
	return path, nil
}

type keysListCmd struct{ keysFlags }

// Run lists the keys of receipts and of the log, by what is public of them.
func (c *keysListCmd) Run(s streams) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	k, err := consent.LoadKeys(path)
	if err != nil {
		return fmt.Errorf("--data %s: %w", c.Data, err)
	}
	return listKeys(s.out, k)
}

func listKeys(w io.Writer, k consent.Keys) error {
	for _, s := range k.States() {
		line := fmt.Sprintf("%-8s %s", s.Use, s.ID)
		if !s.Since.IsZero() {
			word := "published"
			if s.Use == "retired" {
				word = "retired"
			}
			line += fmt.Sprintf("  %s %s", word, day(s.Since))
		}
		if !s.DropsAt.IsZero() {
			line += "  needed until " + day(s.DropsAt)
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

type keysRotateCmd struct {
	keysFlags
	AtOnce bool `help:"Do not wait until the next key has been published for a day: the one that signs is no secret any more."`
	Log    bool `help:"Rotate the key of the log's checkpoints instead. Both sign for 90 days."`
}

// Run rotates and says what holds now.
func (c *keysRotateCmd) Run(s streams) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	if c.Log && c.AtOnce {
		return wrong("--at-once: is for keys of receipts: with --log both keys sign for a while, and nothing has to wait")
	}
	k, err := consent.ChangeKeys(path, func(k consent.Keys) (consent.Keys, error) {
		if c.Log {
			return k.RotateLog(time.Now()), nil
		}
		return k.Rotate(time.Now(), c.AtOnce)
	})
	if errors.Is(err, consent.ErrNotAhead) {
		return fmt.Errorf("--data %s: %w, or with --at-once if the key that signs now is no secret any more", c.Data, err)
	}
	if err != nil {
		return fmt.Errorf("--data %s: %w", c.Data, err)
	}
	if c.Log {
		fmt.Fprintln(s.out, "a new key signs the log's checkpoints, the former one beside it for 90 days: see GET /v1/log/key")
		return nil
	}
	return listKeys(s.out, k)
}

// keysEvery is how often a running server looks whether its key file has changed.
const keysEvery = 2 * time.Second

// watchKeys takes up a key file that was rotated, here or at another node that shares the folder. A file
// that cannot be used changes nothing: the keys in memory stay good.
func (st *stack) watchKeys(ctx context.Context) error {
	path := keysPath(st.data)
	last, _ := os.Stat(path)
	tick := time.NewTicker(keysEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := os.Stat(path)
		if err != nil || sameFile(last, now) {
			continue
		}
		last = now
		k, err := consent.LoadKeys(path)
		if err == nil {
			err = st.ledger.UseKeys(k)
		}
		if err != nil {
			st.log.Error("the key file has changed and cannot be used; the keys in memory stay in use", "error", err)
			continue
		}
		st.log.Info("keys taken up", "signing", k.States()[0].ID)
	}
}

func sameFile(a, b fs.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size()
}
