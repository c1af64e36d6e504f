// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// Export asks for everything that the server keeps of the shopper, as JSON that fits http-export.json.
func (c *Client) Export(ctx context.Context) (json.RawMessage, error) {
	var out json.RawMessage
	err := c.call(ctx, http.MethodGet, "/v1/me/export", proven, nil, &out)
	return out, err
}

// NewErasure is the id of an erasure. Keep it until Erase has answered: the same id answers the same proof.
func (c *Client) NewErasure() string { return newID(c.Now()) }

// Erase ends everything and has everything removed that the server keeps of the shopper. The proof is a compact
// JWS that says what was removed and what stays. After an error, repeat it with the same id.
func (c *Client) Erase(ctx context.Context, id string) (proof string, err error) {
	var out struct{ ID, Proof string }
	if err := c.call(ctx, http.MethodPost, "/v1/erasures", proven, map[string]string{"id": id}, &out); err != nil {
		return "", err
	}
	if out.Proof == "" {
		return "", fmt.Errorf("client: POST /v1/erasures: the answer holds no proof")
	}
	return out.Proof, nil
}
