// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"doorstep/tracking/cards"
	"doorstep/tracking/rulebook"
)

type cardsCmd struct {
	Check cardsCheckCmd `cmd:"" help:"Check a store's context cards: what is wrong, where, and what to write."`
	Put   cardsPutCmd   `cmd:"" help:"Put context cards in force at a running server, without a restart."`
	Clear cardsClearCmd `cmd:"" help:"Take a store's context cards away at a running server, without a restart."`
}

// cardsFile is a file of cards. Its pictures are files beside it.
type cardsFile struct {
	File string `arg:"" type:"path" help:"JSON file: {\"time_zone\", \"cards\": [{\"zone\", \"title\", \"text\", \"link\", \"lang\", \"image\", \"alt\", \"hours\"}, …]}. An image is a PNG or a JPEG file beside it."`
}

// read takes the pictures into the cards, checks all of it, and returns it as it is sent.
func (c cardsFile) read(zones map[string]bool) (text []byte, deck *cards.Deck, err error) {
	if text, err = os.ReadFile(c.File); err != nil {
		return nil, nil, fmt.Errorf("%s: %w: name a JSON file of cards", c.File, cause(err))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var drawn cards.Deck
	if d.Decode(&drawn) == nil && !d.More() { // what is no deck, the check says in its own words
		if err := c.draw(drawn.Cards); err != nil {
			return nil, nil, err
		}
		if text, err = json.Marshal(drawn); err != nil {
			return nil, nil, err
		}
	}
	if deck, err = cards.Read(text, zones); err != nil {
		return nil, nil, errors.New(c.File + ": " + strings.ReplaceAll(err.Error(), "\n", "\n"+c.File+": "))
	}
	return text, deck, nil
}

// draw puts pictures in place of their files' names.
func (c cardsFile) draw(list []cards.Card) error {
	for i := range list {
		image := &list[i].Image
		if *image == "" || strings.HasPrefix(*image, "data:") {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(filepath.Dir(c.File), filepath.FromSlash(*image)))
		if err != nil {
			return fmt.Errorf("%s: cards[%d] (%s).image: %s: %w: name a file beside this one", c.File, i, list[i].Zone, *image, cause(err))
		}
		*image = "data:" + http.DetectContentType(raw) + ";base64," + base64.StdEncoding.EncodeToString(raw)
	}
	return nil
}

type cardsCheckCmd struct {
	cardsFile
	Map      string   `type:"path" help:"The store's map, for the zones."`
	Boundary []string `placeholder:"ID" help:"Only the store made of these parts of the map."`
}

// Run prints every mistake and fails if there is one.
func (c *cardsCheckCmd) Run(s streams) error {
	var zones map[string]bool
	if c.Map != "" {
		x, _, err := loadIndex(c.Map, c.Boundary...)
		if err != nil {
			return fmt.Errorf("--map: %w", err)
		}
		zones = rulebook.ZonesOf(x.Site())
	}
	text, deck, err := c.read(zones)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s: ok: %s, %d KiB for every phone\n", c.File, count(len(deck.Cards), "card"), (len(text)+1023)>>10)
	if zones == nil {
		fmt.Fprintln(s.out, "Its zones were not looked at: name the store's map with --map.")
	}
	return nil
}

type cardsPutCmd struct {
	cardsFile
	Store string `required:"" help:"Id of the store."`
	serverFlags
}

// Run puts the cards in force; the server checks their zones against its own map.
func (c *cardsPutCmd) Run(ctx context.Context, s streams) error {
	at, err := c.server()
	if err != nil {
		return err
	}
	text, deck, err := c.read(nil)
	if err != nil {
		return err
	}
	if _, err := at.send(ctx, http.MethodPut, "/v1/admin/stores/"+c.Store+"/cards", "application/json", text); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "%s of %s are in force\n", count(len(deck.Cards), "card"), c.Store)
	return nil
}

type cardsClearCmd struct{ storeTold }

// Run takes them away.
func (c *cardsClearCmd) Run(ctx context.Context, s streams) error { return c.clear(ctx, s, "cards") }
