// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"encoding/json"
	"fmt"
)

// ruleset is what is enforced at a moment: the registry that was loaded with all notices that were ever in
// force, and how many of those the store held when it was put together.
type ruleset struct {
	*Registry
	kept int64
}

// rules is what is declared and enforced now.
func (l *Ledger) rules() *ruleset { return l.enforced.Load() }

// Registry is what is declared and enforced. Ask again rather than keep it: a notice can be published at
// any time.
func (l *Ledger) Registry() *Registry { return l.rules().Registry }

// bindNotices enters the notices of the registry as in force, and takes up those that were before.
// ErrNoticeEdited if one has other words than it had.
func (l *Ledger) bindNotices(ctx context.Context) error {
	if err := l.store.KeepNotices(ctx, l.loaded.notices, "", l.now()); err != nil {
		return err
	}
	return l.ReadNotices(ctx)
}

// ReadNotices takes up what has been published since, here or at another node. What does not fit the
// registry of this process is told, and nothing is decided until that has been mended: the notices in force are not those
// that it knows.
func (l *Ledger) ReadNotices(ctx context.Context) error {
	kept, err := l.store.Notices(ctx)
	if err != nil {
		return err
	}
	next, err := l.loaded.With(kept...)
	if err != nil {
		return fmt.Errorf("notices that were published do not fit this registry: %w", err)
	}
	l.enforced.Store(&ruleset{next, int64(len(kept))})
	return nil
}

// Publish puts a notice in force, on this node before it returns and on the others with their next poll; no
// decision under the one that it replaces is taken from its commit on. by is a pseudonym. Publishing it again
// changes nothing. Errors: a *RegistryError for what is missing, ErrNoticeEdited for another text under the same version.
func (l *Ledger) Publish(ctx context.Context, n Notice, by string) error {
	if err := l.ReadNotices(ctx); err != nil {
		return err
	}
	if _, err := l.Registry().With(n); err != nil {
		return err
	}
	if newest, err := l.Registry().newest(n); err == nil && newest.Version > n.Version && newest.Hash != n.Hash {
		return fmt.Errorf("%w: version %d of it is in force: make this one version %d", ErrNoticeEdited, newest.Version, newest.Version+1)
	}
	if err := l.store.KeepNotices(ctx, []Notice{n}, by, l.now()); err != nil {
		return err
	}
	return l.ReadNotices(ctx)
}

// newest is the notice of the same purpose and language that has the highest version.
func (r *Registry) newest(like Notice) (best Notice, err error) {
	for _, n := range r.notices {
		if n.Purpose == like.Purpose && n.Lang == like.Lang && n.Version > best.Version {
			best = n
		}
	}
	if best.Version == 0 {
		return best, ErrNoNotice
	}
	return best, nil
}

// NoticeFrom reads a notice as a store keeps it, as JSON, and holds it to its hash.
func NoticeFrom(body []byte, hash string) (Notice, error) {
	var n Notice
	err := json.Unmarshal(body, &n)
	if err == nil {
		n.Hash, err = n.ComputeHash()
	}
	if err == nil && n.Hash != hash {
		err = fmt.Errorf("its text has the hash %s", n.Hash)
	}
	if err != nil {
		return Notice{}, fmt.Errorf("the notice %s that is kept is not readable: %w", hash, err)
	}
	return n, nil
}

// NoticeText is a notice as anybody may read it: what was shown under its hash, in force or replaced.
type NoticeText struct {
	Notice
	Hash    string `json:"hash"`
	InForce bool   `json:"in_force"`
}

// NoticeByHash looks up a notice that is or was in force; ErrNoNotice if there was none.
func (l *Ledger) NoticeByHash(hash string) (NoticeText, error) {
	r := l.Registry()
	n, ok := r.NoticeByHash(hash)
	if !ok {
		return NoticeText{}, ErrNoNotice
	}
	return NoticeText{n, n.Hash, r.inForce(n)}, nil
}

// allowed keeps of grants those that still allow something, and says what: the data types that their notice
// named and the registry still declares. A grant under a notice that is not known allows nothing.
func (r *Registry) allowed(grants []Grant) []Grant {
	out := grants[:0]
	for _, g := range grants {
		if n, ok := r.NoticeByHash(g.Notice); ok && n.Purpose == g.Purpose {
			g.Data = r.covers(n)
			g.Attended = g.Attended || r.Pocket(g.Purpose) > 0 // which adds to others, and calls nobody
		}
		if len(g.Data) > 0 {
			out = append(out, g)
		}
	}
	return out
}

// settles reports whether a grant under a notice leaves nothing to ask: it allows all that another asks for.
func (r *Registry) settles(granted string, asked Notice) bool {
	n, ok := r.NoticeByHash(granted)
	return ok && containsAll(r.covers(n), r.covers(asked))
}

// asked is all that the notices in force for a purpose ask for in a place, in whatever language.
func (r *Registry) asked(p Purpose, place Jurisdiction) Notice {
	all := Notice{Purpose: p.ID, Recipients: p.Recipients}
	for lang := range p.Title {
		if n, err := r.Notice(p.ID, lang, place.ID); err == nil {
			all.Data = append(all.Data, n.Data...)
		}
	}
	return all
}
