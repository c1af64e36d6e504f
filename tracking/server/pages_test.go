// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"doorstep/cmd/doorstep/demostore"
	"doorstep/mobile-sdk-spec/go/client"
)

// The public pages are there in each language, in its direction, need nothing from elsewhere, and are open to anybody.
func TestPublicPages(t *testing.T) {
	h := newHouse(t)
	style := regexp.MustCompile(`(?s)<style>(.*?)</style>`)
	for _, path := range []string{"/rules", "/transparency"} {
		for lang, want := range map[string]string{"en": `<html lang="en" dir="ltr">`, "zh": `<html lang="zh" dir="ltr">`, "ar": `<html lang="ar" dir="rtl">`} {
			for _, how := range [][]string{{path + "?lang=" + lang}, {path, "Accept-Language", lang + "-XX, en;q=0.5"}} {
				resp, body := h.get(how[0], how[1:]...)
				text := string(body)
				if resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || !strings.Contains(text, want) {
					t.Fatalf("%v: %d %q", how, resp.StatusCode, text[:min(len(text), 200)])
				}
				sum := sha256.Sum256([]byte(style.FindStringSubmatch(text)[1]))
				if policy := resp.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || !strings.Contains(policy, "default-src 'none'") {
					t.Errorf("%v: the policy does not fit the page: %s", how, policy)
				}
				for _, word := range []string{"<no value>", "%!", "<script", " src=", "ZgotmplZ"} {
					if strings.Contains(text, word) {
						t.Errorf("%v: the page has %q in it", how, word)
					}
				}
			}
		}
	}
	for _, n := range h.ledger.Registry().Notices() {
		resp, body := h.get("/notices/" + n.Hash)
		text := string(body)
		if resp.StatusCode != http.StatusOK || !strings.Contains(text, `lang="`+n.Lang+`" dir="`+n.Dir+`"`) || !strings.Contains(text, n.Hash) ||
			!strings.Contains(text, template.HTMLEscapeString(n.Blocks[8].Text)) {
			t.Errorf("%s: %d", n.Name(), resp.StatusCode)
		}
	}
	if resp, _ := h.get("/notices/" + strings.Repeat("0", 64)); resp.StatusCode != http.StatusNotFound {
		t.Errorf("a notice that never was: %d", resp.StatusCode)
	}
	if resp, body := h.get("/rules", "Accept-Language", "nl"); !strings.Contains(string(body), `<html lang="en"`) || resp.StatusCode != http.StatusOK {
		t.Error("who speaks another language gets no page")
	}
}

// Every purpose, notice, store and place of the rules is on the page, by its name, figure or hash.
func TestTheRulesPageLeavesNothingOut(t *testing.T) {
	h := newHouse(t)
	reg := h.ledger.Registry()
	for _, lang := range []string{"en", "zh", "ar"} {
		_, body := h.get("/rules?lang=" + lang)
		page := string(body)
		var want []string
		for _, p := range reg.Purposes {
			want = append(want, p.Title[lang], `id="purpose-`+p.ID)
		}
		for _, d := range reg.DataTypes {
			want = append(want, d.Title[lang])
		}
		for _, n := range reg.Notices() {
			want = append(want, n.Hash)
		}
		for _, j := range reg.Jurisdictions {
			want = append(want, `id="place-`+j.ID, j.Authority)
		}
		want = append(want, reg.Controller.Name, reg.Controller.Contact, "Sec-GPC", reg.Stores[0].Assessment.Reference)
		for _, w := range want {
			if !strings.Contains(page, w) {
				t.Errorf("%s: %q is not on the page", lang, w)
			}
		}
	}
}

