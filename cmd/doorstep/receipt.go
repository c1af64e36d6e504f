// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"doorstep/consent"
)

type receiptCmd struct {
	Verify receiptVerifyCmd `cmd:"" help:"Check a receipt's signature, offline; with a checkpoint, that it is in the log."`
	Show   receiptShowCmd   `cmd:"" help:"Print a receipt in a form that other programs read. It is not checked."`
}

type receiptShowCmd struct {
	File string `arg:"" type:"path" help:"The receipt: a compact JWS, or the JSON in which an app keeps it."`
	As   string `default:"record" enum:"record,dpv,kantara" help:"record (ISO/IEC TS 27560), dpv (JSON-LD in the Data Privacy Vocabulary) or kantara (Kantara consent receipt 1.1.0)."`
}

// Run prints the form.
func (c *receiptShowCmd) Run(s streams) error {
	jws, err := readReceipt(c.File)
	if err != nil {
		return err
	}
	r, err := consent.ReadReceipt(jws)
	if err != nil {
		return fmt.Errorf("%s: this is no receipt: it is one line of three parts with dots in between", c.File)
	}
	form, err := r.As(consent.Form(c.As))
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	var text bytes.Buffer
	if err := json.Indent(&text, form, "", "  "); err != nil {
		return err
	}
	fmt.Fprintln(s.err, "not checked: `doorstep receipt verify` says whether it is genuine")
	_, err = fmt.Fprintln(s.out, text.String())
	return err
}

type receiptVerifyCmd struct {
	File       string `arg:"" type:"path" help:"The receipt: a compact JWS, or the JSON in which an app keeps it."`
	Keys       string `required:"" type:"path" placeholder:"FILE" help:"The controller's keys, as saved from /.well-known/jwks.json."`
	Checkpoint string `type:"path" placeholder:"FILE" help:"A checkpoint of the log, as saved from /v1/log/checkpoint; with --proof and --log-key."`
	Proof      string `type:"path" placeholder:"FILE" help:"The inclusion proof, as saved from /v1/log/proof?index=…&size=…, with the checkpoint's size."`
	LogKey     string `type:"path" placeholder:"FILE" help:"The log's verifier keys, as saved from /v1/log/key."`
	Server     string `placeholder:"URL" help:"Ask this server for checkpoint, proof and the log's key instead. It then knows which receipt you hold."`
}

// Run says what the receipt proves, or why it proves nothing.
func (c *receiptVerifyCmd) Run(ctx context.Context, s streams) error {
	logFiles := 0
	for _, f := range []string{c.Checkpoint, c.Proof, c.LogKey} {
		if f != "" {
			logFiles++
		}
	}
	switch {
	case c.Server != "" && logFiles > 0:
		return wrong("--server %s: answers what --checkpoint, --proof and --log-key hold: give one or the other", c.Server)
	case logFiles != 0 && logFiles != 3:
		return wrong("--checkpoint, --proof and --log-key belong together: give all three, or --server, or none to check the signature alone")
	}
	r, err := c.receipt()
	if err != nil {
		return err
	}
	var in *inclusion
	switch {
	case logFiles == 3:
		in, err = c.readLog()
	case c.Server != "":
		in, err = askLog(ctx, c.Server, r)
	}
	if err != nil {
		return err
	}
	if in != nil {
		if err := in.holds(r); err != nil {
			return fmt.Errorf("the receipt is signed, and it is not in the log: %w", err)
		}
	}
	return tellReceipt(s.out, r, in)
}

func (c *receiptVerifyCmd) receipt() (consent.Receipt, error) {
	jws, err := readReceipt(c.File)
	if err != nil {
		return consent.Receipt{}, err
	}
	keys, err := readSmall("--keys", c.Keys, "name what was saved from /.well-known/jwks.json")
	if err != nil {
		return consent.Receipt{}, err
	}
	set, err := consent.ParseKeySet(keys)
	if err != nil {
		return consent.Receipt{}, fmt.Errorf("--keys %s: %w: save it from /.well-known/jwks.json again", c.Keys, err)
	}
	if len(set) == 0 {
		return consent.Receipt{}, fmt.Errorf("--keys %s: there is no Ed25519 key in it: save it from /.well-known/jwks.json again", c.Keys)
	}
	r, err := set.Verify(jws, time.Now())
	if err != nil {
		return consent.Receipt{}, fmt.Errorf("%s: %w", c.File, err)
	}
	return r, nil
}

// readReceipt reads a receipt by itself, or as the member "receipt" of what an app keeps.
func readReceipt(path string) (string, error) {
	b, err := readSmall("receipt", path, "name a file with a receipt in it")
	if err != nil {
		return "", err
	}
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return "", fmt.Errorf("%s: empty: a receipt is one line of three parts with dots in between", path)
	}
	if b[0] != '{' {
		return string(b), nil
	}
	var kept struct{ Receipt string }
	if err := json.Unmarshal(b, &kept); err != nil || kept.Receipt == "" {
		return "", fmt.Errorf(`%s: JSON without a member "receipt": name what the app kept of a decision`, path)
	}
	return kept.Receipt, nil
}

