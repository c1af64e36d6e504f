// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/sqlstore/postgresserver"
	"doorstep/consent/storetest"
)

// person is one shopper on one phone.
type person struct{ subject, installation consent.Ref }

// MarshalText writes a person into a line.
func (p person) MarshalText() ([]byte, error) { return []byte(p.subject + " " + p.installation), nil }

// UnmarshalText reads one back.
func (p *person) UnmarshalText(text []byte) error {
	subject, installation, _ := strings.Cut(string(text), " ")
	*p = person{consent.Ref(subject), consent.Ref(installation)}
	return nil
}

func shopper(k consent.Keys, name string) person {
	return person{k.Subject(name), k.Installation(name)}
}

func (p person) scope() consent.Scope {
	return consent.Scope{Installation: p.installation, Store: "shop"}
}

func (p person) ask(ctx context.Context, l *consent.Ledger) (consent.Prompt, error) {
	return l.Prompt(ctx, consent.PromptRequest{
		Subject: p.subject, Installation: p.installation, App: "app", Store: "shop", Purpose: "assist", Lang: "en", AgeBand: "adult", Opened: true,
	})
}

func (p person) answer(q consent.Prompt, c consent.Choice) consent.DecisionRequest {
	return consent.DecisionRequest{
		ServedID: q.ServedID, Hash: q.Notice.Hash, Choice: c, Control: "button", Digest: q.Digest,
		Subject: p.subject, Installation: p.installation, Store: "shop", Purpose: "assist",
	}
}

func (p person) grant(ctx context.Context, l *consent.Ledger) error {
	q, err := p.ask(ctx, l)
	if err == nil {
		_, err = l.Decide(ctx, p.answer(q, consent.ForATerm))
	}
	return err
}

// digest stands for a receipt in a line.
func digest(text string) string {
	if text == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// crash is a ledger whose writers are killed.
type crash struct {
	dsn, keyFile string
	keys         consent.Keys
	rand         *rand.Rand
	server       *postgresserver.Server // nil for SQLite
	acknowledged int
	ended        []note // what was acknowledged of every shopper whose story is over
}

func newCrash(t *testing.T, dsn string) *crash {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	c := &crash{dsn: dsn, keyFile: filepath.Join(t.TempDir(), "keys.json"), keys: consent.NewKeys(), rand: rand.New(rand.NewPCG(seed, 0))}
	if err := c.keys.Save(c.keyFile); err != nil {
		t.Fatal(err)
	}
	return c
}

// Whatever was acknowledged is there after every kill -9 in the middle of writing, and nothing is there by half.
func TestKilledInMidWrite(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		c := newCrash(t, filepath.Join(t.TempDir(), "ledger.db"))
		c.run(t, 3, killWriter)
		c.run(t, 7, killItself)
		c.checkAll(t)
	})
	t.Run("postgres", func(t *testing.T) {
		c := newCrash(t, storetest.PostgresURL(t))
		c.server = storetest.PostgresServer(t)
		c.run(t, 2, killWriter)
		c.run(t, 5, killItself)
		c.run(t, 3, killServer)
		c.checkAll(t)
	})
}

// kill is who dies, and of what.
type kill int

const (
	killWriter kill = iota // the writing process, at a random time
	killItself             // the writing process, at a random statement
	killServer             // PostgreSQL, at a random time
)

func (c *crash) run(t *testing.T, times int, k kill) {
	for range times {
		c.check(t, c.writeAndKill(t, k))
	}
	t.Logf("killed %d times; %d acknowledged writes so far, %d stories told to their end", times, c.acknowledged, len(c.ended))
}

// writeAndKill lets a child write until it, or its server, is killed. It returns the last two lines of each hand:
// what was acknowledged last, and what was under way.
func (c *crash) writeAndKill(t *testing.T, k kill) map[int][]note {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashLedger+"="+c.dsn, crashKeys+"="+c.keyFile, fmt.Sprintf("%s=%d", crashSeed, c.rand.Uint64()))
	after, lines := 1+c.rand.IntN(80), 0
	if k == killItself {
		child.Env = append(child.Env, fmt.Sprintf("%s=%d", crashAt, 1+c.rand.IntN(700)))
	}
	if k != killServer { // which the child complains about
		child.Stderr = os.Stderr
	}
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	last := map[int][]note{}
	for scan := bufio.NewScanner(out); scan.Scan(); {
		var n note
		if err := json.Unmarshal(scan.Bytes(), &n); err != nil {
			t.Fatalf("%q: %v", scan.Text(), err)
		}
		c.take(last, n)
		if lines++; lines != after {
			continue
		}
		switch k {
		case killWriter:
			_ = child.Process.Kill()
		case killServer:
			c.restartServer(t)
		}
	}
	err = child.Wait()
	if died := err != nil && err.Error() == "signal: killed"; died != (k != killServer) {
		t.Fatalf("the child ended by itself after %d lines: %v", lines, err)
	}
	return last
}

// take keeps of a hand's lines what can still be checked.
func (c *crash) take(last map[int][]note, n note) {
	if n.Done {
		c.acknowledged++
		if last[n.Hand] = []note{n}; n.Step == "end" || n.Step == "erase" {
			c.ended = append(c.ended, n)
		}
		return
	}
	if kept := last[n.Hand]; len(kept) > 0 && kept[0].Person == n.Person {
		last[n.Hand] = []note{kept[0], n}
	} else {
		last[n.Hand] = []note{n}
	}
}

