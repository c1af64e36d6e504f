// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/tracking"
)

const (
	crashLedger = "DOORSTEP_TEST_LEDGER" // set in the child: where its ledger is
	crashKeys   = "DOORSTEP_TEST_LEDGER_KEYS"
	crashSeed   = "DOORSTEP_TEST_LEDGER_SEED"
	crashAt     = "DOORSTEP_TEST_LEDGER_KILL"  // the number of the statement at which it kills itself; 0: not at all
	crashHands  = "DOORSTEP_TEST_LEDGER_HANDS" // how many goroutines write at the same time; four if it is not set
)

func isWriter() bool { return os.Getenv(crashLedger) != "" }

// note is a line of the child's: what it is about to do, or that this was acknowledged, and what can be seen
// of the shopper since.
type note struct {
	Hand    int
	Step    string
	Done    bool
	Person  person
	Seen    string `json:",omitempty"`
	Served  string `json:",omitempty"`
	Grants  bool   `json:",omitempty"` // the choice was a yes
	Alert   string `json:",omitempty"`
	Key     string `json:",omitempty"`
	End     *consent.EndRequest
	Change  int64  `json:",omitempty"` // of the end
	Receipt string `json:",omitempty"`
}

// writeUntilKilled is the child: it writes everything that is ever written, without rest.
func writeUntilKilled() {
	var seed uint64
	var at int64
	fmt.Sscan(os.Getenv(crashSeed), &seed)
	fmt.Sscan(os.Getenv(crashAt), &at)
	keys, err := consent.LoadKeys(os.Getenv(crashKeys))
	if err == nil {
		err = writeAll(context.Background(), keys, os.Getenv(crashLedger), seed, at)
	}
	fmt.Fprintln(os.Stderr, "failed:", err)
	os.Exit(1)
}