// inclusion is what shows that a receipt's leaf is in the log.
type inclusion struct {
	checkpoint consent.Checkpoint
	proof      consent.Proof
	grown      *consent.Consistency // from the receipt's tree to the checkpoint's, if it was asked for
}

func (c *receiptVerifyCmd) readLog() (*inclusion, error) {
	keys, err := readSmall("--log-key", c.LogKey, "name what was saved from /v1/log/key")
	if err != nil {
		return nil, err
	}
	signed, err := readSmall("--checkpoint", c.Checkpoint, "name what was saved from /v1/log/checkpoint")
	if err != nil {
		return nil, err
	}
	proof, err := readSmall("--proof", c.Proof, "name what was saved from /v1/log/proof")
	if err != nil {
		return nil, err
	}
	in := &inclusion{}
	if in.checkpoint, err = consent.OpenCheckpoint(signed, strings.Fields(string(keys))...); err != nil {
		return nil, fmt.Errorf("--checkpoint %s: %w", c.Checkpoint, err)
	}
	if err := json.Unmarshal(proof, &in.proof); err != nil {
		return nil, fmt.Errorf("--proof %s: not JSON: save it from /v1/log/proof again", c.Proof)
	}
	return in, nil
}

// holds checks that the receipt's leaf is in the tree that the checkpoint vouches for.
func (in *inclusion) holds(r consent.Receipt) error {
	switch {
	case in.checkpoint.Size <= r.Log.Index:
		return fmt.Errorf("the checkpoint is of a log of %d leaves, and the receipt is leaf %d: take a newer checkpoint, or the log was cut", in.checkpoint.Size, r.Log.Index)
	case in.proof.Tree != in.checkpoint.TreeHead:
		return fmt.Errorf("the proof is for a tree of size %d, the checkpoint of one of size %d: ask for the proof with that size", in.proof.Tree.Size, in.checkpoint.Size)
	case in.proof.Index != r.Log.Index || in.proof.Leaf != r.Log.Leaf:
		return errors.New("the proof is about another leaf: ask for the receipt's own index; if that is what you did, the log says something else than it signed")
	}
	if err := in.proof.Verify(); err != nil {
		return err
	}
	if in.grown == nil {
		return nil
	}
	if in.grown.From != (consent.TreeHead{Size: r.Log.Size, Root: r.Log.Root}) || in.grown.To != in.checkpoint.TreeHead {
		return errors.New("the log does not continue the one that the receipt was given in: it was forked or rewritten")
	}
	return in.grown.Verify()
}

// tellReceipt says who signed what about whom, and what that is worth.
func tellReceipt(w io.Writer, r consent.Receipt, in *inclusion) error {
	p, e := r.Record.Processing, r.Record.Event
	list := func(s []string) string {
		if len(s) == 0 {
			return "none"
		}
		return strings.Join(s, ", ")
	}
	controller := r.Issuer
	for _, party := range r.Record.Party {
		if party.ID == r.Issuer {
			controller = fmt.Sprintf("%s (%s, %s)", party.Name, party.ID, party.Contact)
		}
	}
	store := p.Store
	if store == "" {
		store = "every store"
	}
	notice := r.NoticeHash
	switch {
	case notice == "":
		notice = "several, or none"
	case p.PrivacyNotice != "":
		notice = fmt.Sprintf("%s in %s, SHA-256 %s", p.PrivacyNotice, p.Language, notice)
	}
	proven := "It proves that the controller signed exactly this, and cannot deny it."
	place := fmt.Sprintf("leaf %d; not looked up: see --server, or --checkpoint and --proof", r.Log.Index)
	if in != nil {
		place = fmt.Sprintf("leaf %d of %d in the log of %s, which signed that", r.Log.Index, in.checkpoint.Size, in.checkpoint.Origin)
		proven = "It proves that the controller signed exactly this, and entered it in its log where it cannot be taken out unseen."
	}
	_, err := fmt.Fprintf(w, `The receipt is genuine.

  signed by  %s
  about      the shopper whom it knows as %s
  what       %s: %s, for the purpose %s, at %s
  data       %s
  readers    %s
  when       %s, by the server's clock
  how long   %s
  notice     %s
  log        %s
  proves     until %s

%s
It does not prove who the shopper is, nor that the decision still stands: it may have been withdrawn since.
It authorises nothing.
`, controller, r.Subject, e.State, e.Type, list(p.Purpose), store, list(p.PIIInformation), list(p.Recipients),
		e.Time.UTC().Format(time.RFC3339), howLong(e), notice, place, r.ExpiresAt.UTC().Format(time.RFC3339), proven)
	return err
}

// howLong is the life of a grant in words.
func howLong(e consent.RecordEvent) string {
	d := e.Lasts()
	if d == 0 {
		return "nothing is allowed by it"
	}
	return fmt.Sprintf("until %s at most; withdrawing ends it before", e.Time.Add(d).UTC().Format(time.RFC3339))
}