// restartServer kills the server under the writer, which then fails, and starts it anew.
func (c *crash) restartServer(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c.server.Kill()
	if err := c.server.Restart(ctx); err != nil {
		t.Error(err)
	}
}

// check opens the ledger again and looks at what was written last, and at the whole.
func (c *crash) check(t *testing.T, last map[int][]note) {
	t.Helper()
	c.reopen(t, func(db *sqlstore.DB, l *consent.Ledger) {
		checkWhole(t, db)
		for _, notes := range last {
			c.checkHand(t, db, l, notes)
		}
	})
}

// checkAll looks at everything that was ever acknowledged.
func (c *crash) checkAll(t *testing.T) {
	t.Helper()
	c.reopen(t, func(db *sqlstore.DB, l *consent.Ledger) {
		for _, n := range c.ended {
			c.checkEnded(t, l, n)
		}
		checkWhole(t, db)
	})
}

func (c *crash) reopen(t *testing.T, look func(*sqlstore.DB, *consent.Ledger)) {
	t.Helper()
	if c.server != nil {
		if err := c.server.Exec(t.Context(), "postgres", waitForNobody); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sqlstore.Open(t.Context(), c.dsn, sqlstore.WithKeyring(c.keyFile+"ring"))
	if err != nil {
		t.Fatal(err)
	}
	look(db, consent.New(db, c.keys, consent.DevelopmentRegistry(), time.Now))
	if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// waitForNobody lasts until the server has noticed that all its clients are gone: what they had begun to commit
// is committed then, and the rest is not.
const waitForNobody = `DO $$ BEGIN
	WHILE EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = 'doorstep') LOOP
		PERFORM pg_sleep(0.002);
		PERFORM pg_stat_clear_snapshot();
	END LOOP; END $$`

// checkEnded holds a story that was told to its end against the ledger.
func (c *crash) checkEnded(t *testing.T, l *consent.Ledger, n note) {
	t.Helper()
	a, err := l.Admit(t.Context(), n.Person.scope())
	if err != nil || len(a.Grants) != 0 {
		t.Errorf("an acknowledged end is lost: %+v, %v", a, err)
	}
	if n.Step == "erase" {
		if proof, err := l.Erasure(t.Context(), n.Key, *n.End); err != nil || digest(proof) != n.Receipt {
			t.Errorf("an erasure is not known as it was: %v", err)
		}
		return
	}
	e, err := l.End(t.Context(), *n.End)
	if err != nil || !e.Repeated || e.Change != n.Change || digest(e.Receipt) != n.Receipt {
		t.Errorf("an end is not known as it was: %+v, %v", e, err)
	}
}

// checkHand: what was acknowledged last can be seen as it was, unless what was under way has happened, and that
// has happened once and whole.
func (c *crash) checkHand(t *testing.T, db *sqlstore.DB, l *consent.Ledger, notes []note) {
	t.Helper()
	ctx, under := t.Context(), notes[len(notes)-1]
	before := "epoch 0, 0 views, 0 closed, grants"
	if notes[0].Done {
		before = notes[0].Seen
	}
	now, err := seen(ctx, db, l, under.Person, under.Alert)
	if err != nil {
		t.Fatal(err)
	}
	happened, err := c.happened(ctx, db, l, under)
	switch {
	case err != nil:
		t.Errorf("%s was under way: %v", under.Step, err)
	case happened == nil || !*happened:
		if now != before && (happened != nil || under.Done) {
			t.Errorf("after %s (acknowledged: %v)\nseen before: %s\nand now:     %s", under.Step, under.Done, before, now)
		}
	case now == before:
		t.Errorf("%s happened by half: nothing of it is to be seen in %s", under.Step, now)
	}
}

// happened finds out whether a step that was under way has happened; nil if it leaves nothing to tell by. A step
// with an id is repeated under that id, and must not happen twice.
func (c *crash) happened(ctx context.Context, db *sqlstore.DB, l *consent.Ledger, n note) (*bool, error) {
	yes, no := true, false
	switch {
	case n.Done:
		return nil, nil
	case n.Step == "decide":
		_, err := db.Served(ctx, n.Served, time.Now())
		switch {
		case err == nil:
			return &no, nil
		case errors.Is(err, consent.ErrServed) && n.Grants:
			return &yes, nil
		case errors.Is(err, consent.ErrServed):
			return nil, nil
		}
		return nil, err
	case n.Step == "erase":
		_, err := erase(ctx, l, n.Key, *n.End)
		return nil, err
	case n.End != nil:
		e, err := l.End(ctx, *n.End)
		if err == nil && !e.Repeated {
			return &no, nil
		}
		if err == nil && len(e.Ends) == 0 {
			return nil, nil // there was nothing to end
		}
		return &yes, err
	case n.Step == "claim":
		if err := claim(ctx, db, n.Alert, n.Key); err != nil {
			return nil, err
		}
		list, _, err := db.Alerts(ctx, "shop")
		for _, a := range list {
			if a.ID == n.Alert && a.Version != 2 {
				return nil, fmt.Errorf("it was claimed more than once: %+v", a)
			}
		}
		return nil, err
	}
	return nil, nil
}
