// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// joinNegatives writes "--level -1" as "--level=-1", which is what somebody means who types it: no
// flag of ours begins with a digit.
func joinNegatives(args []string) []string {
	var out []string
	for _, a := range args {
		last := len(out) - 1
		negative := len(a) > 1 && a[0] == '-' && (a[1] == '.' || a[1] >= '0' && a[1] <= '9')
		if negative && last >= 0 && strings.HasPrefix(out[last], "--") && len(out[last]) > 2 && !strings.Contains(out[last], "=") {
			out[last] += "=" + a
			continue
		}
		out = append(out, a)
	}
	return out
}

// mapPath takes a path as it was typed, so that a message can repeat it; only a leading ~/ is
// replaced. An empty one stays empty: it is not the working directory.
func mapPath(ctx *kong.DecodeContext, target reflect.Value) error {
	if target.Kind() != reflect.Slice {
		var path string
		if err := ctx.Scan.PopValueInto("path", &path); err != nil {
			return err
		}
		target.SetString(atHome(path))
		return nil
	}
	t, err := ctx.Scan.PopValue("path")
	if err != nil {
		return err
	}
	list, ok := t.Value.([]any) // from a settings file
	if !ok {
		for _, path := range kong.SplitEscaped(t.String(), ctx.Value.Tag.Sep) {
			list = append(list, path)
		}
	}
	for _, path := range list {
		target.Set(reflect.Append(target, reflect.ValueOf(atHome(fmt.Sprint(path)))))
	}
	return nil
}

func atHome(path string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		if home, err := os.UserHomeDir(); err == nil {
			return filepath.Join(home, rest)
		}
	}
	return path
}

var durationType = reflect.TypeFor[time.Duration]()

func mapDuration(ctx *kong.DecodeContext, target reflect.Value) error {
	t, err := ctx.Scan.PopValue("duration")
	if err != nil {
		return err
	}
	d, err := time.ParseDuration(t.String())
	if err != nil {
		return fmt.Errorf("%q is not a length of time: write it as 90s, 15m or 8h", t.String())
	}
	target.SetInt(int64(d))
	return nil
}

// mapNumber reads the numbers that flags are: int, uint64 and float64.
func mapNumber(ctx *kong.DecodeContext, target reflect.Value) error {
	t, err := ctx.Scan.PopValue("number")
	if err != nil {
		return err
	}
	text := t.String()
	switch target.Kind() {
	case reflect.Float64:
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		target.SetFloat(v)
	case reflect.Uint64:
		v, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a whole number from 0", text)
		}
		target.SetUint(v)
	default:
		v, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		target.SetInt(int64(v))
	}
	return nil
}

// hostPort refuses what cannot be listened on, and returns the host.
func hostPort(flag, address string) (string, error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return "", wrong("%s %q: not host:port with a port up to 65535: try 127.0.0.1:8080", flag, address)
	}
	return host, nil
}

// openFile opens a file that a flag names.
func openFile(flag, path, remedy string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", flag, path, cause(err), remedy)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s %s: this is a folder: %s", flag, path, remedy)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// nearest is the name that somebody probably meant, or "" if none is near.
func nearest(name string, names []string) string {
	best, least := "", max(1, min(3, len(name)/3))
	for _, n := range slices.Sorted(slices.Values(names)) {
		if d := edits(name, n); d <= least && (best == "" || d < least) {
			best, least = n, d
		}
	}
	return best
}

// edits is how many letters must be put in, left out or exchanged to make b of a (Levenshtein).
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
