// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ServedLife is how long a served notice can be decided on.
const ServedLife = 10 * time.Minute

// PromptRequest asks for what to show about one purpose.
type PromptRequest struct {
	Subject      Ref
	Installation Ref
	App          string // azp of the token
	Store        string
	Purpose      string
	Lang         string // BCP 47, as published; no fall-back
	Jurisdiction string // the store's, or empty: the store's place decides, and another one is refused
	AgeBand      string // of the token: "16+", "16-17", "adult", "minor", "under_16"; anything else is unknown
	Opened       bool   // the shopper opened the notice: that is not a prompt, and no quiet time applies
}

// Prompt is what to show, and all that may be shown. When MayPrompt is false, nothing but
// MayPrompt, Purpose and NotBefore is set: there is nothing to decide on.
type Prompt struct {
	ServedID  string       `json:"served_id,omitempty"`
	ExpiresAt int64        `json:"expires_t,omitempty"` // Unix milliseconds
	MayPrompt bool         `json:"may_prompt"`
	NotBefore int64        `json:"not_before_t,omitempty"` // Unix milliseconds: when prompting is allowed again
	Notice    ServedNotice `json:"notice,omitzero"`
	Title     string       `json:"title,omitempty"`
	Blocks    []Block      `json:"blocks,omitempty"`
	Purpose   string       `json:"purpose"`
	Choices   []ChoiceText `json:"choices,omitempty"`
	Texts     Texts        `json:"texts,omitzero"`
	// Digest is the SHA-256, in hex, of the RFC 8785 form of {"blocks":[{"text","title"}],
	// "choices":[label],"title"}, as served here. A decision repeats it over the strings that were handed to the views.
	Digest string `json:"digest,omitempty"`
}

// ServedNotice names the notice, and signs that it was served like this.
type ServedNotice struct {
	ID           string `json:"id"`
	Version      string `json:"version"`
	Hash         string `json:"hash"` // SHA-256, hex
	Lang         string `json:"lang"`
	Dir          string `json:"dir"` // ltr or rtl
	Jurisdiction string `json:"jurisdiction"`
	Signature    string `json:"signature"` // compact JWS, typ consent-notice+jwt
}

// Prompt serves a notice. Errors: the age family (403), an unknown purpose, language or
// jurisdiction (422), ErrUnavailable: then do not prompt and do not track.
func (l *Ledger) Prompt(ctx context.Context, r PromptRequest) (Prompt, error) {
	if r.Subject == "" || r.Installation == "" || r.Store == "" {
		return Prompt{}, fmt.Errorf("%w: subject, installation and store are needed", ErrRequest)
	}
	reg := l.Registry()
	place, err := reg.placeOf(r.Store, r.Jurisdiction)
	if err != nil {
		return Prompt{}, err
	}
	notice, err := reg.Notice(r.Purpose, r.Lang, place.ID)
	if err != nil {
		return Prompt{}, err
	}
	if err := place.checkAge(r.AgeBand); err != nil {
		return Prompt{}, err
	}
	now, scope := l.now(), Scope{Installation: r.Installation, Store: r.Store}
	standing, err := l.store.Standing(ctx, r.Subject, scope, r.Purpose, now)
	if err != nil {
		return Prompt{}, err
	}
	standing.InForce = standing.InForce && reg.settles(standing.Notice, notice)
	if notBefore, quiet := place.quiet(standing, now); quiet && !r.Opened {
		p := Prompt{Purpose: r.Purpose}
		if !notBefore.IsZero() {
			p.NotBefore = notBefore.UnixMilli()
		}
		return p, nil
	}
	p, err := l.compose(notice, place.ID)
	if err != nil {
		return Prompt{}, err
	}
	return l.serve(ctx, p, r, now)
}

// MayPrompt reports whether a prompt would be in place now for any purpose that follows the shopper's
// location, under the law of the store's place and at the age that their token says. An error means no.
func (l *Ledger) MayPrompt(ctx context.Context, subject Ref, ageBand string, s Scope) (bool, error) {
	reg := l.Registry()
	place, err := reg.placeOf(s.Store, "")
	if err != nil {
		return false, err
	}
	if place.checkAge(ageBand) != nil {
		return false, nil
	}
	now := l.now()
	for _, p := range reg.Purposes {
		if !p.Location {
			continue
		}
		standing, err := l.store.Standing(ctx, subject, s, p.ID, now)
		if err != nil {
			return false, err
		}
		standing.InForce = standing.InForce && reg.settles(standing.Notice, reg.asked(p, place))
		if _, quiet := place.quiet(standing, now); !quiet {
			return true, nil
		}
	}
	return false, nil
}

// quiet reports whether prompting is out of place: something is in force already, or was declined
// not long ago. The time is when that is over, zero if no time can tell.
func (j Jurisdiction) quiet(s Standing, now time.Time) (time.Time, bool) {
	var until time.Time
	if !s.RefusedAt.IsZero() {
		until = s.RefusedAt.Add(days(j.QuietRefusedDays))
	}
	if !s.DeferredAt.IsZero() {
		if t := s.DeferredAt.Add(days(j.QuietDeferredDays)); t.After(until) {
			until = t
		}
	}
	if s.InForce {
		return time.Time{}, true
	}
	return until, now.Before(until)
}

// compose makes the prompt of a notice: everything but the served id.
func (l *Ledger) compose(n Notice, jurisdiction string) (Prompt, error) {
	p := Prompt{
		MayPrompt: true, Purpose: n.Purpose, Title: n.Title, Blocks: n.served(), Choices: n.choiceTexts(), Texts: n.Texts,
		Notice: ServedNotice{
			ID: n.ID, Version: strconv.Itoa(n.Version), Hash: n.Hash, Lang: n.Lang, Dir: n.Dir, Jurisdiction: jurisdiction,
		},
	}
	var err error
	if p.Digest, err = stringsDigest(p.Title, p.Blocks, p.Choices); err != nil {
		return Prompt{}, err
	}
	p.Notice.Signature, err = l.Keys().Sign("consent-notice+jwt", jwt.MapClaims{
		"iss": l.Registry().Controller.ID, "iat": l.now().Unix(), "notice": n.ID, "version": p.Notice.Version, "hash": n.Hash,
		"lang": n.Lang, "dir": n.Dir, "jurisdiction": jurisdiction, "purpose": n.Purpose, "digest": p.Digest,
	})
	return p, err
}

// serve gives the prompt its id and keeps it until it is decided on.
func (l *Ledger) serve(ctx context.Context, p Prompt, r PromptRequest, now time.Time) (Prompt, error) {
	s := Served{
		ID: rand.Text(), Subject: r.Subject, Scope: Scope{Installation: r.Installation, Store: r.Store}, App: r.App,
		Purpose: r.Purpose, Notice: p.Notice.Hash, NoticeID: p.Notice.ID, Version: p.Notice.Version, Lang: p.Notice.Lang,
		Jurisdiction: p.Notice.Jurisdiction, Digest: p.Digest, At: now, ExpiresAt: now.Add(ServedLife),
	}
	if err := l.store.Serve(ctx, s); err != nil {
		return Prompt{}, err
	}
	p.ServedID, p.ExpiresAt = s.ID, s.ExpiresAt.UnixMilli()
	return p, nil
}