// Sec-GPC is honoured, and said to be.
func TestGPC(t *testing.T) {
	h := newHouse(t)
	resp, body := h.get("/.well-known/gpc.json")
	var support struct{ GPC bool }
	h.ok(json.Unmarshal(body, &support))
	if resp.StatusCode != http.StatusOK || !support.GPC || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	var rules struct{ GPC bool }
	_, body = h.get("/v1/rules")
	h.ok(json.Unmarshal(body, &rules))
	h.want("the rules say so", rules.GPC, true)
	for _, signal := range []string{"1", "0", ""} {
		k := &keep{RoundTripper: h.web.Transport}
		a := h.app("shopper", &http.Client{Transport: signalled{k, signal}}, nil)
		_, err := a.Prompt(t.Context(), client.PromptRequest{Store: "doorstep-demo", Purpose: "assist", Lang: "en"})
		h.ok(err)
		h.want("the prompt's answer to "+signal, strings.Contains(string(k.body), `"gpc":"honoured"`), signal == "1")
		_, err = a.Me(t.Context(), "doorstep-demo")
		h.ok(err)
		h.want("what is told of oneself to "+signal, strings.Contains(string(k.body), `"gpc":"honoured"`), signal == "1")
	}
}

type signalled struct {
	next http.RoundTripper
	gpc  string
}

func (s signalled) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	if s.gpc != "" {
		r.Header.Set("Sec-GPC", s.gpc)
	}
	return s.next.RoundTrip(r)
}

// aged are clients on one phone, of one shopper, each with a token of another age band.
func (h *house) aged() func(band string) *client.Client {
	key, err := client.NewKey()
	h.ok(err)
	return func(band string) *client.Client {
		var wire net.Conn
		c, err := client.New(client.Config{BaseURL: h.url, Installation: key, HTTP: h.web, Dialer: h.dialer(&wire),
			Token: func(context.Context) (string, error) {
				return h.key.MintShopper("shopper", "app", band, 10*time.Minute)
			}})
		h.ok(err)
		return c
	}
}

// tooYoung are bands that are no yes, with the code that says so.
var tooYoung = map[string]string{"minor": "age_below", "": "age_unknown", "who knows": "age_unknown"}

// A token that says that somebody is too young opens nothing, whatever was granted before.
func TestTheAgeCountsAtTheTicketToo(t *testing.T) {
	h := newHouse(t)
	h.attended()
	aged := h.aged()
	h.connect(aged("adult")).Kill()
	for young, code := range tooYoung {
		_, err := aged(young).ConnectWith(t.Context(), demostore.ID, h.index.Site().Version, []string{"assist"})
		if p, ok := errors.AsType[*client.Problem](err); !ok || p.Status != 403 || p.Code != code {
			t.Errorf("%q: %v, want %s", young, err, code)
		}
	}
}

// A yes is the yes of whom the token says at that moment, not of whoever was shown the notice; a no is taken from
// anybody, and nobody is told to ask who must not be asked.
func TestTheAgeCountsAtTheDecisionToo(t *testing.T) {
	h := newHouse(t)
	for band, may := range map[string]bool{"adult": true, "minor": false, "": false, "who knows": false} {
		if me, err := h.aged()(band).Me(t.Context(), demostore.ID); err != nil || me.MayPrompt != may {
			t.Errorf("%q may be asked: %+v, %v", band, me, err)
		}
	}
	for young, code := range tooYoung {
		aged := h.aged()
		for choice, status := range map[string]int{"visit": 403, "term": 403, "no": 0, "not_now": 0} {
			p, err := aged("adult").Prompt(t.Context(), client.PromptRequest{Store: demostore.ID, Purpose: "assist", Lang: "en", Opened: true})
			h.ok(err)
			_, err = aged(young).Decide(t.Context(), demostore.ID, p, client.Answer{Choice: choice, Control: "button"})
			if p, ok := errors.AsType[*client.Problem](err); status != 0 && (!ok || p.Status != status || p.Code != code) || status == 0 && err != nil {
				t.Errorf("%q says %s: %v, want %d %s", young, choice, err, status, code)
			}
		}
		if me, err := aged("adult").Me(t.Context(), demostore.ID); err != nil || len(me.Grants) != 0 {
			t.Errorf("granted: %+v, %v", me.Grants, err)
		}
	}
}
