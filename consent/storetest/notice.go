// SPDX-License-Identifier: Apache-2.0

package storetest

import (
	"errors"
	"strings"
	"testing"

	"doorstep/consent"
)

var noticeCases = map[string]func(*testing.T, *house){
	"a notice is kept once, with its leaf, and told to the others": func(_ *testing.T, h *house) {
		list := consent.DevelopmentRegistry().Notices()
		h.ok(h.store.KeepNotices(h.ctx, list, "", h.clock.now()))
		h.ok(h.store.KeepNotices(h.ctx, list[:2], "ana", h.clock.now()))
		kept := must(h.store.Notices(h.ctx))(h)
		h.equal("kept", len(kept), len(list))
		h.equal("leaves", must(h.ledger.TreeHead(h.ctx))(h).Size, int64(len(list)))
		feed := h.feed(0)
		h.equal("entries", len(feed), 1)
		h.equal("kind", feed[0].Kind, consent.EntryNotice)
		for _, n := range kept {
			in := false
			for _, m := range list {
				in = in || m.Hash == n.Hash && m.Title == n.Title
			}
			h.equal(n.Name()+" is as it was", in, true)
		}
	},
	"an edited notice is refused, with what came along": func(_ *testing.T, h *house) {
		list := consent.DevelopmentRegistry().Notices()
		h.ok(h.store.KeepNotices(h.ctx, list[:1], "", h.clock.now()))
		edited := list[0]
		edited.Title += "!"
		edited.Hash = strings.Repeat("e", 64)
		err := h.store.KeepNotices(h.ctx, []consent.Notice{list[1], edited}, "", h.clock.now())
		h.wants(err, consent.ErrNoticeEdited)
		h.wants(err, consent.ErrConflict)
		for _, part := range []string{list[0].Name(), list[0].Hash, edited.Hash, "make it version 2"} {
			h.equal("the message names "+part, strings.Contains(err.Error(), part), true)
		}
		h.equal("kept", len(must(h.store.Notices(h.ctx))(h)), 1)
		h.equal("leaves", must(h.ledger.TreeHead(h.ctx))(h).Size, int64(1))
	},
	"a decision that was checked before a publication is refused, and used nothing up": func(_ *testing.T, h *house) {
		h.ok(h.ledger.Bind(h.ctx))
		elsewhere := consent.New(h.store, h.keys, consent.DevelopmentRegistry(), h.clock.now) // a node that has read nothing yet
		p := h.phone("ana", "k1", "shop")
		q := h.ask(p, "assist")
		d := must(elsewhere.Decide(h.ctx, answer(p, q, consent.ForATerm)))(h) // it reads, and then decides
		h.equal("granted", d.Grant != nil, true)

		next := consent.DevelopmentRegistry().Notices()
		for _, n := range next {
			if n.Purpose == "pickup" && n.Lang == "en" {
				n.Version, n.Title = 2, "Another title"
				n = rehashed(h, n)
				q := h.ask(p, "pickup")
				h.ok(h.store.KeepNotices(h.ctx, []consent.Notice{n}, "ana", h.clock.now()))
				if _, err := h.ledger.Decide(h.ctx, answer(p, q, consent.ForATerm)); !errors.Is(err, consent.ErrNotice) {
					h.Fatalf("decided on a notice that was replaced: %v", err)
				}
				h.equal("what is served now", h.ask(p, "pickup").Title, "Another title")
				must(h.store.Served(h.ctx, q.ServedID, h.clock.now()))(h)
			}
		}
	},
}

// rehashed is a notice after an edit, as it would be read.
func rehashed(h *house, n consent.Notice) consent.Notice {
	h.Helper()
	hash, err := n.ComputeHash()
	h.ok(err)
	n.Hash = hash
	return n
}
