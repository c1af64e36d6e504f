// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
)

type ledgerCmd struct {
	Checkpoint ledgerCheckpointCmd `cmd:"" help:"Print a signed checkpoint of the log. Keep some elsewhere: verify holds the log to them."`
	Restored   ledgerRestoredCmd   `cmd:"" help:"Make a ledger that was restored from an older copy fit to be served: ends every grant in it."`
	Verify     ledgerVerifyCmd     `cmd:"" help:"Check the whole log offline: every leaf, record and receipt, and that it continues saved checkpoints."`
}

// ledgerFlags name a ledger to look into. A server may be running on it.
type ledgerFlags struct {
	keysFlags
	Database string `help:"The ledger's database, if it is not in the data folder: postgres://…"`
}

// open opens the ledger for reading, with the keys that belong to it.
func (f ledgerFlags) open(ctx context.Context) (*sqlstore.Evidence, consent.Keys, error) {
	path, err := f.path()
	if err != nil {
		return nil, consent.Keys{}, err
	}
	at := ledgerAt{f.Data, f.Database}
	if err := at.check(); err != nil {
		return nil, consent.Keys{}, err
	}
	keys, err := consent.LoadKeys(path)
	if err != nil {
		return nil, keys, fmt.Errorf("--data %s: %w", f.Data, err)
	}
	e, err := at.evidence(ctx)
	if err != nil {
		return nil, keys, err
	}
	held, err := e.Setting(ctx, consent.KeysSetting)
	if err == nil && held != keys.Fingerprint() {
		err = fmt.Errorf("--data %s: keys.json: %w", f.Data, consent.ErrKeys)
	}
	if err != nil {
		return nil, keys, errors.Join(err, e.Close())
	}
	return e, keys, nil
}

// evidence opens the ledger for reading only, beside whatever server runs on it.
func (l ledgerAt) evidence(ctx context.Context) (*sqlstore.Evidence, error) {
	e, err := sqlstore.OpenEvidence(ctx, l.address(), sqlstore.WithKeyring(keyringPath(l.data)))
	switch {
	case err == nil:
		return e, nil
	case l.database != "":
		return nil, fmt.Errorf("--database: %w", err)
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("--data %s: there is no ledger in it: name the data folder of a server, and its --database if it has one", l.data)
	}
	return nil, fmt.Errorf("--data %s: %w", l.data, err)
}

type ledgerCheckpointCmd struct{ ledgerFlags }

// Run signs the log as it is now.
func (c *ledgerCheckpointCmd) Run(ctx context.Context, s streams) error {
	e, keys, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer e.Close()
	_, origin, err := e.Head(ctx)
	if err != nil {
		return err
	}
	if origin == "" {
		return fmt.Errorf("--data %s: the log has no name yet: start the server once", c.Data)
	}
	head, err := e.TreeHead(ctx)
	if err != nil {
		return err
	}
	signed, err := keys.SignCheckpoint(consent.Checkpoint{Origin: origin, TreeHead: head}, time.Now())
	if err != nil {
		return err
	}
	_, err = s.out.Write(signed)
	return err
}

type ledgerVerifyCmd struct {
	ledgerFlags
	Checkpoint []string `type:"path" placeholder:"FILE" help:"A checkpoint that was saved earlier; repeat for more."`
	JSON       bool     `name:"json" help:"Print the whole report as JSON."`
}

// Run audits the log, and fails if anything is not as it was written.
func (c *ledgerVerifyCmd) Run(ctx context.Context, s streams) error {
	saved, err := c.saved()
	if err != nil {
		return err
	}
	e, keys, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer e.Close()
	report, err := consent.Audit(ctx, e, keys, saved, time.Now())
	if err != nil {
		return fmt.Errorf("the log could not be read to its end: %w", err)
	}
	if c.JSON {
		enc := json.NewEncoder(s.out)
		enc.SetIndent("", "  ")
		err = enc.Encode(report)
	} else {
		err = tellAudit(s.out, report, len(saved))
	}
	if err != nil {
		return err
	}
	if n := len(report.Findings); n > 0 {
		return fmt.Errorf("the log is not as it was written: %d found", n)
	}
	return nil
}

func (c *ledgerVerifyCmd) saved() ([]consent.SavedCheckpoint, error) {
	var list []consent.SavedCheckpoint
	for _, path := range c.Checkpoint {
		signed, err := readSmall("--checkpoint", path, "name a file that `doorstep ledger checkpoint` printed")
		if err != nil {
			return nil, err
		}
		list = append(list, consent.SavedCheckpoint{Name: path, Signed: signed})
	}
	return list, nil
}

// smallFile is more than any checkpoint, receipt, proof or set of keys needs.
const smallFile = 1 << 20

// readSmall reads a file that a flag names.
func readSmall(flag, path, remedy string) ([]byte, error) {
	f, err := openFile(flag, path, remedy)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, smallFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", flag, path, cause(err))
	}
	if len(b) > smallFile {
		return nil, fmt.Errorf("%s %s: longer than a megabyte: %s", flag, path, remedy)
	}
	return b, nil
}

// findingsTold is how many findings are told in full; one deed can leave many traces.
const findingsTold = 20

// tellAudit says what was found in words.
func tellAudit(w io.Writer, r consent.AuditReport, saved int) error {
	return buffered(w, func(b *bufio.Writer) error {
		fmt.Fprintf(b, "log of %s: %d leaves, root %s\n", r.Origin, r.Size, r.Root)
		fmt.Fprintf(b, "  kept events held against it: %d decisions, %d ends; receipts verified: %d\n", r.Decisions, r.Ends, r.Receipts)
		fmt.Fprintf(b, "  notices: %d", r.Notices)
		for _, n := range []struct {
			n    int
			what string
		}{{r.Proofs, "sealed proofs of who was erased"}, {r.Forgotten, "leaves older than their proof, of which nothing is kept"},
			{r.Spent, "receipts older than their proof, whose key is gone"}} {
			if n.n > 0 {
				fmt.Fprintf(b, "; %s: %d", n.what, n.n)
			}
		}
		fmt.Fprintf(b, "\n  saved checkpoints that it continues: %d of %d\n", r.Checkpoints, saved)
		for i, f := range r.Findings {
			if i == findingsTold {
				fmt.Fprintf(b, "\nand %d more: --json lists them all\n", len(r.Findings)-i)
				break
			}
			fmt.Fprintf(b, "\n%s: %s (%s)\n  %s\n  %s\n", f.Where, f.What, f.Code, f.Means, f.Do)
		}
		if len(r.Findings) == 0 {
			fmt.Fprintln(b, "ok: everything is as it was written")
		}
		if saved == 0 {
			fmt.Fprintln(b, "No saved checkpoint was given: only one that was kept elsewhere tells whether the whole log was rolled back or written anew.")
		}
		return nil
	})
}