// dieAt kills this process at a statement: before every second of them is sent, after every other was carried out.
func dieAt(n int64) *gate {
	var count atomic.Int64
	die := func(before bool) func(string) error {
		return func(string) error {
			if k := count.Add(1); n > 0 && k/2 >= n && before == (n%2 == 0) {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
			return nil
		}
	}
	return &gate{before: die(true), after: die(false)}
}

func writeAll(ctx context.Context, keys consent.Keys, dsn string, seed uint64, at int64) error {
	db, err := sqlstore.Open(ctx, dsn, sqlstore.WithKeyring(os.Getenv(crashKeys)+"ring"), sqlstore.WithPools(dieAt(at).wrap))
	if err != nil {
		return err
	}
	l := consent.New(db, keys, consent.DevelopmentRegistry(), time.Now)
	var out sync.Mutex
	failed := make(chan error)
	hands := 4
	fmt.Sscan(os.Getenv(crashHands), &hands)
	for i := range hands {
		w := &hand{db: db, l: l, keys: keys, out: &out, n: i, rand: rand.New(rand.NewPCG(seed, uint64(i)))}
		go func() {
			for {
				if err := w.life(ctx); err != nil {
					failed <- err
				}
			}
		}()
	}
	return <-failed
}

// hand is one goroutine of the child, with shoppers of its own: what is seen of them changes by its doing only.
type hand struct {
	db    *sqlstore.DB
	l     *consent.Ledger
	keys  consent.Keys
	out   *sync.Mutex
	n     int
	rand  *rand.Rand
	p     person
	alert string
}

func (w *hand) say(n note) error {
	n.Hand, n.Person, n.Alert = w.n, w.p, w.alert
	line, err := json.Marshal(n)
	if err != nil {
		return err
	}
	if len(line) >= 4096 {
		return errors.New("a line that a pipe does not take as one")
	}
	w.out.Lock()
	defer w.out.Unlock()
	_, err = os.Stdout.Write(append(line, '\n'))
	return err
}

// step says what comes, does it, and says that it was done.
func (w *hand) step(ctx context.Context, n note, do func(*note) error) error {
	if err := w.say(n); err != nil {
		return err
	}
	err := do(&n)
	if err == nil {
		n.Done = true
		n.Seen, err = seen(ctx, w.db, w.l, w.p, w.alert)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", n.Step, err)
	}
	return w.say(n)
}

// seen is all that can be seen of a shopper on one phone. Nothing in it changes by the passing of an hour.
func seen(ctx context.Context, db *sqlstore.DB, l *consent.Ledger, p person, alert string) (string, error) {
	a, err := l.Admit(ctx, p.scope())
	if err != nil {
		return "", err
	}
	views, err := l.Journal(ctx, p.subject)
	if err != nil {
		return "", err
	}
	alerts, _, err := db.Alerts(ctx, "shop")
	if err != nil {
		return "", err
	}
	open := slices.DeleteFunc(alerts, func(x tracking.Alert) bool { return x.ID != alert || x.Final() })
	closed := 0
	for _, v := range views {
		if !v.ClosedAt.IsZero() {
			closed++
		}
	}
	text := fmt.Sprintf("epoch %d, %d views, %d closed, grants", a.Epoch, len(views), closed)
	for _, g := range a.Grants {
		text += fmt.Sprintf(" %s %s %d", g.ID, g.Purpose, g.ExpiresAt.UnixMicro())
	}
	for _, x := range open {
		text += fmt.Sprintf(", alert v%d %s off %v", x.Version, x.State, x.Off)
	}
	return text, nil
}

// life is one shopper from the first prompt to the end, with what a store does meanwhile.
func (w *hand) life(ctx context.Context) error {
	w.p, w.alert = shopper(w.keys, uuid.NewString()), ""
	if err := w.house(ctx); err != nil {
		return err
	}
	visit, granted, err := w.decide(ctx)
	if err == nil && granted {
		err = w.visit(ctx, visit)
	}
	if err != nil {
		return err
	}
	if w.rand.IntN(4) == 0 {
		return w.erase(ctx)
	}
	kinds := []consent.EndRequest{
		{Kind: consent.EndAll, Subject: w.p.subject}, {Kind: consent.EndStore, Scope: w.p.scope()},
		{Kind: consent.EndGrant, Scope: w.p.scope(), Purpose: "assist"},
	}
	r := kinds[w.rand.IntN(len(kinds))]
	r.Reason = []consent.Reason{consent.Withdrawn, consent.Revoked}[w.rand.IntN(2)]
	return w.end(ctx, "end", r)
}

func (w *hand) decide(ctx context.Context) (visit string, granted bool, err error) {
	var q consent.Prompt
	err = w.step(ctx, note{Step: "prompt"}, func(*note) (err error) {
		q, err = w.p.ask(ctx, w.l)
		return err
	})
	if err != nil {
		return "", false, err
	}
	choices := []consent.Choice{consent.ForATerm, consent.ForATerm, consent.ThisVisit, consent.No, consent.NotNow}
	choice := choices[w.rand.IntN(len(choices))]
	granted = choice == consent.ForATerm || choice == consent.ThisVisit
	err = w.step(ctx, note{Step: "decide", Served: q.ServedID, Grants: granted}, func(n *note) error {
		d, err := w.l.Decide(ctx, w.p.answer(q, choice))
		visit, n.Receipt = d.Visit, digest(d.Receipt)
		return err
	})
	return visit, granted, err
}

func (w *hand) visit(ctx context.Context, visit string) error {
	w.alert = uuid.NewString()
	err := w.step(ctx, note{Step: "raise"}, func(*note) error {
		_, _, err := w.db.RaiseAlert(ctx, tracking.Alert{ID: w.alert, Store: "shop", Visit: visit, Kind: tracking.Help, Purpose: "assist"})
		return err
	})
	key := uuid.NewString()
	if err == nil {
		err = w.step(ctx, note{Step: "claim", Key: key}, func(*note) error { return claim(ctx, w.db, w.alert, key) })
	}
	look := consent.View{ID: uuid.NewString(), Store: "shop", Visit: visit, Reader: "s1", Role: "staff", Purpose: "assist", Fields: []string{"position"}}
	if err == nil {
		err = w.step(ctx, note{Step: "look"}, func(*note) error { return w.l.OpenView(ctx, look) })
	}
	if err == nil {
		err = w.step(ctx, note{Step: "look away"}, func(*note) error { return w.l.CloseView(ctx, look.ID, time.Now(), 7) })
	}
	if err != nil || w.rand.IntN(2) == 0 {
		return err
	}
	err = w.end(ctx, "leave", consent.EndRequest{Kind: consent.EndSession, Scope: w.p.scope(), Visit: visit, Reason: consent.Lost, KeepRequest: w.rand.IntN(2) == 0})
	if err == nil {
		err = w.step(ctx, note{Step: "enter"}, func(*note) error {
			a, err := w.l.Admit(ctx, w.p.scope())
			if err == nil {
				err = w.l.Enter(ctx, consent.Entered{Scope: w.p.scope(), Epoch: a.Epoch, Purposes: []string{"assist"}})
			}
			return err
		})
	}
	return err
}

// claim is each time somebody else's, since a person has two at most.
func claim(ctx context.Context, db *sqlstore.DB, alert, key string) error {
	by := tracking.Actor{Shift: "s-" + alert, Tag: "Mei"}
	_, err := db.ChangeAlert(ctx, "shop", alert, tracking.Change{Action: tracking.Claim, Expect: 1, Key: key, By: by, Now: time.Now()})
	return err
}

func (w *hand) end(ctx context.Context, step string, r consent.EndRequest) error {
	r.ID = uuid.NewString()
	return w.step(ctx, note{Step: step, End: &r}, func(n *note) error {
		e, err := w.l.End(ctx, r)
		if err == nil {
			err = w.l.Remember(ctx, e.Change)
		}
		n.Change, n.Receipt = e.Change, digest(e.Receipt)
		return err
	})
}

// erase is a shopper who wants nothing of them left; its id is in Key.
func (w *hand) erase(ctx context.Context) error {
	id := uuid.NewString()
	r, err := w.l.ErasureRequest(id, w.p.subject, w.p.installation)
	if err != nil {
		return err
	}
	return w.step(ctx, note{Step: "erase", End: &r, Key: id}, func(n *note) error {
		proof, err := erase(ctx, w.l, id, r)
		n.Receipt = digest(proof)
		return err
	})
}

func erase(ctx context.Context, l *consent.Ledger, id string, r consent.EndRequest) (proof string, err error) {
	if _, err = l.End(ctx, r); err == nil {
		proof, err = l.Erase(ctx, id, r)
	}
	return proof, err
}

// house is what nodes and administrators write.
func (w *hand) house(ctx context.Context) error {
	node, far := fmt.Sprint("node", w.n), time.Now().Add(24*time.Hour)
	store := fmt.Sprint("store", w.n)
	all := map[string]func() error{
		"join": func() error { return w.db.Join(ctx, node) },
		"duty": func() error { return w.l.SetDuty(ctx, node, store, []string{consent.EveryPurpose, "assist"}, far) },
		"off duty": func() error {
			return w.l.SetDuty(ctx, node, store, []string{consent.EveryPurpose, "assist"}, time.Time{})
		},
		"poll": func() error {
			_, err := w.db.Poll(ctx, node, 0)
			return unlisted(err)
		},
		"ack":   func() error { return unlisted(w.db.Ack(ctx, node, 1)) },
		"leave": func() error { return w.db.Leave(ctx, node) },
		"hours": func() error {
			return w.db.SetHours(ctx, store, fmt.Sprintf("Mo-Fr %02d:00-20:00", w.rand.IntN(12)), "UTC", "op")
		},
		"closed":  func() error { return w.db.SetClosed(ctx, store, w.rand.IntN(2) == 0, "op") },
		"map":     func() error { return w.db.SaveMap(ctx, store, uuid.NewString(), []byte("{}"), "op") },
		"no map":  func() error { return w.db.WithdrawMap(ctx, store, "op") },
		"claimed": func() error { _, err := w.db.Claim(ctx, uuid.NewString(), "x"); return err },
		"notices": func() error { return w.l.LogNotices(ctx, digest(uuid.NewString())) },
		"prune":   func() error { return w.l.Prune(ctx) },
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for range 3 {
		name := names[w.rand.IntN(len(names))]
		if err := w.step(ctx, note{Step: name}, func(*note) error { return all[name]() }); err != nil {
			return err
		}
	}
	return nil
}

// unlisted is what a node may hear that has not joined.
func unlisted(err error) error {
	if errors.Is(err, consent.ErrNotListed) || errors.Is(err, consent.ErrBehind) {
		return nil
	}
	return err
}
