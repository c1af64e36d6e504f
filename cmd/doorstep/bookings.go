// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
)

type bookingsCmd struct {
	Put    bookingsPutCmd    `cmd:"" help:"Tell a running server what is booked: appointments and pickups. The same again changes nothing."`
	Cancel bookingsCancelCmd `cmd:"" help:"Take bookings back, by their references."`
}

type bookingsPutCmd struct {
	File  string `arg:"" type:"path" help:"JSON file: {\"bookings\": [{\"ref\", \"kind\", \"t\", \"until_t\", \"desk\", \"proxy\"}, …]}."`
	Store string `required:"" help:"Id of the store."`
	serverFlags
}

// bookingsAtOnce is how many a server takes in one request.
const bookingsAtOnce = 100

// Run sends the file in parts. If one is refused, those before it are kept; the file can be sent again as it is.
func (c *bookingsPutCmd) Run(ctx context.Context, s streams) error {
	at, err := c.server()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("%s: %w: name a JSON file of bookings", c.File, cause(err))
	}
	var file struct {
		Bookings []json.RawMessage `json:"bookings"`
	}
	if err := json.Unmarshal(text, &file); err != nil || len(file.Bookings) == 0 {
		return fmt.Errorf("%s: no bookings in it: write {\"bookings\": [{\"ref\": \"A-1\", \"kind\": \"pickup\", \"t\": 1795428000000}]}", c.File)
	}
	changed, from := 0, 0
	for part := range slices.Chunk(file.Bookings, bookingsAtOnce) {
		n, err := at.count(ctx, http.MethodPut, "/v1/admin/stores/"+c.Store+"/bookings", map[string]any{"bookings": part})
		if err != nil {
			return fmt.Errorf("%s, from bookings[%d] on: %w", c.File, from, err)
		}
		changed, from = changed+n, from+len(part)
	}
	fmt.Fprintf(s.out, "%s: %s, %d of them new or changed\n", c.Store, count(len(file.Bookings), "booking"), changed)
	return nil
}

type bookingsCancelCmd struct {
	Ref   []string `arg:"" help:"References."`
	Store string   `required:"" help:"Id of the store."`
	serverFlags
}

// Run takes them back.
func (c *bookingsCancelCmd) Run(ctx context.Context, s streams) error {
	at, err := c.server()
	if err != nil {
		return err
	}
	n, err := at.count(ctx, http.MethodPost, "/v1/admin/stores/"+c.Store+"/bookings/cancel", map[string]any{"refs": c.Ref})
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: %s cancelled\n", c.Store, count(n, "booking"))
	return nil
}

// count sends a body and reads the one number of the answer.
func (o operated) count(ctx context.Context, method, path string, body any) (n int, err error) {
	text, err := json.Marshal(body)
	if err != nil {
		return 0, err
	}
	answer, err := o.send(ctx, method, path, "application/json", text)
	if err != nil {
		return 0, err
	}
	var numbers map[string]int
	if err := json.Unmarshal(answer, &numbers); err != nil {
		return 0, fmt.Errorf("--url %s: an answer that is not a Doorstep server's: %w", o.url, err)
	}
	for _, v := range numbers {
		n += v
	}
	return n, nil
}
