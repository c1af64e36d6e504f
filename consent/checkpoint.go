// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"
)

// Checkpoint is a tree head that the log has signed, as C2SP tlog-checkpoint has it. Whoever keeps one can
// show later that the log still holds everything that it held then, or that it does not.
type Checkpoint struct {
	Origin string // names the log: the controller's URI without its scheme, for good
	TreeHead
}

// LogOrigin is the name under which a controller's log signs: its URI without the scheme.
func LogOrigin(controller string) string {
	_, name, ok := strings.Cut(controller, "://")
	if !ok {
		name = controller
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '+' || r == unicode.ReplacementChar { // not allowed in the name of a signed note
			return '-'
		}
		return r
	}, strings.Trim(name, "/"))
}

// Origin is the log's name. The first controller gives it, and it stays when the controller's URI changes:
// what was signed under it must stay comparable.
func (l *Ledger) Origin(ctx context.Context) (string, error) {
	if name := l.origin.Load(); name != nil {
		return *name, nil
	}
	name, err := l.store.Claim(ctx, LogOriginSetting, LogOrigin(l.Registry().Controller.ID))
	if err == nil {
		l.origin.Store(&name)
	}
	return name, err
}

// The names under which a Store keeps what is set once; see Store.Claim.
const (
	KeysSetting      = "keys"       // Keys.Fingerprint
	LogOriginSetting = "log_origin" // Ledger.Origin
)

// Checkpoint is the log's newest head, signed.
func (l *Ledger) Checkpoint(ctx context.Context) ([]byte, error) {
	origin, err := l.Origin(ctx)
	if err != nil {
		return nil, err
	}
	head, err := l.store.TreeHead(ctx)
	if err != nil {
		return nil, err
	}
	return l.Keys().SignCheckpoint(Checkpoint{origin, head}, l.now())
}

// LogVerifiers are the verifier keys of the log's checkpoints in the form of signed notes, the newest first.
func (l *Ledger) LogVerifiers(ctx context.Context) ([]string, error) {
	origin, err := l.Origin(ctx)
	if err != nil {
		return nil, err
	}
	return l.Keys().LogVerifiers(origin)
}

// SignCheckpoint signs a head with the newest log key, and with each that was retired less than
// LogKeyOverlap ago.
func (k Keys) SignCheckpoint(c Checkpoint, now time.Time) ([]byte, error) {
	root, err := parseHash(c.Root)
	if err != nil {
		return nil, err
	}
	var signers []note.Signer
	for _, l := range k.log {
		if !l.signs(now) {
			continue
		}
		s, err := l.signer(c.Origin)
		if err != nil {
			return nil, err
		}
		signers = append(signers, s)
	}
	text := log.Checkpoint{Origin: c.Origin, Size: uint64(c.Size), Hash: root[:]}.Marshal()
	signed, err := note.Sign(&note.Note{Text: string(text)}, signers...)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	return signed, nil
}

// LogVerifiers are the verifier keys of all log keys there ever were, the newest first.
func (k Keys) LogVerifiers(origin string) ([]string, error) {
	var out []string
	for _, l := range k.log {
		text, err := note.NewEd25519VerifierKey(origin, l.public)
		if err != nil {
			return nil, fmt.Errorf("checkpoint: origin %q: %w", origin, err)
		}
		out = append(out, text)
	}
	return out, nil
}

// noteSigner is a log key under the name of a log.
type noteSigner struct {
	note.Verifier
	private ed25519.PrivateKey
}

func (s noteSigner) Sign(msg []byte) ([]byte, error) { return ed25519.Sign(s.private, msg), nil }

func (l logKey) signer(origin string) (note.Signer, error) {
	text, err := note.NewEd25519VerifierKey(origin, l.public)
	if err != nil {
		return nil, fmt.Errorf("checkpoint: origin %q: %w", origin, err)
	}
	v, err := note.NewVerifier(text)
	return noteSigner{v, l.private}, err
}

// ErrCheckpoint is why a checkpoint is not believed; wrapped with what is wrong.
var ErrCheckpoint = errors.New("the checkpoint does not verify")

// OpenCheckpoint checks the signature of a checkpoint with verifier keys, of which one has to be its log's.
func OpenCheckpoint(signed []byte, verifiers ...string) (Checkpoint, error) {
	var known []note.Verifier
	for _, text := range verifiers {
		v, err := note.NewVerifier(strings.TrimSpace(text))
		if err != nil {
			return Checkpoint{}, fmt.Errorf("%w: the log's key %q: %w", ErrCheckpoint, text, err)
		}
		known = append(known, v)
	}
	n, err := note.Open(signed, note.VerifierList(known...))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, plainNote(err))
	}
	var c log.Checkpoint
	if _, err := c.Unmarshal([]byte(n.Text)); err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	if c.Origin != n.Sigs[0].Name {
		return Checkpoint{}, fmt.Errorf("%w: it is of the log %q and signed by %q", ErrCheckpoint, c.Origin, n.Sigs[0].Name)
	}
	if len(c.Hash) != 32 || c.Size > 1<<53 {
		return Checkpoint{}, fmt.Errorf("%w: its root or its size is out of bounds", ErrCheckpoint)
	}
	return Checkpoint{c.Origin, TreeHead{Size: int64(c.Size), Root: hex.EncodeToString(c.Hash)}}, nil
}

// plainNote says in plain words what the library says of a signed note.
func plainNote(err error) error {
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified):
		var names []string
		for _, s := range unverified.Note.UnverifiedSigs {
			names = append(names, s.Name)
		}
		return fmt.Errorf("it is signed by %s with a key that is not known here", strings.Join(names, ", "))
	case errors.As(err, &invalid):
		return fmt.Errorf("the signature of %s is not of this text: a byte of it was changed", invalid.Name)
	}
	return errors.New("it is not a signed note: keep the file as it was answered, to the last line")
}
