// SPDX-License-Identifier: Apache-2.0

package problem

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"
)

var at = time.UnixMilli(1_800_000_000_123)

func written(t *testing.T, p *Problem) (*http.Response, map[string]any) {
	t.Helper()
	w := httptest.NewRecorder()
	Write(w, p, at)
	res := w.Result()
	var m map[string]any
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		t.Fatalf("the body is no JSON: %v", err)
	}
	return res, m
}

// TestTable: every line is complete, and is answered as it says.
func TestTable(t *testing.T) {
	if len(Codes()) < 40 {
		t.Fatalf("only %d codes", len(Codes()))
	}
	for _, code := range Codes() {
		p := New(code)
		if !regexp.MustCompile(`^[a-z_]+$`).MatchString(code) || p.Status < 400 || p.Status > 599 || p.Title == "" ||
			!strings.HasSuffix(p.Remedy, ".") || strings.HasSuffix(p.Title, ".") {
			t.Errorf("%s: %+v", code, p)
		}
		if retry := p.Status == 503 || p.Status == 429; retry && p.RetryMS == 0 {
			t.Errorf("%s: %d without a time to wait", code, p.Status)
		}
		res, m := written(t, p)
		if res.StatusCode != p.Status || m["code"] != code || m["type"] != "/problems/"+code || m["status"] != float64(p.Status) ||
			m["title"] != p.Title || m["remedy"] != p.Remedy || m["detail"] == "" || m["t"] != float64(at.UnixMilli()) {
			t.Errorf("%s: %d %v", code, res.StatusCode, m)
		}
		h := res.Header
		if h.Get("Content-Type") != ContentType || h.Get("Cache-Control") != "no-store" || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: headers %v", code, h)
		}
		if _, there := m["retry_ms"]; there != (p.RetryMS > 0) || there != (h.Get("Retry-After") != "") {
			t.Errorf("%s: retry_ms %v, Retry-After %q", code, m["retry_ms"], h.Get("Retry-After"))
		}
	}
}

// TestContract pins the codes and statuses that clients were promised.
func TestContract(t *testing.T) {
	for code, status := range map[string]int{
		"proof_time": 401, "token": 401, "code": 401, "nobody_on_duty": 409, "not_granted": 403, "no_store": 404, "store_closed": 409,
		"rate": 429, "served_id": 422, "inferred": 422, "digest": 422, "bundled": 422, "age": 403, "recorded_not_complete": 503,
		"alert_held": 409, "alert_version": 409, "alert_final": 409, "alert_action": 409, "no_alert": 404, "claims": 403, "url_secret": 400,
		"origin": 403, "door": 403, "internal": 500, "undeclared": 422,
	} {
		if p := New(code); p.Code != code || p.Status != status {
			t.Errorf("%s: got %s %d; want %d", code, p.Code, p.Status, status)
		}
	}
}

func TestNothingOfTheCauseIsWritten(t *testing.T) {
	secret := errors.New("sub 4711 at 54.1234, 3.5678")
	for name, p := range map[string]*Problem{
		"unknown": As(secret), "wrapped": As(fmt.Errorf("read: %w", secret)), "a problem": New(Token).Because(secret),
		"no such code": New("sub 4711"), "known": As(secret, Known{secret, NoAlert}),
	} {
		w := httptest.NewRecorder()
		Write(w, p, at)
		all := w.Body.String() + fmt.Sprint(w.Header())
		if strings.Contains(all, "4711") || strings.Contains(all, "54.1234") {
			t.Errorf("%s: %s", name, all)
		}
		if name != "no such code" && !errors.Is(p, secret) {
			t.Errorf("%s: the cause is lost", name)
		}
	}
}

func TestAs(t *testing.T) {
	if As(nil) != nil {
		t.Fatal("nil is a problem")
	}
	mine := New(Rate).RetryAfter(1500 * time.Microsecond)
	if got := As(fmt.Errorf("outside: %w", mine)); got != mine || got.RetryMS != 2 {
		t.Fatalf("got %+v", got)
	}
	_, tooLong := io.ReadAll(http.MaxBytesReader(httptest.NewRecorder(), io.NopCloser(strings.NewReader("abc")), 2))
	held := errors.New("held")
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"unknown":  {errors.New("x"), Internal},
		"deadline": {fmt.Errorf("x: %w", context.DeadlineExceeded), Unavailable},
		"canceled": {context.Canceled, Unavailable},
		"too long": {tooLong, TooLarge},
		"known":    {fmt.Errorf("x: %w", held), AlertHeld},
	} {
		if got := As(c.err, Known{held, AlertHeld}); got.Code != c.want {
			t.Errorf("%s: %s; want %s", name, got.Code, c.want)
		}
	}
}

// TestExtra: further members are there, cannot pose as the standard ones, and cannot break the answer.
func TestExtra(t *testing.T) {
	p := New(AlertHeld).WithDetail("Mei claimed it first").With("holder", "Mei").With("status", 200).With("code", "ok").With("retry_ms", 1)
	res, m := written(t, p)
	if res.StatusCode != 409 || m["status"] != 409.0 || m["code"] != AlertHeld || m["holder"] != "Mei" || m["detail"] != "Mei claimed it first" {
		t.Fatalf("%d %v", res.StatusCode, m)
	}
	if _, there := m["retry_ms"]; there {
		t.Fatal("retry_ms was smuggled in")
	}
	res, m = written(t, New(Rate).With("x", math.Inf(1)))
	if res.StatusCode != 429 || m["code"] != Rate {
		t.Fatalf("%d %v", res.StatusCode, m)
	}
	res, m = written(t, nil)
	if res.StatusCode != 500 || m["code"] != Internal {
		t.Fatalf("nil: %d %v", res.StatusCode, m)
	}
	if New(AlertHeld).Extra != nil {
		t.Fatal("problems are shared")
	}
}

func TestRetryAfterRoundsUp(t *testing.T) {
	for d, want := range map[time.Duration][2]string{
		time.Millisecond:        {"1", "1"},
		999 * time.Microsecond:  {"1", "1"},
		1001 * time.Millisecond: {"1001", "2"},
		time.Minute:             {"60000", "60"},
	} {
		p := New(Rate).RetryAfter(d)
		res, _ := written(t, p)
		if fmt.Sprint(p.RetryMS) != want[0] || res.Header.Get("Retry-After") != want[1] {
			t.Errorf("%v: %d ms, %s s", d, p.RetryMS, res.Header.Get("Retry-After"))
		}
	}
	if New(Rate).RetryAfter(-time.Second).RetryMS != 0 {
		t.Error("a negative time")
	}
}
