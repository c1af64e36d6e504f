// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"context"
	"time"
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
	Jurisdiction string // as in the registry; empty means its default
	AgeBand      string // of the token: "16+", "16-17", "adult", "under_16"; anything else is unknown
	Opened       bool   // the shopper opened the notice: that is not a prompt, and no quiet time applies
}

// Prompt is what to show, and all that may be shown. When MayPrompt is false, nothing but
// MayPrompt, Purpose and NotBefore is set: there is nothing to decide on.
type Prompt struct {
	ServedID  string       `json:"served_id,omitempty"`
	ExpiresAt int64        `json:"expires_at,omitempty"` // Unix milliseconds
	MayPrompt bool         `json:"may_prompt"`
	NotBefore int64        `json:"not_before,omitempty"` // Unix milliseconds: when prompting is allowed again
	Notice    ServedNotice `json:"notice,omitzero"`
	Title     string       `json:"title,omitempty"`
	Blocks    []Block      `json:"blocks,omitempty"`
	Purpose   string       `json:"purpose"`
	Choices   []ChoiceText `json:"choices,omitempty"`
	Texts     Texts        `json:"texts,omitzero"`
	// Digest is the SHA-256, in hex, of the RFC 8785 form of {"blocks","choices","title"}, each as
	// served here. A decision repeats it over the strings that were handed to the views.
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
	return Prompt{}, ErrUnavailable
}
