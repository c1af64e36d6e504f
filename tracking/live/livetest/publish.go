// SPDX-License-Identifier: Apache-2.0

package livetest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"doorstep/tracking"
)

func testPublish(t *testing.T, f Fixture) {
	both, one := listen(t, f.Live, "nudge", store), listen(t, f.Live, "nudge")
	for i := range 20 {
		for _, c := range []string{"nudge", store, "elsewhere"} {
			if err := f.Live.Publish(t.Context(), c, fmt.Appendf(nil, "%s %d", c, i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, got := range map[string]map[string][]string{"of both": both.all(), "of one": one.all()} {
		for channel, messages := range got {
			// The other listener's end marks arrive too.
			messages = slices.DeleteFunc(messages, func(m string) bool { return m == "end 1" })
			if len(messages) != 20 || messages[0] != channel+" 0" || messages[19] != channel+" 19" {
				t.Errorf("%s, channel %s: %q", name, channel, messages)
			}
		}
		if want := map[string]int{"of both": 2, "of one": 1}[name]; len(got) != want {
			t.Errorf("%s: messages of %d channels, want %d", name, len(got), want)
		}
	}
}

func testShown(t *testing.T, f Fixture) {
	for _, v := range []string{"v1", "v2", "v3", "v4"} {
		register(t, f.Live, v, "a", 0)
	}
	l := listen(t, f.Live, store)
	w := tracking.Written
	write(t, f.Live, results(w, w, w), shown(item("v1", "a", 1, "p1")), item("v2", "a", 1, "hidden"), shown(item("v3", "a", 1, "p3")))
	write(t, f.Live, results(w), item("v4", "a", 1, "not shown"))
	write(t, f.Live, results(w), shown(item("v1", "a", 2, "")))
	got := decoded(t, l.all()[store])
	if want := []string{"v1=p1;v3=p3;", "v1=;"}; !slices.Equal(got, want) {
		t.Errorf("published %q, want %q: one message per batch, in its order", got, want)
	}
}

func testShownOnlyWritten(t *testing.T, f Fixture) {
	register(t, f.Live, "ok", "a", 0)
	register(t, f.Live, "ended", "a", 0)
	register(t, f.Live, "other", "b", 0)
	purge(t, f.Live, "ended")
	l := listen(t, f.Live, store)
	write(t, f.Live, results(tracking.Fenced, tracking.NotOwner, tracking.OutOfOrder, tracking.Missing),
		shown(item("ended", "a", 1, "p")), shown(item("other", "a", 1, "p")), shown(item("ok", "a", 0, "p")), shown(item("unknown", "a", 1, "p")))
	write(t, f.Live, results(tracking.Fenced, tracking.Written), shown(item("ended", "a", 2, "p")), shown(item("ok", "a", 1, "q")))
	got := decoded(t, l.all()[store])
	if want := []string{"ok=q;"}; !slices.Equal(got, want) {
		t.Errorf("published %q, want %q", got, want)
	}
}

func testUnsubscribe(t *testing.T, f Fixture) {
	if err := f.Live.Publish(t.Context(), "nudge", []byte("before")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan string, 100)
	f2 := func(m tracking.Message) { heard <- string(m.Payload) }
	if err := f.Live.Subscribe(ctx, f2, "nudge"); err != nil {
		t.Fatal(err)
	}
	if err := f.Live.Publish(t.Context(), "nudge", []byte("during")); err != nil {
		t.Fatal(err)
	}
	select {
	case m := <-heard:
		if m != "during" {
			t.Errorf("heard %q, want only what was published from then on", m)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("nothing heard within 10 s")
	}
	cancel()
	l := listen(t, f.Live, "nudge")
	if err := f.Live.Publish(t.Context(), "nudge", []byte("after")); err != nil {
		t.Fatal(err)
	}
	if got := l.all()["nudge"]; !slices.Equal(got, []string{"after"}) {
		t.Errorf("the second subscriber heard %q", got)
	}
	if len(heard) != 0 {
		t.Errorf("heard %q after the context's end", <-heard)
	}
}
