// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// serverFlags name a running server that an operator works on.
type serverFlags struct {
	URL   string `name:"url" required:"" help:"The running server."`
	Token string `env:"DOORSTEP_ADMIN_TOKEN" help:"An operator's token for it; better in the environment, where other users of the machine do not see it."`
}

// operated is a running server, as an operator reaches it.
type operated struct{ url, token string }

func (c serverFlags) server() (operated, error) {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())) {
		return operated{}, wrong("--url %q: must be https://host, or http on this machine: a token must not travel in the open", c.URL)
	}
	if c.Token == "" {
		return operated{}, wrong("--url %s: needs an operator's token: set DOORSTEP_ADMIN_TOKEN or --token, in a trial to what `doorstep token admin` prints", c.URL)
	}
	return operated{strings.TrimSuffix(c.URL, "/"), c.Token}, nil
}

// send asks the server for something and returns its answer; a refusal is an error in the server's words.
func (o operated) send(ctx context.Context, method, path, kind string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, o.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+o.token)
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, fmt.Errorf("--url %s: %w: is the server running there?", o.url, errors.Unwrap(err))
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if resp.StatusCode/100 == 2 {
		return b, nil
	}
	return nil, o.refused(resp.Status, b)
}

// storeTold names a store that an operator has told something about, in one text.
type storeTold struct {
	Store string `required:"" help:"Id of the store."`
	serverFlags
}

// clear takes away what a store was told: its rules, or its cards.
func (c storeTold) clear(ctx context.Context, s streams, what string) error {
	at, err := c.server()
	if err != nil {
		return err
	}
	if _, err := at.send(ctx, http.MethodDelete, "/v1/admin/stores/"+c.Store+"/"+what, "", nil); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s of %s are taken away\n", what, c.Store)
	return nil
}

// refused says what a problem says, once.
func (o operated) refused(status string, body []byte) error {
	var p struct{ Title, Detail, Remedy string }
	if err := json.Unmarshal(body, &p); err != nil || p.Title == "" {
		return fmt.Errorf("--url %s: answered %s, not as a Doorstep server does", o.url, status)
	}
	says := p.Detail
	if !strings.Contains(says, p.Title) {
		says = p.Title + ": " + says
	}
	if !strings.Contains(says, p.Remedy) {
		says = strings.TrimSuffix(says, ".") + ". " + p.Remedy
	}
	return fmt.Errorf("--url %s: %s", o.url, strings.Join(strings.Fields(says), " "))
}
