// SPDX-License-Identifier: Apache-2.0

package sqlstore_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorstep/consent"
	"doorstep/consent/sqlstore"
)

const (
	kills     = 20
	crashFile = "DOORSTEP_TEST_LEDGER" // set in the child: where its ledger is
)

func isWriter() bool { return os.Getenv(crashFile) != "" }

// writeUntilKilled is the child: it grants and ends without rest, and says so after each end.
func writeUntilKilled() {
	if err := grantAndEnd(context.Background(), os.Getenv(crashFile)); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func grantAndEnd(ctx context.Context, path string) error {
	keys, err := consent.LoadKeys(path + ".keys")
	if err != nil {
		return err
	}
	db, err := sqlstore.Open(ctx, path)
	if err != nil {
		return err
	}
	l := consent.New(db, keys, consent.DevelopmentRegistry(), time.Now)
	for {
		p := shopper(keys, uuid.NewString())
		if err := p.grant(ctx, l); err != nil {
			return err
		}
		r := consent.EndRequest{ID: uuid.NewString(), Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn}
		e, err := l.End(ctx, r)
		if err != nil {
			return err
		}
		fmt.Println(r.ID, p.subject, p.installation, e.Change)
	}
}

// person is one shopper on one phone.
type person struct{ subject, installation consent.Ref }

func shopper(k consent.Keys, name string) person {
	return person{k.Subject(name), k.Installation(name)}
}

func (p person) grant(ctx context.Context, l *consent.Ledger) error {
	q, err := l.Prompt(ctx, consent.PromptRequest{
		Subject: p.subject, Installation: p.installation, App: "app", Store: "shop", Purpose: "assist", Lang: "en", AgeBand: "adult", Opened: true,
	})
	if err != nil {
		return err
	}
	_, err = l.Decide(ctx, consent.DecisionRequest{
		ServedID: q.ServedID, Hash: q.Notice.Hash, Choice: consent.ForATerm, Control: "button", Digest: q.Digest,
		Subject: p.subject, Installation: p.installation, Store: "shop", Purpose: "assist",
	})
	return err
}

// What was acknowledged is there after every kill -9 in the middle of writing, and nothing is there by half.
func TestKilledInMidWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	keys := consent.NewKeys()
	if err := keys.Save(path + ".keys"); err != nil {
		t.Fatal(err)
	}
	order := rand.New(rand.NewPCG(1, 2))
	total, checked := 0, int64(0)
	for range kills {
		lines := runAndKill(t, path, 1+order.IntN(6))
		total += len(lines)
		checked = checkAfterKill(t, path, keys, lines, checked)
	}
	t.Logf("%d kills, %d acknowledged ends, none lost", kills, total)
}

// runAndKill lets the child acknowledge some ends, kills it, and returns all that it had acknowledged.
func runAndKill(t *testing.T, path string, after int) []string {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashFile+"="+path)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for scan := bufio.NewScanner(out); scan.Scan(); {
		if strings.HasPrefix(scan.Text(), "failed:") {
			t.Fatal(scan.Text())
		}
		if lines = append(lines, scan.Text()); len(lines) == after {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || len(lines) < after {
		t.Fatalf("the child ended by itself after %d ends: %v", len(lines), err)
	}
	return lines
}

// checkAfterKill opens the ledger again. Leaves below checked have been looked at; it returns how many there are now.
func checkAfterKill(t *testing.T, path string, keys consent.Keys, lines []string, checked int64) int64 {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	l := consent.New(db, keys, consent.DevelopmentRegistry(), time.Now)
	for _, line := range lines {
		var id string
		var p person
		var change int64
		if _, err := fmt.Sscan(line, &id, &p.subject, &p.installation, &change); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		a, err := l.Admit(t.Context(), consent.Scope{Installation: p.installation, Store: "shop"})
		if err != nil || len(a.Grants) != 0 || a.Epoch != 2 {
			t.Fatalf("an acknowledged end is lost: %+v, %v", a, err)
		}
		e, err := l.End(t.Context(), consent.EndRequest{ID: id, Kind: consent.EndAll, Subject: p.subject, Reason: consent.Withdrawn})
		if err != nil || !e.Repeated || e.Change != change {
			t.Fatalf("the end is not known: %+v, %v", e, err)
		}
	}
	return checkWhole(t, db, checked)
}

// checkWhole holds the tables against each other: no gap in the feed, no leaf missing from the tree.
func checkWhole(t *testing.T, db *sqlstore.DB, checked int64) int64 {
	t.Helper()
	if err := db.Join(t.Context(), "reader"); err != nil {
		t.Fatal(err)
	}
	since, more := int64(0), true
	for more {
		f, err := db.Poll(t.Context(), "reader", since)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range f.Entries {
			if e.Change != since+int64(i)+1 {
				t.Fatalf("change %d follows %d", e.Change, since+int64(i))
			}
		}
		since, more = f.Change, f.More
	}
	head, err := db.TreeHead(t.Context())
	if err != nil || head.Size <= checked {
		t.Fatal(head, err)
	}
	for i := checked; i < head.Size; i++ {
		p, err := db.Proof(t.Context(), i, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Verify(); err != nil {
			t.Fatal(err)
		}
	}
	return head.Size
}
