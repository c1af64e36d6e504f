// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
)

type ledgerRestoredCmd struct {
	ledgerFlags
	Registry string `type:"path" help:"Folder of the registry, as serve has it: it says who the controller is, for the receipts."`
}

// Run ends all that is in force in a copy from before what was acknowledged. It may be run again.
func (c *ledgerRestoredCmd) Run(ctx context.Context, s streams) error {
	path, err := c.path()
	if err != nil {
		return err
	}
	keys, err := consent.LoadKeys(path)
	if err != nil {
		return fmt.Errorf("--data %s: %w", c.Data, err)
	}
	registry, err := c.registry()
	if err != nil {
		return err
	}
	at := ledgerAt{c.Data, c.Database}
	if err := at.check(); err != nil {
		return err
	}
	if at.isNew() {
		return fmt.Errorf("--data %s: there is no ledger in it: put the copy in its place first", c.Data)
	}
	db, err := at.open(ctx, sqlstore.AfterRestore())
	if err != nil {
		return err
	}
	err = c.end(ctx, s, db, consent.New(db, keys, registry, time.Now))
	return errors.Join(err, db.Close())
}

// end refuses keys and a registry that are not the ledger's, before anything is written.
func (c *ledgerRestoredCmd) end(ctx context.Context, s streams, db *sqlstore.DB, l *consent.Ledger) error {
	held, err := db.Claim(ctx, consent.KeysSetting, l.Keys().Fingerprint())
	if err == nil && held != l.Keys().Fingerprint() {
		err = fmt.Errorf("--data %s: keys.json: %w", c.Data, consent.ErrKeys)
	}
	if err != nil {
		return err
	}
	origin, err := l.Origin(ctx)
	if err == nil && c.Registry == "" && origin != consent.LogOrigin(l.Registry().Controller.ID) {
		err = wrong("--registry: this ledger was kept for %s: name the registry that the server was started with", origin)
	}
	if err != nil {
		return err
	}
	ended, err := db.Restored(ctx, l)
	if err != nil {
		return err
	}
	generation, err := db.Generation(ctx)
	if err == nil {
		_, err = fmt.Fprintf(s.out, "restored: what was in force of %d shoppers has ended (revoked), no notice that was served counts any more; "+
			"this is generation %d of the ledger.\nServe it as before. Checkpoints that were saved after the copy was made are of a log that is lost.\n", ended, generation)
	}
	return err
}

// registry is the one that is named, or else that for trying.
func (c *ledgerRestoredCmd) registry() (*consent.Registry, error) {
	if c.Registry == "" {
		return consent.DevelopmentRegistry(), nil
	}
	return readRegistry(c.Registry)
}
