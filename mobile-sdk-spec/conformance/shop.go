// SPDX-License-Identifier: Apache-2.0

package conformance

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	spec "doorstep/mobile-sdk-spec"
)

// answer plays HTTP. Whose story it is, the token says; what is public belongs to none.
func (s *Suite) answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
	if err != nil {
		return
	}
	if r.Method == http.MethodGet && r.Header.Get("Authorization") == "" {
		s.public(w, r)
		return
	}
	p, claims := s.whose(r)
	if p == nil {
		writeJSON(w, http.StatusUnauthorized, problem(s.ms(), http.StatusUnauthorized, "token", 0))
		return
	}
	if p.is("offline") {
		panic(http.ErrAbortHandler) // the connection breaks off
	}
	status, answer := p.asked(r, body, claims)
	if p.is("offline") {
		panic(http.ErrAbortHandler)
	}
	writeJSON(w, status, answer)
}

// public answers what needs no token.
func (s *Suite) public(w http.ResponseWriter, r *http.Request) {
	name, version := "/v1/stores/"+store+"/fences/", ""
	of := func(id, name string, south, west, north, east float64) any {
		return map[string]any{"id": id, "name": name, "fence": firstFence, "bbox": []float64{west, south, east, north}, "open": true}
	}
	if strings.HasPrefix(r.URL.Path, name) {
		version = strings.TrimPrefix(r.URL.Path, name)
	}
	switch {
	case r.URL.Path == "/v1/time":
		writeJSON(w, http.StatusOK, map[string]any{"t": s.ms()})
	case r.URL.Path == "/v1/stores":
		writeJSON(w, http.StatusOK, map[string]any{"stores": []any{
			of(store, "Conformance", south, west, north, east), of(annex, "Annex", annexSouth, middle, annexNorth, east)}})
	case r.URL.Path == "/v1/rules":
		writeJSON(w, http.StatusOK, rules())
	case r.URL.Path == "/v1/stores/"+annex+"/fences/"+firstFence:
		writeJSON(w, http.StatusOK, fenceOf(annex, firstFence, annexSouth, middle, annexNorth, east))
	case version == firstFence:
		writeJSON(w, http.StatusOK, fenceOf(store, firstFence, south, west, north, east))
	case strings.HasPrefix(version, secondFence+"-"): // it names the story
		if p := s.play(strings.TrimPrefix(version, secondFence+"-")); p != nil && !p.fetch() {
			writeJSON(w, http.StatusServiceUnavailable, problem(s.ms(), http.StatusServiceUnavailable, "unavailable", 0))
			return
		}
		writeJSON(w, http.StatusOK, fenceOf(store, version, south, west, north, middle))
	default:
		writeJSON(w, http.StatusNotFound, problem(s.ms(), http.StatusNotFound, "no_such_path", 0))
	}
}

// fetch takes down that the new map was asked for, and reports whether it is to be had.
func (p *play) fetch() bool {
	p.add("GET fence", nil)
	if _, ok := p.refused("GET fence"); ok {
		return false
	}
	p.mu.Lock()
	p.fetches++
	again := p.fetches > 1
	if p.fetched.IsZero() {
		p.fetched = p.suite.now()
	}
	p.mu.Unlock()
	if again {
		p.broken("A-6", "a version of a fence that was fetched before")
	}
	return true
}

// rules are as short as they may be.
func rules() map[string]any {
	title := map[string]any{"en": "Conformance"}
	p := func(id string) map[string]any {
		return map[string]any{"id": id, "title": title, "data": []any{}, "recipients": []any{}}
	}
	inPocket := p(pocket)
	inPocket["pocket_minutes"] = 1
	return map[string]any{"controller": map[string]any{"id": "conformance", "name": "Conformance"}, "purposes": []any{p(purpose), inPocket},
		"data_types": []any{map[string]any{"id": "position", "title": title, "fields": []any{"lat", "lng"}, "retention": "PT30S"}},
		"recipients": []any{map[string]any{"id": "staff", "title": title}},
		"notices":    []any{map[string]any{"id": "n", "version": "1", "lang": "en", "purpose": purpose, "hash": noticeHash}}}
}

func fenceOf(store, version string, south, west, north, east float64) map[string]any {
	ring := [][2]float64{{west, south}, {east, south}, {east, north}, {west, north}, {west, south}}
	return map[string]any{"store": store, "name": "Conformance", "version": version, "bearing": 0, "zones": []any{}, "doors": []any{},
		"levels": []any{map[string]any{"ordinal": 0, "name": "Ground", "boundary": [][][][2]float64{{ring}}}}}
}

