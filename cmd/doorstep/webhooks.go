// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

type webhooksCmd struct {
	List   webhooksListCmd   `cmd:"" help:"Dead letters of the last day, and what waits to be sent."`
	Replay webhooksReplayCmd `cmd:"" help:"Send dead letters again. What has ended meanwhile is not told."`
}

// deadLetter is a delivery as the server lists it.
type deadLetter struct {
	ID, Endpoint, Event, Store, State, Fault string
	Attempts                                 int
	HappenedT                                int64 `json:"happened_t"`
}

func (o operated) deadLetters(ctx context.Context) ([]deadLetter, error) {
	text, err := o.send(ctx, http.MethodGet, "/v1/admin/webhooks", "", nil)
	if err != nil {
		return nil, err
	}
	var answer struct{ Deliveries []deadLetter }
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, fmt.Errorf("--url %s: an answer that is not a Doorstep server's: %w", o.url, err)
	}
	return answer.Deliveries, nil
}

type webhooksListCmd struct{ serverFlags }

// Run prints a line for each.
func (c *webhooksListCmd) Run(ctx context.Context, s streams) error {
	at, err := c.server()
	if err != nil {
		return err
	}
	list, err := at.deadLetters(ctx)
	if err != nil {
		return err
	}
	for _, d := range list {
		fmt.Fprintf(s.out, "%s  %s  %s  %s to %s, store %s, %s: %s\n", time.UnixMilli(d.HappenedT).UTC().Format(time.DateTime), d.ID, d.State, d.Event, d.Endpoint,
			d.Store, count(d.Attempts, "attempt"), d.Fault)
	}
	fmt.Fprintf(s.out, "%s\n", count(len(list), "message"))
	return nil
}

type webhooksReplayCmd struct {
	ID  []string `arg:"" optional:"" help:"Ids, as list prints them."`
	All bool     `help:"All dead letters."`
	serverFlags
}

// Run has each sent again.
func (c *webhooksReplayCmd) Run(ctx context.Context, s streams) error {
	if c.All == (len(c.ID) > 0) {
		return wrong("name the deliveries by their ids, or give --all")
	}
	at, err := c.server()
	if err != nil {
		return err
	}
	ids := c.ID
	if c.All {
		list, err := at.deadLetters(ctx)
		if err != nil {
			return err
		}
		for _, d := range list {
			if d.State == "dead" {
				ids = append(ids, d.ID)
			}
		}
	}
	for _, id := range ids {
		if _, err := at.send(ctx, http.MethodPost, "/v1/admin/webhooks/"+url.PathEscape(id)+"/replay", "", nil); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	fmt.Fprintf(s.out, "%s to be sent again\n", count(len(ids), "message"))
	return nil
}
