// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"doorstep/cmd/doorstep/crowd"
)

// The main job, as a stranger runs it: on the store in the binary, and on a real mall with its
// recorded walks. The clients' own counts are what is checked.
func TestDemo(t *testing.T) {
	t.Run("own store", func(t *testing.T) { checkDemo(t) })
	t.Run("real mall", func(t *testing.T) {
		mall := filepath.Join(dataFolder(t), "malls", "hz-xixi-intime")
		checkDemo(t, "--map", mall, "--traces", filepath.Join(mall, "traces"))
	})
}

func checkDemo(t *testing.T, more ...string) {
	out, errs, status := command(t, "", append([]string{"demo", "--for", "30s", "--json", "--walkers", "40"}, more...)...)
	if status != 0 {
		t.Fatalf("exit status %d:\n%s\n%s", status, out, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	last := lines[len(lines)-1]
	var keys map[string]json.RawMessage
	if err := json.Unmarshal([]byte(last), &keys); err != nil {
		t.Fatalf("the last line is not JSON: %v\n%s", err, last)
	}
	for _, key := range []string{"sessions", "fixes_sent", "accepted", "refused", "alerts", "exit_to_hidden_ms", "exit_to_gone_ms",
		"withdraw_to_answer_ms", "withdraw_to_gone_ms", "keys_left", "backend", "cut_off", "withdraw_http_to_answer_ms",
		"exit_by_fix_to_hidden_ms", "exit_by_phone_to_hidden_ms"} {
		if _, ok := keys[key]; !ok {
			t.Errorf("the summary has no %q", key)
		}
	}
	var s crowd.Summary
	if err := json.Unmarshal([]byte(last), &s); err != nil {
		t.Fatal(err)
	}
	if s.KeysLeft != 0 || s.Unsafe != 0 || s.Outside != 0 || len(s.Problems) != 0 {
		t.Errorf("broken promises: %s", last)
	}
	exits := int(s.ExitToSuspended.N)
	if s.Scans != exits+int(s.WithdrawToAnswer.N) || exits != int(s.ExitToGone.N)+s.EndedByTime || exits != int(s.ExitToHidden.N)+s.HiddenBefore {
		t.Errorf("%d scans for %d exits and %d withdrawals; of the exits %d were confirmed and %d ended by time, %d hidden and %d hidden before",
			s.Scans, exits, s.WithdrawToAnswer.N, s.ExitToGone.N, s.EndedByTime, s.ExitToHidden.N, s.HiddenBefore)
	}
	if s.FixToHidden.N+s.PhoneToHidden.N != s.ExitToHidden.N || s.WithdrawSocketToAnswer.N+s.WithdrawHTTPToAnswer.N+s.WithdrawStopToAnswer.N != s.WithdrawToAnswer.N {
		t.Errorf("the parts are not the whole: %s", last)
	}
	for name, n := range map[string]int64{"sessions": int64(s.Sessions), "accepted": int64(s.Accepted), "refused as outside": int64(s.Refused["outside"]),
		"alerts": int64(s.Alerts), "exits": s.ExitToHidden.N, "ends": s.ExitToGone.N, "withdrawals": s.WithdrawToAnswer.N, "gone": s.WithdrawToGone.N,
		"silent reports": int64(s.OutsideSaid), "dots": int64(s.Dots)} {
		if n == 0 { // how many is a matter of the machine
			t.Errorf("no %s: the demonstration did not do its job: %s", name, last)
		}
	}
	if fates := s.Accepted + s.Counted + s.Refused["outside"]; fates > s.FixesSent {
		t.Errorf("%d fates for %d fixes", fates, s.FixesSent)
	}
}

// What is wrong with how it is called is said before anything is started.
func TestDemoIsCalledWrongly(t *testing.T) {
	mall := filepath.Join(dataFolder(t), "malls", "hz-xixi-intime")
	file := filepath.Join(mall, "quality.json")
	for name, c := range map[string]struct {
		args   []string
		status int
		says   string
	}{
		"fewer than none":   {[]string{"--walkers=-7"}, 2, "--walkers -7: choose 0 or more"},
		"the default, said": {[]string{"--walkers=-1"}, 2, "--walkers -1: choose 0 or more"},
		"too short":         {[]string{"--for", "3s"}, 2, "--for 3s"},
		"traces alone":      {[]string{"--traces", mall}, 2, "--map and --traces go together"},
		"no such folder":    {[]string{"--map", mall, "--traces", filepath.Join(mall, "tracks")}, 1, "tracks: no such file or directory: name the folder"},
		"no walks there":    {[]string{"--map", mall, "--traces", filepath.Join(mall, "floors")}, 1, "floors: no recorded walks"},
		"a file":            {[]string{"--map", mall, "--traces", file}, 1, "quality.json: this is a file: name the folder"},
	} {
		out, errs, status := command(t, "", append([]string{"demo", "--redis", "redis://nowhere.invalid:1"}, c.args...)...)
		if status != c.status || out != "" || !strings.Contains(errs, c.says) {
			t.Errorf("%s: exit status %d, %q", name, status, errs)
		}
	}
}
