// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/consent"
	"doorstep/consent/storetest"
	"doorstep/geofence"
	"doorstep/mobile-sdk-spec/go/client"
	"doorstep/tracking/server/auth"
)

// After an erasure nothing that the server ever wrote tells who was there, where, or by which id anybody outside
// may know them: not the database, not what lies about of it, not the files beside it, not Redis and no log.
func TestErasureLeavesNothingAnywhere(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { erasureLeavesNothing(t, func(*settings) string { return "" }) })
	t.Run("postgres", func(t *testing.T) {
		erasureLeavesNothing(t, func(s *settings) string {
			s.database = storetest.PostgresURL(t)
			return storetest.PostgresServer(t).Data()
		})
	})
}

func erasureLeavesNothing(t *testing.T, on func(*settings) (folder string)) {
	dev, err := auth.NewDevKey()
	if err != nil {
		t.Fatal(err)
	}
	set := settings{data: t.TempDir(), indexes: []*geofence.Index{demoIndex(t)}, devKey: dev}
	database := on(&set)
	r := serveWith(t, set)
	redis := tapRedis(t, r.scanURL)
	a, secrets := r.liveThrough(t)
	for _, what := range []string{"the visit", "the place"} { // what is looked for has been there to be kept
		redis.until(t, secrets[what])
	}
	id := a.NewErasure()
	if _, err := a.Erase(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	secrets["the erasure's id"] = id
	places := map[string]string{"Redis": redisDump(t, r.scanURL), "the log": r.logs.String()}
	addFolder(t, places, r.dir)
	if database != "" {
		addFolder(t, places, database)
	}
	r.proofIsKept(t, set, secrets["receipt 0"])
	r.stop()
	addFolder(t, places, r.dir) // closing writes too
	places["the log, to the end"] = r.logs.String()
	if len(places) < 5 {
		t.Fatalf("only %d places to look at", len(places))
	}
	for what, secret := range secrets {
		for _, form := range formsOf(secret) {
			for place, content := range places {
				if strings.Contains(content, form) {
					t.Errorf("%s is in %s, as %q", what, place, form)
				}
			}
		}
	}
	if !strings.Contains(strings.Join(values(places), ""), demostore.ID) {
		t.Error("not even the store is anywhere: this test sees nothing")
	}
}

// until waits for Redis to be told a text.
func (p *tap) until(t *testing.T, text string) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(20 * time.Second)
	for len(p.heard(text)) == 0 {
		select {
		case <-tick.C:
		case <-limit:
			t.Fatal("Redis was never told what this test looks for: it would see nothing")
		}
	}
}

// The search sees a secret in every form in which one may be written down.
func TestEveryFormIsSearchedFor(t *testing.T) {
	receipt := strings.Repeat("header-", 10) + "." + base64.RawURLEncoding.EncodeToString([]byte(strings.Repeat("payload ", 30))) + "." + strings.Repeat("s", 86)
	for _, secret := range []string{"canary-7f3a", "00112233445566778899aabbccddeeff", "0198c9a0-0000-7000-8000-00000000e0a5", receipt} {
		hexed, err := hex.DecodeString(strings.ReplaceAll(secret, "-", ""))
		written := []string{"a " + secret + " b", "x" + string(hexed), strings.Repeat("payload ", 30)}
		for n := range 3 {
			text := strings.Repeat("\xff", n) + "{" + secret + "}"
			written = append(written, base64.StdEncoding.EncodeToString([]byte(text)), base64.RawURLEncoding.EncodeToString([]byte(text)))
		}
		for i, w := range written {
			if i == 1 && err != nil || i == 2 && secret != receipt {
				continue
			}
			seen := false
			for _, form := range formsOf(secret) {
				seen = seen || strings.Contains(w, form)
			}
			if !seen {
				t.Errorf("%q would not be found in %q", secret, w)
			}
		}
	}
}

func values(m map[string]string) (out []string) {
	for _, v := range m {
		out = append(out, v)
	}
	return out
}

// proofIsKept reads a proof of consent of who was erased with the command, beside the server that runs.
func (r *running) proofIsKept(t *testing.T, set settings, receipt string) {
	t.Helper()
	read, err := consent.ReadReceipt(receipt)
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"proof", "open", "--data", r.dir, "--database", set.database, "--key", consent.ProofKeyPath(keyringPath(r.dir)), "--log-index", fmt.Sprint(read.Log.Index)}
	var out, errs strings.Builder
	if code := run(t.Context(), args, streams{nil, &out, &errs}); code != 0 || strings.TrimSpace(out.String()) != receipt {
		t.Errorf("proof open: %d, %s%s", code, out.String(), errs.String())
	}
	args[len(args)-1] = "999"
	if code := run(t.Context(), args, streams{nil, &out, &errs}); code != 1 || !strings.Contains(errs.String(), "nobody who has been erased") {
		t.Errorf("without a proof: %d, %s", code, errs.String())
	}
}