// stopToken of a story.
func stopToken(scenario string) string { return "stop-" + scenario }

// whose is the story that a request belongs to, with the claims of its token; none for a stop token.
func (s *Suite) whose(r *http.Request) (*play, map[string]any) {
	kind, credential, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if kind == "Stop" {
		return s.play(strings.TrimPrefix(credential, "stop-")), nil
	}
	part := strings.Split(credential, ".")
	if kind != "Bearer" || len(part) != 3 {
		return nil, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(part[1])
	var claims map[string]any
	if err != nil || json.Unmarshal(raw, &claims) != nil {
		return nil, nil
	}
	sub, _ := claims["sub"].(string)
	return s.play(sub), claims
}

// schemas are the requests with a body, and the rule that says what it is.
var bodies = map[string]string{"POST /v1/prompts": "A-8", "POST /v1/decisions": "A-10", "POST /v1/tickets": "A-13", "POST /v1/withdrawals": "W-3"}

// asked judges a request that is a story's, takes it down and answers it.
func (p *play) asked(r *http.Request, body []byte, claims map[string]any) (int, any) {
	name := r.Method + " " + r.URL.Path
	if r.URL.RawQuery != "" {
		p.broken("A-2", name+" with a query")
	} else {
		p.kept("A-2")
	}
	if exp, ok := claims["exp"].(float64); ok {
		if p.suite.now().After(time.Unix(int64(exp), 0).Add(2 * time.Second)) {
			p.broken("A-1", name+" with a token that has run out")
		} else {
			p.kept("A-1")
		}
	}
	in := map[string]any{}
	if rule, ok := bodies[name]; ok {
		if err := spec.Request(r.Method, r.URL.Path, body); err != nil {
			p.broken(rule, name+" that its schema refuses")
			return http.StatusBadRequest, problem(p.suite.ms(), http.StatusBadRequest, "request", 0)
		}
		_ = json.Unmarshal(body, &in) // it is an object: its schema says so
		if rule == "W-3" && claims != nil && in["scope"] != "all" && in["store"] == nil {
			p.broken(rule, name+" of no store, by who has more than one")
			return http.StatusUnprocessableEntity, problem(p.suite.ms(), http.StatusUnprocessableEntity, "request", 0)
		}
		p.kept(rule)
		if of, ok := in["purposes"].([]any); ok { // in whatever order
			slices.SortFunc(of, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		}
	}
	in["with"] = map[bool]string{true: "token", false: "stop"}[claims != nil]
	in["credential"] = r.Header.Get("Authorization")
	p.add(name, in)
	if claims != nil && r.URL.Path != "/v1/journal" {
		if status, bad := p.proof(r); bad != nil {
			return status, bad
		}
	}
	if x, ok := p.refused(name); ok {
		return x.Status, problem(p.suite.ms(), x.Status, x.Code, x.RetryMS)
	}
	return p.usual(name, r, in)
}

// proof judges the proof of a request. One with a wrong time is answered as a server does, once.
func (p *play) proof(r *http.Request) (int, any) {
	jti, at, err := checkProof(r)
	p.mu.Lock()
	again := p.proofs[jti]
	p.proofs[jti] = true
	p.mu.Unlock()
	switch off := p.suite.now().Sub(at); {
	case err == nil && again:
		err = errors.New("a jti for the second time")
		fallthrough
	case err != nil:
		p.broken("A-4", err.Error())
		return http.StatusUnauthorized, problem(p.suite.ms(), http.StatusUnauthorized, "proof", 0)
	case off > time.Minute || off < -time.Minute:
		p.add("proof_time", nil)
		return http.StatusUnauthorized, problem(p.suite.ms(), http.StatusUnauthorized, "proof_time", 0)
	}
	p.kept("A-4")
	return 0, nil
}

// usual is what a server that has nothing against it answers.
func (p *play) usual(name string, r *http.Request, in map[string]any) (int, any) {
	now := p.suite.ms()
	switch name {
	case "POST /v1/prompts":
		if p.is("reticent") && in["opened"] != true {
			return http.StatusOK, map[string]any{"may_prompt": false, "purpose": in["purpose"], "not_before_t": now + 86_400_000}
		}
		return http.StatusOK, p.prompt(in)
	case "POST /v1/decisions":
		return http.StatusOK, p.decided(in)
	case "POST /v1/tickets":
		p.entered(in["store"])
		return http.StatusOK, map[string]any{"ticket": p.issue("t"), "url": "ws://" + r.Host + "/v1/session", "expires_t": now + 30_000, "t": now}
	case "POST /v1/withdrawals":
		p.withSocket(func(k *socket) {
			k.hear("frame withdraw", in["id"]) // a browser drops what it has not sent yet when it is told to close
			k.end("withdrawn", 4500, "decision")
		})
		return http.StatusOK, map[string]any{"id": in["id"], "receipt": receipt, "change": 1, "removed": map[string]any{"nodes": 2, "consoles": 1, "ms": 12}}
	case "GET /v1/me":
		return http.StatusOK, map[string]any{"grants": []any{}, "may_prompt": true}
	}
	return http.StatusNotFound, problem(now, http.StatusNotFound, "no_such_path", 0)
}

var noticeHash = strings.Repeat("0a", 32)

// entered judges by the fence of the store that a ticket is for.
func (p *play) entered(at any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case at == annex:
		p.fence = annex
	case p.fence == annex:
		p.fence = firstFence
	}
}

const receipt = "eyJhbGciOiJFZERTQSJ9.e30.c2lnbmF0dXJl" // no key verifies it; nothing here is worth one

// issue makes a ticket or resume token of the story, good for once.
func (p *play) issue(kind string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.issued++
	t := fmt.Sprintf("%s.%s.%d", kind, p.sc.Name, p.issued)
	p.tickets[t] = true
	return t
}

func (p *play) prompt(in map[string]any) any {
	served := map[string]any{"may_prompt": true, "purpose": in["purpose"], "served_id": p.issue("p"), "expires_t": p.suite.ms() + 600_000,
		"title": "Help in the store \u2028 <now>", "notice": map[string]any{"id": "n", "version": "1", "hash": noticeHash, "lang": "en", "dir": "ltr", "jurisdiction": "eu", "signature": receipt},
		"blocks":  []any{map[string]any{"key": "who", "title": "Who", "text": "Conformance & sons"}, map[string]any{"key": "why", "title": "Why", "text": "So that an SDK can be judged"}},
		"choices": []any{choice("visit", "This visit"), choice("term", "6 months"), choice("no", "No"), choice("not_now", "Not now")},
		"texts":   map[string]any{"indicator": map[string]any{}, "ends": map[string]any{"left_store": "You left"}},
	}
	served["digest"] = digestOf(served)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.served = served
	return served
}

func choice(c, label string) map[string]any { return map[string]any{"choice": c, "label": label} }

// digestOf is A-11's digest of a prompt. Strings in order, by hand: encoding/json escapes what RFC 8785 does not.
func digestOf(served map[string]any) string {
	quote := func(v any) string {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		_ = e.Encode(v)                                                              // a string
		return strings.ReplaceAll(strings.TrimSpace(b.String()), `\u2028`, "\u2028") // the prompt has none that is meant so
	}
	var blocks, labels []string
	for _, b := range served["blocks"].([]any) {
		b := b.(map[string]any)
		blocks = append(blocks, fmt.Sprintf(`{"text":%s,"title":%s}`, quote(b["text"]), quote(b["title"])))
	}
	for _, c := range served["choices"].([]any) {
		labels = append(labels, quote(c.(map[string]any)["label"]))
	}
	sum := sha256.Sum256(fmt.Appendf(nil, `{"blocks":[%s],"choices":[%s],"title":%s}`, strings.Join(blocks, ","), strings.Join(labels, ","), quote(served["title"])))
	return hex.EncodeToString(sum[:])
}

func (p *play) decided(in map[string]any) any {
	p.mu.Lock()
	served := p.served
	p.mu.Unlock()
	switch {
	case served == nil || in["served_id"] != served["served_id"] || in["hash"] != served["notice"].(map[string]any)["hash"]:
		p.broken("A-10", "a decision on another prompt than the one served")
	case in["digest"] != served["digest"]:
		p.broken("A-11", "another digest")
	default:
		p.kept("A-11")
	}
	state := map[any]string{"visit": "given", "term": "given", "no": "refused", "not_now": "deferred"}[in["choice"]]
	return map[string]any{"record_id": uuid.NewString(), "state": state, "receipt": receipt, "stop_token": stopToken(p.sc.Name)}
}
