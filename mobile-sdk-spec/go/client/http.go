// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Problem is a failure that the server explained (RFC 9457). Code is stable; switch on that.
type Problem struct {
	Status  int    `json:"status"`
	Code    string `json:"code"`
	Title   string `json:"title"`
	Detail  string `json:"detail"`
	Remedy  string `json:"remedy"`
	T       int64  `json:"t"`        // server time
	RetryMS int64  `json:"retry_ms"` // wait at least this long
}

// Error says what failed and what to do. The detail is left out: it may name what was sent.
func (p *Problem) Error() string {
	return fmt.Sprintf("client: %d %s: %s. %s", p.Status, p.Code, p.Title, p.Remedy)
}

var errNoToken = errors.New("client: the app's backend gave no token")

// bodyMost is more than any answer has: fences are the longest.
const bodyMost = 1 << 20

// credentials says how a request is authorised.
type credentials struct {
	bearer bool
	proof  bool
	stop   string // a stop token, instead of both
}

var (
	public  = credentials{}
	shopper = credentials{bearer: true}
	proven  = credentials{bearer: true, proof: true}
)

// call makes a request and reads the answer. A token that has run out and a clock that is off are
// mended once: a fresh token is asked for, and the answer's t sets the clock.
func (c *Client) call(ctx context.Context, method, path string, who credentials, in, out any) error {
	err := c.once(ctx, method, path, who, in, out)
	var p *Problem
	if errors.As(err, &p) && (p.Code == "proof_time" || p.Code == "token") && who.bearer {
		return c.once(ctx, method, path, who, in, out)
	}
	return err
}

func (c *Client) once(ctx context.Context, method, path string, who credentials, in, out any) error {
	req, err := c.request(ctx, method, path, who, in)
	if err != nil {
		return err
	}
	sent := c.cfg.Now()
	res, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("client: %s %s: %w", method, path, errors.Unwrap(err))
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, bodyMost+1))
	if err != nil || len(raw) > bodyMost {
		return fmt.Errorf("client: %s %s: the answer was cut off or too long", method, path)
	}
	if res.StatusCode >= 300 {
		return c.problem(res, raw, sent)
	}
	if out == nil || res.StatusCode == http.StatusNoContent {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("client: %s %s: the answer is not the JSON of this protocol", method, path)
	}
	return nil
}

func (c *Client) request(ctx context.Context, method, path string, who credentials, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("client: %s %s: %w", method, path, err)
		}
		body = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.cfg.BaseURL+path, body)
	if err != nil {
		return nil, errors.New("client: the address cannot be read; see Config.BaseURL")
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Accept", "application/json, application/problem+json")
	return req, c.authorise(ctx, req, who)
}

func (c *Client) authorise(ctx context.Context, req *http.Request, who credentials) error {
	if who.stop != "" {
		req.Header.Set("Authorization", "Stop "+who.stop)
		return nil
	}
	if !who.bearer {
		return nil
	}
	token, err := c.cfg.Token(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", errNoToken, err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if !who.proof {
		return nil
	}
	proof, err := c.cfg.Installation.proof(req.Method, req.URL.String(), token, c.Now())
	if err != nil {
		return err
	}
	req.Header.Set("DPoP", proof)
	return nil
}

func (c *Client) problem(res *http.Response, raw []byte, sent time.Time) error {
	p := &Problem{}
	if json.Unmarshal(raw, p) != nil || p.Code == "" {
		p.Code, p.Title = "unknown", http.StatusText(res.StatusCode)
	}
	p.Status = res.StatusCode
	if p.Code == "proof_time" {
		c.clock.forget()
	}
	c.clock.observe(sent, c.cfg.Now(), p.T)
	return p
}
