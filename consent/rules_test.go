// SPDX-License-Identifier: Apache-2.0

package consent_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"doorstep/consent"
	"doorstep/consent/storetest"
)

// desk is a ledger on a real store with a clock that is set by hand.
type desk struct {
	*consent.Ledger
	store consent.Store
	keys  consent.Keys
	now   time.Time
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{keys: consent.NewKeys(), now: time.Date(2026, 3, 1, 10, 20, 30, 0, time.UTC)}
	clock := func() time.Time { return d.now }
	d.store = storetest.SQLite(t, clock)
	d.Ledger = consent.New(d.store, d.keys, consent.DevelopmentRegistry(), clock)
	return d
}

// under is the same ledger under another registry.
func (d *desk) under(t *testing.T, files fstest.MapFS) *consent.Ledger {
	t.Helper()
	r, err := consent.LoadRegistry(files)
	if err != nil {
		t.Fatal(err)
	}
	return consent.New(d.store, d.keys, r, func() time.Time { return d.now })
}

func (d *desk) request() consent.PromptRequest {
	return consent.PromptRequest{
		Subject: d.keys.Subject("ana"), Installation: d.keys.Installation("k1"), App: "app", Store: "shop", Purpose: "assist",
		Lang: "en", Jurisdiction: "eu", AgeBand: "16+",
	}
}

