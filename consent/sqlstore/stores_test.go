// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"doorstep/consent"
	"doorstep/tracking"
)

func TestStoresAreKeptAnnouncedAndAudited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	db := openForTest(t, path)
	ctx := t.Context()
	for i, err := range []error{
		db.SaveMap(ctx, "b", "1", []byte("one"), "ana"),
		db.SaveMap(ctx, "a", "1", []byte{0, 255}, "ana"),
		db.SaveMap(ctx, "b", "1", []byte("one"), "ben"), // nothing new, four times
		db.SetClosed(ctx, "b", true, "ben"),
		db.SetClosed(ctx, "b", true, "ana"),
		db.SetHours(ctx, "b", "Mo-Su 09:00-21:00", "Europe/Berlin", "ben"),
		db.SetHours(ctx, "b", "Mo-Su 09:00-21:00", "Europe/Berlin", "ana"),
		db.SaveMap(ctx, "b", "2", []byte("two"), "ana"),
		db.WithdrawMap(ctx, "a", "ben"),
		db.WithdrawMap(ctx, "a", "ana"),
		db.SetHours(ctx, "c", "24/7", "UTC", "ana"),
		db.SetCards(ctx, "d", `{"cards":[]}`, "ana"),
		db.SetCards(ctx, "d", `{"cards":[]}`, "ben"), // nothing new
		db.SetCards(ctx, "c", "{}", "ana"),
		db.SetCards(ctx, "c", "", "ben"),
		db.SetCards(ctx, "c", "", "ana"), // nothing new
	} {
		if err != nil {
			t.Fatal(i, err)
		}
	}
	got, err := db.Stores(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := []tracking.StoreSetting{
		{Store: "b", Version: "2", Sources: []byte("two"), Hours: "Mo-Su 09:00-21:00", Zone: "Europe/Berlin", Closed: true},
		{Store: "c", Sources: []byte{}, Hours: "24/7", Zone: "UTC"},
		{Store: "d", Sources: []byte{}, Cards: []byte(`{"cards":[]}`)},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("the stores differ:\n%s", d)
	}
	if err := db.Join(ctx, "n1"); err != nil {
		t.Fatal(err)
	}
	f, err := db.Poll(ctx, "n1", 0)
	if err != nil {
		t.Fatal(err)
	}
	told := ""
	for _, e := range f.Entries {
		if e.Kind == consent.EntryStore {
			told += e.Store
		}
	}
	if told != "babbbacdcc" {
		t.Errorf("announced %q", told)
	}
	changes, err := db.StoreChanges(ctx, "b", 10)
	if err != nil {
		t.Fatal(err)
	}
	said := ""
	for _, c := range changes {
		if c.Store != "b" || c.At.IsZero() {
			t.Errorf("%+v", c)
		}
		said += fmt.Sprintf("%s: %s\n", c.By, c.What)
	}
	if said != "ana: map 2\nben: hours \"Mo-Su 09:00-21:00\" in \"Europe/Berlin\"\nben: closed\nana: map 1\n" {
		t.Errorf("audited:\n%s", said)
	}
}
