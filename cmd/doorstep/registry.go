// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"doorstep/consent"
)

type registryCmd struct {
	Init   registryInitCmd   `cmd:"" help:"Write an example registry to begin with: notices in English, Chinese and Arabic."`
	Check  registryCheckCmd  `cmd:"" help:"Check a registry: what is missing, where, which law wants it, and what to write."`
	Rules  registryRulesCmd  `cmd:"" help:"Print the public rules page that a server on this registry shows."`
	Record registryRecordCmd `cmd:"" help:"Print the record of processing activities (GDPR 30), generated from the registry."`
}

// registryDir is a registry to work on.
type registryDir struct {
	Dir string `arg:"" name:"dir" help:"Folder with registry.json and notices/*.md."`
}

// open is the folder, if it can be one.
func (d registryDir) open() (fs.FS, error) {
	if err := isRegistryDir(d.Dir); err != nil {
		return nil, err
	}
	return os.DirFS(d.Dir), nil
}

const registryRemedy = "name a folder with registry.json and notices/*.md in it; `doorstep registry init` writes an example"

// isRegistryDir tells early and plainly what is not even a folder.
func isRegistryDir(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("%s: %w: %s", dir, cause(err), registryRemedy)
	}
	if !info.IsDir() {
		return fmt.Errorf("%s: this is a file: %s", dir, registryRemedy)
	}
	if _, err := os.Stat(filepath.Join(dir, "registry.json")); err != nil {
		return fmt.Errorf("%s: registry.json: %w: %s", dir, cause(err), registryRemedy)
	}
	return nil
}

type registryCheckCmd struct {
	registryDir
	On   string `help:"The day for which it is checked, as 2026-05-31: which assessments count then, and which are due (default: today)." placeholder:"DAY"`
	JSON bool   `name:"json" help:"Print the findings as JSON, for programs."`
}

// day is the time for which to check.
func (c *registryCheckCmd) day() (time.Time, error) {
	if c.On == "" {
		return time.Now(), nil
	}
	on, err := time.Parse(time.DateOnly, c.On)
	if err != nil {
		return on, wrong("--on %s: no day: write it as 2026-05-31", c.On)
	}
	return on, nil
}

// Run prints all findings and fails if one of them is an error.
func (c *registryCheckCmd) Run(s streams) error {
	on, err := c.day()
	if err != nil {
		return err
	}
	files, err := c.open()
	if err != nil {
		return err
	}
	reg, found := consent.CheckRegistry(files, on)
	wrong := 0
	for _, f := range found {
		if !f.Warning {
			wrong++
		}
	}
	if c.JSON {
		if found == nil {
			found = []consent.Finding{}
		}
		out := json.NewEncoder(s.out)
		out.SetEscapeHTML(false)
		out.SetIndent("", " ")
		if err := out.Encode(map[string]any{"ok": wrong == 0, "findings": found}); err != nil {
			return err
		}
	} else {
		for _, f := range found {
			fmt.Fprintln(s.out, f)
		}
	}
	if wrong > 0 {
		return fmt.Errorf("%s: %s to mend", c.Dir, count(wrong, "thing"))
	}
	if !c.JSON {
		fmt.Fprintf(s.out, "%s: ok: %s, %s, %s, %s\n", c.Dir, count(len(reg.Purposes), "purpose"), count(len(reg.Notices()), "notice"),
			count(len(reg.Jurisdictions), "jurisdiction"), count(len(reg.Stores), "store"))
		if reg.Trying != "" {
			fmt.Fprintln(s.out, "It is for trying only: no server with real shoppers starts on it. Take for_trying_only out, and list your stores, when it is yours.")
		}
	}
	return nil
}

type registryInitCmd struct {
	Dir string `arg:"" name:"dir" help:"Folder to make; it must not be there, or be empty."`
}

// Run copies the example. It writes over nothing.
func (c *registryInitCmd) Run(s streams) error {
	list, err := os.ReadDir(c.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w: name a folder to make", c.Dir, cause(err))
	}
	if len(list) > 0 {
		return fmt.Errorf("%s: there is something in it already: name a folder to make, nothing is written over", c.Dir)
	}
	if err := os.CopyFS(c.Dir, consent.DevelopmentFiles()); err != nil {
		return fmt.Errorf("%s: %w: name a folder that can be written", c.Dir, cause(err))
	}
	fmt.Fprintf(s.out, `%[1]s: an example, with notices in English, Chinese and Arabic.
Next, in %[1]s/registry.json: the controller, the jurisdictions, and your stores with their impact assessments; take for_trying_only out.
Then the notices, %[1]s/notices/*.md: have them read by a lawyer and by somebody who speaks the language.
Then: doorstep registry check %[1]s
`, strings.TrimSuffix(c.Dir, "/"))
	return nil
}

type registryRulesCmd struct {
	registryDir
	Lang string `help:"en, zh or ar; without it the first that the registry has."`
}

// Run prints the page as a server would answer it.
func (c *registryRulesCmd) Run(s streams) error {
	reg, lang, err := c.read(c.Lang)
	if err != nil {
		return err
	}
	b, err := reg.RulesPage(lang)
	if err != nil {
		return err
	}
	_, err = s.out.Write(b)
	return err
}

type registryRecordCmd struct {
	registryDir
	Lang   string `help:"en, zh or ar; without it the first that the registry has."`
	Format string `default:"md" enum:"md,html,json" help:"md, html or json."`
}

// Run prints the record of processing.
func (c *registryRecordCmd) Run(s streams) error {
	reg, lang, err := c.read(c.Lang)
	if err != nil {
		return err
	}
	record := reg.ProcessingRecord(lang)
	switch c.Format {
	case "json":
		out := json.NewEncoder(s.out)
		out.SetEscapeHTML(false)
		out.SetIndent("", " ")
		return out.Encode(record)
	case "html":
		b, err := record.HTML()
		if err != nil {
			return err
		}
		_, err = s.out.Write(b)
		return err
	}
	_, err = fmt.Fprint(s.out, record.Markdown())
	return err
}

// read loads a registry that must be fit for use, and finds the language to print it in.
func (d registryDir) read(lang string) (*consent.Registry, string, error) {
	files, err := d.open()
	if err != nil {
		return nil, "", err
	}
	reg, err := consent.LoadRegistry(files)
	if err != nil {
		return nil, "", err
	}
	if langs := reg.PageLangs(); lang != "" && !slices.Contains(langs, lang) {
		return nil, "", wrong("--lang %s: there are no pages in it: choose one of %s", lang, strings.Join(langs, ", "))
	}
	return reg, reg.PageLang(lang, ""), nil
}