func (d *desk) prompt(t *testing.T, change func(*consent.PromptRequest)) consent.Prompt {
	t.Helper()
	r := d.request()
	if change != nil {
		change(&r)
	}
	p, err := d.Prompt(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (d *desk) answer(p consent.Prompt, c consent.Choice) consent.DecisionRequest {
	r := d.request()
	return consent.DecisionRequest{
		ServedID: p.ServedID, Hash: p.Notice.Hash, Choice: c, Control: "button", ShownAt: d.now, DecidedAt: d.now.Add(time.Second),
		Digest: p.Digest, Subject: r.Subject, Installation: r.Installation, Store: r.Store, Purpose: r.Purpose,
	}
}

func opened(r *consent.PromptRequest) { r.Opened = true }

func TestPromptRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*consent.PromptRequest)
		want   *consent.Problem
	}{
		{"undeclared purpose", func(r *consent.PromptRequest) { r.Purpose = "advertise" }, consent.ErrPurpose},
		{"no silent fall-back to another language", func(r *consent.PromptRequest) { r.Lang = "en-GB" }, consent.ErrLanguage},
		{"undeclared jurisdiction", func(r *consent.PromptRequest) { r.Jurisdiction = "atlantis" }, consent.ErrJurisdiction},
		{"no subject", func(r *consent.PromptRequest) { r.Subject = "" }, consent.ErrRequest},
		{"no installation", func(r *consent.PromptRequest) { r.Installation = "" }, consent.ErrRequest},
		{"no store", func(r *consent.PromptRequest) { r.Store = "" }, consent.ErrRequest},
		{"no age band", func(r *consent.PromptRequest) { r.AgeBand = "" }, consent.ErrAgeUnknown},
		{"unknown age band", func(r *consent.PromptRequest) { r.AgeBand = "unknown" }, consent.ErrAgeUnknown},
		{"a birth date is no band", func(r *consent.PromptRequest) { r.AgeBand = "1990-01-01" }, consent.ErrAgeUnknown},
		{"a negative age is no band", func(r *consent.PromptRequest) { r.AgeBand = "-1+" }, consent.ErrAgeUnknown},
		{"an upside-down band is none", func(r *consent.PromptRequest) { r.AgeBand = "30-20" }, consent.ErrAgeUnknown},
		{"band below", func(r *consent.PromptRequest) { r.AgeBand = "13+" }, consent.ErrAgeBelow},
		{"band that begins below", func(r *consent.PromptRequest) { r.AgeBand = "13-17" }, consent.ErrAgeBelow},
		{"a minor", func(r *consent.PromptRequest) { r.AgeBand = "minor" }, consent.ErrAgeBelow},
		{"under nothing", func(r *consent.PromptRequest) { r.AgeBand = "under_" }, consent.ErrAgeUnknown},
		{"band under", func(r *consent.PromptRequest) { r.AgeBand = "under_16" }, consent.ErrAgeBelow},
		{"band at the limit", func(r *consent.PromptRequest) { r.AgeBand = "16-17" }, nil},
		{"adult", func(r *consent.PromptRequest) { r.AgeBand = "adult" }, nil},
		{"the same band elsewhere", func(r *consent.PromptRequest) { r.AgeBand, r.Jurisdiction = "14+", "cn" }, nil},
		{"the default jurisdiction", func(r *consent.PromptRequest) { r.Jurisdiction = "" }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			r := d.request()
			c.change(&r)
			p, err := d.Prompt(t.Context(), r)
			if c.want == nil {
				if err != nil || p.ServedID == "" || !p.MayPrompt {
					t.Fatalf("got %+v, %v, want a prompt", p.Notice, err)
				}
				return
			}
			if !errors.Is(err, c.want) || p.ServedID != "" {
				t.Fatalf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestDecisionRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*consent.DecisionRequest)
		want   *consent.Problem
	}{
		{"as served", func(*consent.DecisionRequest) {}, nil},
		{"a switch", func(r *consent.DecisionRequest) { r.Control = "switch" }, nil},
		{"without the client's times", func(r *consent.DecisionRequest) { r.ShownAt, r.DecidedAt = time.Time{}, time.Time{} }, nil},
		{"no served id", func(r *consent.DecisionRequest) { r.ServedID = "" }, consent.ErrServed},
		{"an invented served id", func(r *consent.DecisionRequest) { r.ServedID = "aaaaaaaaaaaaaaaaaaaaaaaaaa" }, consent.ErrServed},
		{"somebody else", func(r *consent.DecisionRequest) { r.Subject = "0" }, consent.ErrServed},
		{"another phone", func(r *consent.DecisionRequest) { r.Installation = "0" }, consent.ErrServed},
		{"another store", func(r *consent.DecisionRequest) { r.Store = "other" }, consent.ErrServed},
		{"another purpose", func(r *consent.DecisionRequest) { r.Purpose = "pickup" }, consent.ErrServed},
		{"scrolled", func(r *consent.DecisionRequest) { r.Control = "scroll" }, consent.ErrInferred},
		{"dismissed", func(r *consent.DecisionRequest) { r.Control = "dismiss" }, consent.ErrInferred},
		{"timed out", func(r *consent.DecisionRequest) { r.Control = "timeout" }, consent.ErrInferred},
		{"ticked in advance", func(r *consent.DecisionRequest) { r.Control = "prechecked" }, consent.ErrInferred},
		{"no control", func(r *consent.DecisionRequest) { r.Control = "" }, consent.ErrInferred},
		{"a choice that is none", func(r *consent.DecisionRequest) { r.Choice = "all" }, consent.ErrChoice},
		{"later without no", func(r *consent.DecisionRequest) { r.Choice = "later" }, consent.ErrChoice},
		{"other strings", func(r *consent.DecisionRequest) { r.Digest = strings.Repeat("0", 64) }, consent.ErrDigest},
		{"no digest", func(r *consent.DecisionRequest) { r.Digest = "" }, consent.ErrDigest},
		{"another notice", func(r *consent.DecisionRequest) { r.Hash = strings.Repeat("0", 64) }, consent.ErrNotice},
		{"decided before it was shown", func(r *consent.DecisionRequest) { r.DecidedAt = r.ShownAt.Add(-1) }, consent.ErrRequest},
	} {
		for _, choice := range []consent.Choice{consent.ThisVisit, consent.No} {
			t.Run(c.name+"/"+string(choice), func(t *testing.T) {
				d := newDesk(t)
				r := d.answer(d.prompt(t, nil), choice)
				c.change(&r)
				got, err := d.Decide(t.Context(), r)
				a, admitErr := d.Admit(t.Context(), consent.Scope{Installation: d.request().Installation, Store: "shop"})
				if admitErr != nil {
					t.Fatal(admitErr)
				}
				if granted := len(a.Grants) == 1; granted != (c.want == nil && choice == consent.ThisVisit) {
					t.Fatalf("granted is %v", granted)
				}
				if c.want == nil {
					if err != nil || got.Receipt == "" {
						t.Fatalf("got %v, want a receipt", err)
					}
					return
				}
				if !errors.Is(err, c.want) {
					t.Fatalf("got %v, want %v", err, c.want)
				}
			})
		}
	}
}