// liveThrough is all that a shopper can do, and whatever somebody outside could know of them afterwards.
func (r *running) liveThrough(t *testing.T) (*app, map[string]string) {
	t.Helper()
	w := r.console(t, demostore.ID)
	a, secrets := r.app(t), map[string]string{}
	keys, at := r.ledger.Keys(), insideOf(t, r.indexes[0])
	a.decide(t, demostore.ID, "no")
	a.decideFor(t, demostore.ID, "pickup", "term")
	p, err := a.Prompt(t.Context(), client.PromptRequest{Store: demostore.ID, Purpose: askPurpose, Lang: "en", Opened: true})
	if err != nil {
		t.Fatal(err)
	}
	d, err := a.Decide(t.Context(), demostore.ID, p, client.Answer{Choice: "term", Control: "button"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := a.Connect(t.Context(), demostore.ID, []string{askPurpose})
	if err != nil {
		t.Fatal(err)
	}
	enter(t, s, at)
	alert := callForHelp(t, s, w, true)
	look(t, s, w, alert)
	c, err := a.Withdraw(t.Context(), client.Withdrawal{ID: uuid.NewString(), Scope: "store", Store: demostore.ID})
	if err != nil {
		t.Fatal(err)
	}
	a.decide(t, demostore.ID, "term")
	again, err := a.Connect(t.Context(), demostore.ID, []string{askPurpose})
	if err != nil {
		t.Fatal(err)
	}
	enter(t, again, at)
	b, err := a.Export(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for what, secret := range map[string]string{
		"the shopper": a.sub, "the phone": a.key.Thumbprint(), "the shopper's pseudonym": string(keys.Subject(a.sub)),
		"the phone's pseudonym": string(keys.Installation(a.key.Thumbprint())), "the visit": s.Welcome().Session,
		"the second visit": again.Welcome().Session, "the alert": alert, "the served id": p.ServedID, "the record": d.RecordID,
		"the stop token": d.StopToken, "the latitude": digits(at.Lat), "the longitude": digits(at.Lng), "the place": kept(at), "the receipt of the end": c.Receipt,
	} {
		secrets[what] = secret
	}
	addExported(t, secrets, b)
	return a, secrets
}

// addExported adds every id and receipt that the shopper was given.
func addExported(t *testing.T, secrets map[string]string, export json.RawMessage) {
	t.Helper()
	var e struct {
		Decisions []struct {
			Receipt string
			Record  struct {
				Header struct {
					ID string `json:"record_id"`
				}
			}
		}
		Ends   []struct{ ID, Receipt string }
		Scopes []struct{ Visit string }
	}
	if err := json.Unmarshal(export, &e); err != nil {
		t.Fatal(err)
	}
	for i, d := range e.Decisions {
		secrets[fmt.Sprint("record ", i)], secrets[fmt.Sprint("receipt ", i)] = d.Record.Header.ID, d.Receipt
	}
	for i, d := range e.Ends {
		secrets[fmt.Sprint("end ", i)], secrets[fmt.Sprint("receipt of end ", i)] = d.ID, d.Receipt
	}
	for i, s := range e.Scopes {
		secrets[fmt.Sprint("visit ", i)] = s.Visit
	}
	if len(e.Decisions) != 4 || len(e.Ends) != 1 || len(e.Scopes) != 1 {
		t.Fatalf("the export holds %d decisions, %d ends, %d scopes", len(e.Decisions), len(e.Ends), len(e.Scopes))
	}
}

// formsOf are the ways in which a secret may be written: as it is, as bytes, inside of base64 at any of its three
// places, and, of a receipt, its parts.
func formsOf(secret string) (forms []string) {
	forms = append(forms, secret)
	plain := strings.ReplaceAll(secret, "-", "")
	if raw, err := hex.DecodeString(plain); err == nil {
		forms = append(forms, string(raw), plain)
	}
	if parts := strings.Split(secret, "."); len(parts) == 3 && len(secret) > 200 {
		payload, _ := base64.RawURLEncoding.DecodeString(parts[1])
		forms = append(forms, parts[1], parts[2], string(payload), parts[1][len(parts[1])/2:])
	}
	for shift := range 3 {
		for _, e := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := e.EncodeToString([]byte(strings.Repeat(" ", shift) + secret))
			forms = append(forms, text[[]int{0, 2, 3}[shift]:len(text)-1]) // the ends are mixed with what is beside them
		}
	}
	return forms
}

// addFolder reads every file below a folder.
func addFolder(t *testing.T, places map[string]string, folder string) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil // a file of the database's may go while it is looked at
		}
		b, err := os.ReadFile(path)
		if err == nil {
			places[path] += string(b)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// redisDump is everything in a Redis: keys, values and their dumps.
func redisDump(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.DialTimeout("tcp", u.Host, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	ask := func(words ...string) []string {
		fmt.Fprintf(conn, "*%d\r\n", len(words))
		for _, w := range words {
			fmt.Fprintf(conn, "$%d\r\n%s\r\n", len(w), w)
		}
		return redisAnswer(t, in)
	}
	password, _ := u.User.Password()
	ask("AUTH", u.User.Username(), password)
	var all strings.Builder
	for _, key := range ask("KEYS", "*") {
		all.WriteString(key + strings.Join(ask("DUMP", key), "") + strings.Join(ask("GET", key), ""))
	}
	return all.String()
}

// redisAnswer reads one answer: a line, a value, or a list of them.
func redisAnswer(t *testing.T, in *bufio.Reader) (out []string) {
	t.Helper()
	line, err := in.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	line = strings.TrimRight(line, "\r\n")
	n, _ := strconv.Atoi(line[1:])
	switch line[0] {
	case '*':
		for range n {
			out = append(out, redisAnswer(t, in)...)
		}
	case '$':
		if n < 0 {
			return nil
		}
		b := make([]byte, n+2)
		if _, err := io.ReadFull(in, b); err != nil {
			t.Fatal(err)
		}
		out = []string{string(b[:n])}
	default:
		out = []string{line[1:]}
	}
	return out
}
