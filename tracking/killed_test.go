// SPDX-License-Identifier: Apache-2.0

package tracking_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
	"doorstep/consent/storetest"
)

// kills is how often each step is died at: 20 make two hundred deaths.
var kills = flag.Int("kills", 1, "how often a node is killed at each step of an end")

// The environment of a node that is to die.
const (
	dieAt     = "DOORSTEP_TEST_DIE_AT" // an operation and when: "purge before"
	dieLedger = "DOORSTEP_TEST_DIE_LEDGER"
	dieRedis  = "DOORSTEP_TEST_DIE_REDIS"
	dieFolder = "DOORSTEP_TEST_DIE_FOLDER" // of the keys
	dieEnd    = "DOORSTEP_TEST_DIE_END"    // the id of the end
)

const answeredWord = "the end was answered\n"

// steps are what a node does to end something, each before it has done it and after.
var steps = []string{"end before", "end after", "answer after", "publish before", "publish after", "purge before", "purge after"}

// ofTheLedger are how many of them are about the ledger, and tried on both databases.
const ofTheLedger = 3

// A node is killed at every step of an end. If it was answered, it is true; if not, another node carries it out under the
// same id, once, and nothing is left of the visit.
func TestKilledAtEveryStep(t *testing.T) {
	if step := os.Getenv(dieAt); step != "" {
		endAndDie(t, step)
		return
	}
	for name, ledger := range map[string]func(testing.TB) string{"sqlite": storetest.SQLiteFile, "postgres": storetest.PostgresURL} {
		for i, step := range steps {
			if name == "postgres" && i >= ofTheLedger {
				break
			}
			t.Run(name+", "+step, func(t *testing.T) {
				t.Parallel()
				redis := startRedis(t).URL()
				for n := range *kills {
					t.Run(fmt.Sprint(n+1), func(t *testing.T) { dieOnce(t, step, ledger(t), redis) })
				}
			})
		}
	}
}

// doomed is the house of the node that is to die, or of the one after it: the same keys, ledger and live state.
func doomed(t *testing.T, folder, ledger, redis string) *house {
	t.Helper()
	file := filepath.Join(folder, "keys.json")
	if _, err := os.Stat(file); err != nil {
		if err := consent.NewKeys().Save(file); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := consent.LoadKeys(file)
	if err != nil {
		t.Fatal(err)
	}
	return newHouseOn(t, openRedis(t, redis), keys, func(t testing.TB, now func() time.Time) *sqlstore.DB {
		db, err := sqlstore.Open(t.Context(), ledger, sqlstore.WithClock(now), sqlstore.WithKeyring(filepath.Join(folder, "keyring.json")))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	})
}

func dieOnce(t *testing.T, step, ledger, redis string) {
	folder := t.TempDir()
	id := uuid.NewString()
	child := exec.Command(os.Args[0], "-test.run=^TestKilledAtEveryStep$")
	child.Env = append(os.Environ(), dieAt+"="+step, dieLedger+"="+ledger, dieRedis+"="+redis, dieFolder+"="+folder, dieEnd+"="+id)
	var said bytes.Buffer
	child.Stdout, child.Stderr = &said, &said
	err := child.Run()
	if died, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || !died.Signaled() || died.Signal() != syscall.SIGKILL {
		t.Fatalf("it did not die at that: %v\n%s", err, said.String())
	}
	answered := strings.Contains(said.String(), answeredWord)
	if want := step == "answer after"; answered != want {
		t.Fatalf("answered: %v", answered)
	}

	h := doomed(t, folder, ledger, redis)
	ana := h.shopper("ana")
	before := must(h.ledger.Admit(h.Context(), ana.scope))(h)
	visit := h.ledger.Visit(ana.scope, 1)
	if committed := step != "end before"; committed != (len(before.Grants) == 0) {
		t.Fatalf("after %q there are %d grants", step, len(before.Grants))
	}
	if !answered {
		r := ana.stop(consent.EndStore)
		r.ID = id
		n := h.start("b")
		a := must(n.End(h.Context(), r))(h)
		equal(h, "repeated", a.Ending.Repeated, step != "end before")
		equal(h, "ends", len(a.Ending.Ends), 1)
		equal(h, "the visit", a.Ending.Ends[0].Visit, visit)
	}
	equal(h, "grants", len(must(h.ledger.Admit(h.Context(), ana.scope))(h).Grants), 0)
	found := must(h.live.Read(h.Context(), shop, []string{visit}))(h)
	equal(h, "positions", len(found), 0)
}

// endAndDie is the child: a visit, and its end, in the middle of which it kills itself.
func endAndDie(t *testing.T, step string) {
	h := doomed(t, os.Getenv(dieFolder), os.Getenv(dieLedger), os.Getenv(dieRedis))
	n := h.start("a")
	h.join(n, shop, "mei")
	ana := h.shopper("ana", "assist")
	v := ana.open(n)
	h.until("inside, and written", func() bool { v.at(desk()); return v.payload() != nil })
	die := func() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	op, when, _ := strings.Cut(step, " ")
	dieIn := func(next func() error) error {
		if when == "before" {
			die()
		}
		_ = next()
		die()
		return nil
	}
	n.ledger.around("end", func(next func() error) error {
		if op == "end" {
			return dieIn(next)
		}
		err := next()
		n.live.around(op, dieIn) // from the commit on: something else may have been said before
		return err
	})
	r := ana.stop(consent.EndStore)
	r.ID = os.Getenv(dieEnd)
	if _, err := n.End(h.Context(), r); err != nil {
		t.Fatal(err)
	}
	_, _ = os.Stdout.WriteString(answeredWord)
	die()
}