// A refused decision leaves the served id as it was: the shopper's answer is not lost to a mistake of the app.
func TestMistakeDoesNotUseUpTheServedID(t *testing.T) {
	d := newDesk(t)
	r := d.answer(d.prompt(t, nil), consent.ThisVisit)
	good := r.Digest
	r.Digest = ""
	if _, err := d.Decide(t.Context(), r); !errors.Is(err, consent.ErrDigest) {
		t.Fatalf("got %v", err)
	}
	r.Digest = good
	if _, err := d.Decide(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// The version is compared when it is decided on, not only when it is served.
func TestReplacedNoticeIsNotDecidedOn(t *testing.T) {
	d := newDesk(t)
	r := d.answer(d.prompt(t, nil), consent.ThisVisit)
	files := devFiles(t)
	const name = "notices/assist.en.md"
	newer := strings.Replace(string(files[name].Data), "version: 1", "version: 2", 1)
	files["notices/assist-2.en.md"] = &fstest.MapFile{Data: []byte(newer)}
	if _, err := d.under(t, files).Decide(t.Context(), r); !errors.Is(err, consent.ErrNotice) {
		t.Fatalf("got %v, want %v", err, consent.ErrNotice)
	}
	if _, err := d.Decide(t.Context(), r); err != nil {
		t.Fatalf("under the registry that served it: %v", err)
	}
}

// A purpose that is no longer declared is no longer served, whatever was granted.
func TestUndeclaredPurposeIsNotAdmitted(t *testing.T) {
	d := newDesk(t)
	if _, err := d.Decide(t.Context(), d.answer(d.prompt(t, nil), consent.ThisVisit)); err != nil {
		t.Fatal(err)
	}
	files := devFiles(t)
	for name, f := range files {
		files[name] = &fstest.MapFile{Data: []byte(strings.NewReplacer(`"assist"`, `"advise"`, "purpose: assist", "purpose: advise").Replace(string(f.Data)))}
	}
	scope := consent.Scope{Installation: d.request().Installation, Store: "shop"}
	for ledger, want := range map[*consent.Ledger]int{d.Ledger: 1, d.under(t, files): 0} {
		if a, err := ledger.Admit(t.Context(), scope); err != nil || len(a.Grants) != want {
			t.Errorf("%d grants, %v, want %d", len(a.Grants), err, want)
		}
	}
}

func TestQuietTime(t *testing.T) {
	day := 24 * time.Hour
	for _, c := range []struct {
		name         string
		choice       consent.Choice
		jurisdiction string
		quiet        time.Duration
	}{
		{"six months after a no", consent.No, "eu", 183 * day},
		{"twelve in California", consent.No, "us-ca", 365 * day},
		{"a day after a not now", consent.NotNow, "eu", day},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := newDesk(t)
			in := func(r *consent.PromptRequest) { r.Jurisdiction = c.jurisdiction }
			if _, err := d.Decide(t.Context(), d.answer(d.prompt(t, in), c.choice)); err != nil {
				t.Fatal(err)
			}
			over := d.now.Add(c.quiet)
			d.now = over.Add(-time.Millisecond)
			p := d.prompt(t, in)
			if p.MayPrompt || p.ServedID != "" || len(p.Blocks) != 0 || p.NotBefore != over.UnixMilli() {
				t.Fatalf("prompting inside the quiet time: %+v", p)
			}
			if p := d.prompt(t, func(r *consent.PromptRequest) { in(r); opened(r) }); !p.MayPrompt || p.ServedID == "" {
				t.Fatal("a notice that the shopper opens is not a prompt")
			}
			d.now = over
			if p := d.prompt(t, in); !p.MayPrompt {
				t.Fatal("the quiet time does not end")
			}
		})
	}
}

func TestNoPromptForWhatIsInForce(t *testing.T) {
	d := newDesk(t)
	if _, err := d.Decide(t.Context(), d.answer(d.prompt(t, nil), consent.ForATerm)); err != nil {
		t.Fatal(err)
	}
	if d.prompt(t, nil).MayPrompt {
		t.Fatal("it prompts for what is granted")
	}
	if !d.prompt(t, func(r *consent.PromptRequest) { r.Purpose = "pickup" }).MayPrompt {
		t.Fatal("it does not prompt for another purpose")
	}
}

func TestGrantsLiveAsLongAsSaid(t *testing.T) {
	for choice, life := range map[consent.Choice]time.Duration{consent.ThisVisit: 12 * time.Hour, consent.ForATerm: 183 * 24 * time.Hour} {
		d := newDesk(t)
		got, err := d.Decide(t.Context(), d.answer(d.prompt(t, nil), choice))
		if err != nil {
			t.Fatal(err)
		}
		if want := d.now.Add(life); !got.Grant.ExpiresAt.Equal(want) || got.Grant.VisitOnly != (choice == consent.ThisVisit) {
			t.Errorf("%s: %+v, want an expiry at %v", choice, got.Grant, want)
		}
	}
}

