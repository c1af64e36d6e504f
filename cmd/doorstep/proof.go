// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
)

type proofCmd struct {
	Open proofOpenCmd `cmd:"" help:"Read the proof of consent of a shopper who has been erased, by its place in the log; prints the receipt."`
}

type proofOpenCmd struct {
	LogIndex int64  `required:"" placeholder:"N" help:"Place of the event in the log."`
	Key      string `required:"" type:"path" placeholder:"FILE" help:"The key of proofs: made with the keyring (keyring.json.proofs), and kept apart from it."`
	Data     string `default:"doorstep-data" env:"DOORSTEP_DATA_DIR" type:"path" help:"Folder of the ledger and its keys."`
	Database string `env:"DOORSTEP_DATABASE" placeholder:"URL" help:"The ledger's database, if it is not the SQLite file in the data folder."`
}

// Run prints one receipt, which is checked like any other: doorstep receipt verify.
func (c *proofOpenCmd) Run(ctx context.Context, s streams) (err error) {
	key, err := consent.LoadProofKey(c.Key)
	if err != nil {
		return fmt.Errorf("--key %s: %w", c.Key, err)
	}
	ledger, err := sqlstore.OpenEvidence(ctx, ledgerAt{c.Data, c.Database}.address(), sqlstore.WithKeyring(keyringPath(c.Data)))
	if err != nil {
		return fmt.Errorf("--data %s: %w", c.Data, cause(err))
	}
	defer func() { err = errors.Join(err, ledger.Close()) }()
	sealed, until, err := ledger.ErasedProof(ctx, c.LogIndex)
	if errors.Is(err, consent.ErrNoLeaf) {
		return fmt.Errorf("--log-index %d: no proof is kept of this place in the log: it is of nobody who has been erased, or its time is over", c.LogIndex)
	}
	if err != nil {
		return err
	}
	receipt, err := key.Open(c.LogIndex, sealed)
	if err != nil {
		return fmt.Errorf("--key %s: %w: name the key that was made with this ledger's keyring", c.Key, err)
	}
	fmt.Fprintf(s.err, "kept until %s\n", day(until))
	_, err = fmt.Fprintln(s.out, receipt)
	return err
}
