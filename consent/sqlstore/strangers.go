// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"slices"
	"strconv"
	"strings"
)

// Whoever was asked, or has decided, has a row as long as anything refers to it, and a phone's row in a store holds the epoch of
// its visits. With the last that is kept of somebody those go too: then they are a stranger, and nothing tells that they were here.

// forgottenAtOnce is how many people are looked at each time that the ledger is pruned, so that nothing waits for it.
const forgottenAtOnce = 500

// afterHandles comes after each handle, which is in hex, in whatever order a database sorts text.
const afterHandles = "zzzz"

// forgetStrangers forgets of whom nothing else is kept, among the next few.
func (t *tx) forgetStrangers() error {
	var from, to string
	var n int64
	err := t.row(`SELECT value FROM setting WHERE name = 'forgotten_to'`).into(&from)
	if err == nil {
		err = t.row(`SELECT COUNT(*), COALESCE(MAX(handle), '') FROM (SELECT handle FROM person WHERE handle > $1 ORDER BY handle LIMIT $2) p`,
			from, forgottenAtOnce).into(&n, &to)
	}
	if err != nil {
		return err
	}
	next := to
	if n < forgottenAtOnce { // those were the last: it begins anew
		to, next = afterHandles, ""
	}
	if err := t.forgetScopes(from, to); err != nil {
		return err
	}
	if _, err := t.exec(`DELETE FROM person WHERE handle > $1 AND handle <= $2 AND `+nothingOf, from, to); err != nil || next == from {
		return err
	}
	return t.set("forgotten_to", next)
}

// forgetScopes forgets what phones between two handles had in stores where nothing is kept of them, and remembers how far they had come.
func (t *tx) forgetScopes(from, to string) error {
	const between = `scope.installation > $1 AND scope.installation <= $2 AND `
	var highest int64
	err := t.row(`SELECT COALESCE(MAX(epoch), 0) FROM scope WHERE `+between+nothingIn, from, to).into(&highest)
	if err != nil || highest == 0 {
		return err
	}
	before, err := forgottenEpoch(t.row)
	if err == nil && highest > before {
		err = t.set("forgotten_epoch", strconv.FormatInt(highest, 10))
	}
	if err == nil {
		_, err = t.exec(`DELETE FROM scope WHERE `+between+nothingIn, from, to)
	}
	return err
}

func (t *tx) set(name, value string) error {
	_, err := t.exec(`UPDATE setting SET value = $2 WHERE name = $1`, name, value)
	return err
}

// forgottenEpoch is the highest epoch of all that was forgotten.
func forgottenEpoch(ask asker) (n int64, err error) {
	err = ask(`SELECT CAST(value AS BIGINT) FROM setting WHERE name = 'forgotten_epoch'`).into(&n)
	return n, err
}

// unindexed are the tables that cannot be asked for one person: so few rows are in them that all are read, once for all who are looked at.
var unindexed = []string{"motion"}

// nothingOf is true of a person whose handle is nowhere. Of erasures those count that are not done.
var nothingOf = func() string {
	list := []string{`handle NOT IN (SELECT subject FROM erasure WHERE done_at = 0)`}
	for _, p := range personal {
		if slices.Contains(unindexed, p.table) {
			list = append(list, `handle NOT IN (SELECT subject FROM `+p.table+`)`)
		} else {
			list = append(list, `NOT EXISTS (SELECT 1 FROM `+p.table+` WHERE subject = person.handle)`)
		}
	}
	for _, table := range phoneTables {
		list = append(list, `NOT EXISTS (SELECT 1 FROM `+table+` WHERE installation = person.handle)`)
	}
	return strings.Join(list, " AND ")
}()

// nothingIn is true of a scope without a decision, a notice that waits for one, a stop token or an alert.
var nothingIn = func() string {
	var list []string
	for _, table := range slices.DeleteFunc(slices.Clone(phoneTables), func(table string) bool { return table == "scope" }) {
		list = append(list, `NOT EXISTS (SELECT 1 FROM `+table+` o WHERE o.installation = scope.installation AND o.store = scope.store)`)
	}
	return strings.Join(list, " AND ")
}()