func TestEndNeedsItsFields(t *testing.T) {
	scope := consent.Scope{Installation: "i", Store: "s"}
	id := "0198c9a0-0000-7000-8000-000000000001"
	for name, r := range map[string]consent.EndRequest{
		"no id":           {Kind: consent.EndAll, Subject: "s", Reason: consent.Withdrawn},
		"no reason":       {ID: id, Kind: consent.EndAll, Subject: "s"},
		"no kind":         {ID: id, Subject: "s", Reason: consent.Withdrawn},
		"all of nobody":   {ID: id, Kind: consent.EndAll, Scope: scope, Reason: consent.Withdrawn},
		"store of none":   {ID: id, Kind: consent.EndStore, Subject: "s", Reason: consent.Withdrawn},
		"no purpose":      {ID: id, Kind: consent.EndGrant, Scope: scope, Reason: consent.Withdrawn},
		"no visit":        {ID: id, Kind: consent.EndSession, Scope: scope, Reason: consent.Lost},
		"no visit at all": {ID: id, Kind: consent.EndSession, Reason: consent.Lost},
		"half a scope":    {ID: id, Kind: consent.EndSession, Scope: consent.Scope{Store: "s"}, Visit: "v", Reason: consent.Lost},
		"grant by visit":  {ID: id, Kind: consent.EndGrant, Purpose: "assist", Visit: "v", Reason: consent.Lost},
		"no installation": {ID: id, Kind: consent.EndStore, Scope: consent.Scope{Store: "s"}, Reason: consent.Withdrawn},
	} {
		if _, err := newDesk(t).End(t.Context(), r); !errors.Is(err, consent.ErrRequest) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// The store that does not answer: no prompt, no admission, no success.
func TestUnreachableStoreRefuses(t *testing.T) {
	d := newDesk(t)
	p := d.prompt(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	errs := map[string]error{}
	_, errs["prompt"] = d.Prompt(ctx, d.request())
	_, errs["decide"] = d.Decide(ctx, d.answer(p, consent.ThisVisit))
	_, errs["admit"] = d.Admit(ctx, consent.Scope{Installation: "i", Store: "shop"})
	may, err := d.MayPrompt(ctx, d.request().Subject, "adult", consent.Scope{Installation: "i", Store: "shop"})
	if errs["may prompt"] = err; may {
		t.Error("it may prompt, though nobody knows")
	}
	_, errs["end"] = d.End(ctx, consent.EndRequest{
		ID: "0198c9a0-0000-7000-8000-000000000001", Kind: consent.EndAll, Subject: d.request().Subject, Reason: consent.Withdrawn,
	})
	for what, err := range errs {
		if !errors.Is(err, consent.ErrUnavailable) {
			t.Errorf("%s: got %v, want %v", what, err, consent.ErrUnavailable)
		}
	}
}

func TestProblemsAreOfOneFamilyEach(t *testing.T) {
	families := map[int]error{422: consent.ErrInvalid, 403: consent.ErrForbidden, 409: consent.ErrConflict, 404: consent.ErrNotFound, 429: consent.ErrTooOften}
	seen := map[string]bool{}
	for _, p := range []*consent.Problem{
		consent.ErrServed, consent.ErrInferred, consent.ErrChoice, consent.ErrDigest, consent.ErrNotice, consent.ErrLanguage, consent.ErrPurpose,
		consent.ErrJurisdiction, consent.ErrRequest, consent.ErrAgeUnknown, consent.ErrAgeBelow, consent.ErrStopToken, consent.ErrIDTaken,
		consent.ErrNotListed, consent.ErrBehind, consent.ErrKeys, consent.ErrNoView, consent.ErrNoLeaf,
		consent.ErrNoMotion, consent.ErrSamePerson, consent.ErrMotionOver, consent.ErrNoShopper, consent.ErrIdle,
	} {
		if !errors.Is(p, families[p.Status]) || p.Detail == "" || p.Remedy == "" || p.Code == "" || seen[p.Code] {
			t.Errorf("%q: status %d, detail %q, remedy %q", p.Code, p.Status, p.Detail, p.Remedy)
		}
		seen[p.Code] = true
	}
}
