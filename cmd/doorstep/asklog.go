// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"doorstep/consent"
)

// askLog asks a server for all that shows a receipt to be in its log.
func askLog(ctx context.Context, server string, r consent.Receipt) (*inclusion, error) {
	u, err := url.Parse(server)
	if err != nil || !bareAddress(u) || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return nil, wrong("--server %q: must be https://host without a path, or http on this machine", server)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	q := logServer{ctx, strings.TrimSuffix(server, "/")}
	keys, err := q.get("/v1/log/key")
	if err != nil {
		return nil, err
	}
	signed, err := q.get("/v1/log/checkpoint")
	if err != nil {
		return nil, err
	}
	in := &inclusion{grown: &consent.Consistency{}}
	if in.checkpoint, err = consent.OpenCheckpoint(signed, strings.Fields(string(keys))...); err != nil {
		return nil, fmt.Errorf("--server %s: %w", server, err)
	}
	if in.checkpoint.Size <= r.Log.Index || in.checkpoint.Size < r.Log.Size {
		return in, nil // said where it is held against the receipt
	}
	if err := q.read(fmt.Sprintf("/v1/log/proof?index=%d&size=%d", r.Log.Index, in.checkpoint.Size), &in.proof); err != nil {
		return nil, err
	}
	return in, q.read(fmt.Sprintf("/v1/log/consistency?from=%d&to=%d", r.Log.Size, in.checkpoint.Size), in.grown)
}

type logServer struct {
	ctx  context.Context
	base string
}

func (s logServer) get(path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(s.ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("--server %s: %w: is it running there?", s.base, errors.Unwrap(err))
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, smallFile))
	if err != nil {
		return nil, fmt.Errorf("--server %s: %w", s.base, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("--server %s: %s answered %s: is it a Doorstep server?", s.base, path, resp.Status)
	}
	return b, nil
}

func (s logServer) read(path string, into any) error {
	b, err := s.get(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		return fmt.Errorf("--server %s: %s did not answer JSON: is it a Doorstep server?", s.base, path)
	}
	return nil
}
