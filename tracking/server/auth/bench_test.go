// SPDX-License-Identifier: Apache-2.0

package auth

import "testing"

// BenchmarkShopper is what a reconnect storm pays for each token.
func BenchmarkShopper(b *testing.B) {
	w := newWorld(b)
	raw := w.edited(nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := w.tokens.Shopper(b.Context(), raw); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTicket is a ticket from issue to redemption.
func BenchmarkTicket(b *testing.B) {
	c := newClock()
	o := NewOneTime[Ticket](TicketLife, 1<<30, c.Now)
	b.ReportAllocs()
	for b.Loop() {
		secret, _, err := o.Issue(Ticket{Store: "a"})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := o.Redeem(secret); err != nil {
			b.Fatal(err)
		}
		c.Add(TicketLife / 1000)
	}
}
