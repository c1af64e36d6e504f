// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"net/http"
	"net/url"
)

// QuietTimes say when each zone of a store is usually quiet, from finished days.
type QuietTimes struct {
	Store    string      `json:"store"`
	Fence    string      `json:"fence"`     // version of the map whose zones these are
	Of       string      `json:"of"`        // who was counted: those sharing, not those present
	TimeZone string      `json:"time_zone"` // IANA; of days and hours
	Zones    []QuietZone `json:"zones"`     // those of which it is known
}

// QuietZone is one zone of QuietTimes.
type QuietZone struct {
	ID    string      `json:"id"`
	Name  string      `json:"name"`
	Level int         `json:"level"`
	Quiet []QuietSpan `json:"quiet"` // Monday first
}

// QuietSpan is a time of each week: Day is Mo to Su, From and Until full hours of it, such as 09:00 and 24:00.
type QuietSpan struct {
	Day   string `json:"day"`
	From  string `json:"from"`
	Until string `json:"until"`
}

// Quiet reads when the zones of a store are usually quiet. It needs no token and says nothing of where the phone is.
func (c *Client) Quiet(ctx context.Context, store string) (q QuietTimes, err error) {
	err = c.call(ctx, http.MethodGet, "/v1/quiet/"+url.PathEscape(store), public, nil, &q)
	return q, err
}
