// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// configFile names a JSON file of settings: one object, whose members are the flags of the command by
// their names, each a text or a list of texts. What is in it counts where neither a flag nor the
// environment says otherwise. Hyphens may be underscores, and capitals do not matter.
type configFile string

// BeforeResolve is called by kong, once the command is known and before settings are resolved.
func (configFile) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	command := ctx.Selected()
	if command == nil || !slices.Contains(command.Flags, trace.Flag) {
		return nil // from the environment, for another command
	}
	path := atHome(string(ctx.FlagValue(trace.Flag).(configFile)))
	if path == "" {
		return errors.New("--config: empty: name a JSON file of settings, or leave it out")
	}
	settings, err := readConfig(path, command.Flags)
	if err != nil {
		return err
	}
	ctx.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, f *kong.Flag) (any, error) {
		if slices.ContainsFunc(f.Envs, func(name string) bool { _, set := os.LookupEnv(name); return set }) {
			return nil, nil
		}
		return settings[f.Name], nil
	}))
	return nil
}

// readConfig reads the settings in a file by the flags' names: a string, or a []any of strings where a
// flag may be repeated.
func readConfig(path string, flags []*kong.Flag) (map[string]any, error) {
	f, err := openFile("--config", path, "name a JSON file of settings")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("--config %s: %w", path, cause(err))
	}
	r := configReader{path: path, text: text, flags: flags, out: make(map[string]any)}
	return r.out, r.read()
}

type configReader struct {
	path  string
	text  []byte
	flags []*kong.Flag
	out   map[string]any
}

// fault is a mistake at a byte of the file.
func (r *configReader) fault(at int64, format string, args ...any) error {
	before := r.text[:min(int(at), len(r.text))]
	line := 1 + bytes.Count(before, []byte("\n"))
	column := 1 + len([]rune(string(before[bytes.LastIndexByte(before, '\n')+1:])))
	return fmt.Errorf("--config %s:%d:%d: %s", r.path, line, column, fmt.Sprintf(format, args...))
}

// read goes through the file, having made sure that it is JSON, and lists all mistakes at once.
func (r *configReader) read() error {
	var whole json.RawMessage
	if err := json.Unmarshal(r.text, &whole); err != nil {
		return r.broken(err)
	}
	dec := json.NewDecoder(bytes.NewReader(r.text))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return r.fault(0, `not an object: write {"listen": "127.0.0.1:8080"}, and the like`)
	}
	var faults []error
	for dec.More() {
		at := r.skip(dec.InputOffset())
		key, err := dec.Token()
		if err != nil {
			return r.broken(err)
		}
		var value any
		if err := dec.Decode(&value); err != nil {
			return r.broken(err)
		}
		faults = append(faults, r.set(at, fmt.Sprint(key), value))
	}
	return errors.Join(faults...)
}

func (r *configReader) broken(err error) error {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return fmt.Errorf("--config %s: %w", r.path, err)
	}
	at := syntax.Offset - 1
	if at+1 >= int64(len(r.text)) && strings.Contains(err.Error(), "unexpected end") {
		at = int64(len(r.text))
	}
	return r.fault(at, "broken JSON: %v: mend the file there", err)
}

// skip passes what stands between one member and the next.
func (r *configReader) skip(at int64) int64 {
	return at + int64(len(r.text[at:])-len(bytes.TrimLeft(r.text[at:], " \t\r\n,")))
}

func (r *configReader) set(at int64, key string, value any) error {
	f := r.flag(key)
	switch {
	case f == nil:
		return r.fault(at, "%q is not a setting%s", key, r.meant(key))
	case r.out[f.Name] != nil:
		return r.fault(at, "%q is set twice: keep one", key)
	}
	takes := textOf
	if f.Target.Kind() == reflect.Slice {
		takes = listOf
	}
	v, err := takes(f, value)
	if err != nil {
		return r.fault(at, "%q %v", key, err)
	}
	r.out[f.Name] = v
	return nil
}

func textOf(f *kong.Flag, value any) (any, error) {
	text, ok := value.(string)
	switch {
	case !ok && f.Default != "":
		return nil, fmt.Errorf("is %s, and must be a text in quotes, such as %q", kindOf(value), f.Default)
	case !ok:
		return nil, fmt.Errorf("is %s, and must be a text in quotes", kindOf(value))
	case f.Enum != "" && !slices.Contains(f.EnumSlice(), text):
		return nil, fmt.Errorf("is %q, and must be one of %s", text, strings.Join(f.EnumSlice(), ", "))
	}
	return text, nil
}

func listOf(_ *kong.Flag, value any) (any, error) {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, v := range list {
		if _, ok := v.(string); !ok {
			return nil, fmt.Errorf(`holds %s, and must be a text or a list of texts, such as ["one", "two"]`, kindOf(v))
		}
	}
	return list, nil
}

// flag is the flag that a key names. A settings file names no other.
func (r *configReader) flag(key string) *kong.Flag {
	for _, f := range r.flags {
		if strings.EqualFold(bare(f.Name), bare(key)) && f.Name != "config" && f.Name != "help" {
			return f
		}
	}
	return nil
}

func bare(name string) string { return strings.NewReplacer("-", "", "_", "").Replace(name) }

func (r *configReader) meant(key string) string {
	var names []string
	for _, f := range r.flags {
		if f.Name != "config" && f.Name != "help" {
			names = append(names, f.Name)
		}
	}
	if n := nearest(strings.ToLower(key), names); n != "" {
		return fmt.Sprintf(": did you mean %q?", n)
	}
	return ": the settings are the flags' names without the hyphens in front"
}

func kindOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(v)
	case float64:
		return fmt.Sprintf("the number %v", v)
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	}
	return "a text"
}
