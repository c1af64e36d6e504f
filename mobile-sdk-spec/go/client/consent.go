// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// ErrShown means that the strings at hand are not those that the server served: nothing was decided on.
var ErrShown = errors.New("client: what would be shown is not what was served; ask for a new prompt and show it unchanged")

// SyncTime asks for the server's time.
func (c *Client) SyncTime(ctx context.Context) error {
	var out struct {
		T int64 `json:"t"`
	}
	sent := c.cfg.Now()
	if err := c.call(ctx, http.MethodGet, "/v1/time", public, nil, &out); err != nil {
		return err
	}
	c.clock.observe(sent, c.cfg.Now(), out.T)
	return nil
}

// Stores lists the stores that can be entered.
func (c *Client) Stores(ctx context.Context) ([]Store, error) {
	var out struct {
		Stores []Store `json:"stores"`
	}
	err := c.call(ctx, http.MethodGet, "/v1/stores", public, nil, &out)
	return out.Stores, err
}

// PocketTime is how long a purpose lets an app go on that is not on screen, by the published rules; 0 if it does not.
func (c *Client) PocketTime(ctx context.Context, purpose string) (time.Duration, error) {
	var out struct {
		Purposes []struct {
			ID     string `json:"id"`
			Pocket int    `json:"pocket_minutes"`
		} `json:"purposes"`
	}
	err := c.call(ctx, http.MethodGet, "/v1/rules", public, nil, &out)
	for _, p := range out.Purposes {
		if p.ID == purpose {
			return time.Duration(p.Pocket) * time.Minute, err
		}
	}
	return 0, err
}

// Fence fetches one version of a store's fence. Versions never change: cache them.
func (c *Client) Fence(ctx context.Context, store, version string) (*Fence, error) {
	var raw json.RawMessage
	path := "/v1/stores/" + url.PathEscape(store) + "/fences/" + url.PathEscape(version)
	if err := c.call(ctx, http.MethodGet, path, public, nil, &raw); err != nil {
		return nil, err
	}
	return ParseFence(raw)
}

// Prompt asks what to show before asking. If MayPrompt is false, show nothing.
func (c *Client) Prompt(ctx context.Context, r PromptRequest) (Prompt, error) {
	if r.Lang == "" {
		r.Lang = c.cfg.Lang
	}
	var out Prompt
	err := c.call(ctx, http.MethodPost, "/v1/prompts", proven, r, &out)
	return out, err
}

// Shown is the proof of what was shown: the SHA-256, in hexadecimal, of the canonical JSON (RFC
// 8785) of the prompt's strings. An app computes it over what it hands to its views.
func (p Prompt) Shown() string { return digestOf(p.Title, p.Blocks, p.Choices) }

// digestOf writes members in the order of RFC 8785: blocks, choices, title; text before title.
func digestOf(title string, blocks []Block, choices []Choice) string {
	type part struct {
		Text  string `json:"text"`
		Title string `json:"title"`
	}
	shown := struct {
		Blocks  []part   `json:"blocks"`
		Choices []string `json:"choices"`
		Title   string   `json:"title"`
	}{Blocks: []part{}, Choices: []string{}, Title: title}
	for _, b := range blocks {
		shown.Blocks = append(shown.Blocks, part{b.Text, b.Title})
	}
	for _, c := range choices {
		shown.Choices = append(shown.Choices, c.Label)
	}
	sum := sha256.Sum256(canonical(shown))
	return hex.EncodeToString(sum[:])
}

// canonical is RFC 8785 for values that hold strings only, their members already in order: Go's
// encoding without its HTML escapes and without its escapes of U+2028 and U+2029.
func canonical(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil // strings always encode
	}
	out := bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	return unescapeSeparators(out)
}

// unescapeSeparators undoes \u2028 and \u2029, unless the backslash is itself escaped.
func unescapeSeparators(in []byte) []byte {
	out := make([]byte, 0, len(in))
	for i := 0; i < len(in); i++ {
		if in[i] != '\\' {
			out = append(out, in[i])
			continue
		}
		switch rest := in[i:]; {
		case bytes.HasPrefix(rest, []byte(`\u2028`)):
			out, i = append(out, "\u2028"...), i+5
		case bytes.HasPrefix(rest, []byte(`\u2029`)):
			out, i = append(out, "\u2029"...), i+5
		default:
			out, i = append(out, rest[:2]...), i+1
		}
	}
	return out
}

// Decide records what the shopper chose. The receipt in the answer is theirs to keep; the stop
// token is kept by the client too. If the answer was lost, the same call is answered the same.
func (c *Client) Decide(ctx context.Context, store string, p Prompt, a Answer) (Decision, error) {
	digest := p.Shown()
	if digest != p.Digest {
		return Decision{}, ErrShown
	}
	now := c.cfg.Now()
	if a.Shown.IsZero() {
		a.Shown = now
	}
	if a.Decided.IsZero() {
		a.Decided = now
	}
	in := map[string]any{
		"served_id": p.ServedID, "hash": p.Notice.Hash, "store": store, "purpose": p.Purpose, "choice": a.Choice,
		"control": a.Control, "shown_t": c.ms(a.Shown), "decided_t": c.ms(a.Decided), "digest": digest,
	}
	var out Decision
	if err := c.call(ctx, http.MethodPost, "/v1/decisions", proven, in, &out); err != nil {
		return Decision{}, err
	}
	if out.RecordID == "" {
		return Decision{}, fmt.Errorf("client: POST /v1/decisions: the answer names no record")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stop[store+" "+p.Purpose] = out.StopToken
	return out, nil
}

func (c *Client) ms(own time.Time) int64 { return c.clock.server(own).UnixMilli() }

// Me asks what the server holds of this installation at a store.
func (c *Client) Me(ctx context.Context, store string) (Me, error) {
	var out Me
	err := c.call(ctx, http.MethodGet, "/v1/me?store="+url.QueryEscape(store), proven, nil, &out)
	return out, err
}

// Journal asks who looked, to the last page; newest first.
func (c *Client) Journal(ctx context.Context) (all []View, err error) {
	for path := "/v1/journal"; ; {
		var page struct {
			Entries []View `json:"entries"`
			Next    string `json:"next"`
		}
		err := c.call(ctx, http.MethodGet, path, shopper, nil, &page)
		if all = append(all, page.Entries...); err != nil || page.Next == "" {
			return all, err
		}
		path = "/v1/journal?after=" + url.QueryEscape(page.Next)
	}
}
