// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"
)

const registryFile = "registry.json"

// LoadRegistry reads registry.json and notices/*.md, hashes the notices and checks everything. What is
// wrong comes back as a *RegistryError that holds all of it.
func LoadRegistry(fsys fs.FS) (*Registry, error) {
	r, found := readRegistry(fsys, time.Time{})
	return r, refusal(found)
}

// CheckRegistry is LoadRegistry for who writes a registry. It returns warnings too, and holds each store that is listed
// to what MayGoLive asks of it on the day: a server starts on a registry with a store that cannot go live, and
// keeps that one closed; whoever wrote it wants to hear before. The registry is what could be read.
func CheckRegistry(fsys fs.FS, on time.Time) (*Registry, []Finding) { return readRegistry(fsys, on) }

func readRegistry(fsys fs.FS, on time.Time) (*Registry, []Finding) {
	r := &Registry{}
	data, err := fs.ReadFile(fsys, registryFile)
	if err != nil {
		return r, []Finding{{File: registryFile, Says: "cannot be read: " + err.Error(),
			Remedy: "Write one; `doorstep registry init` makes an example to begin with"}}
	}
	m := readMembers(registryFile, data, r)
	c := &checker{reg: r, members: m, on: on, found: m.found}
	sheets := readNotices(fsys, c)
	if len(m.found) == 0 { // what could not be read would be found missing all over
		c.check()
		for _, s := range sheets {
			c.notice(s)
		}
	}
	return r, inOrder(c.found)
}

// readNotices reads all that can be read, and reports the rest.
func readNotices(fsys fs.FS, c *checker) []noticeSheet {
	var sheets []noticeSheet
	names, err := fs.Glob(fsys, "notices/*")
	if err != nil || len(names) == 0 {
		c.found = append(c.found, Finding{File: "notices", Says: "there is no notice", Law: "GDPR 13; PIPL 17",
			Remedy: "Write one for each purpose and language, as notices/*.md"})
	}
	for _, name := range names {
		if path.Ext(name) != ".md" {
			c.found = append(c.found, Finding{File: name, Warning: true, Says: "is not read", Remedy: "Notices are Markdown files: name it *.md, or take it away"})
			continue
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			c.found = append(c.found, Finding{File: name, Says: "cannot be read: " + err.Error(), Remedy: "Make it a file that can be read"})
			continue
		}
		s := readSheet(name, string(text))
		c.found = append(c.found, s.found...)
		if len(s.found) == 0 {
			c.reg.notices = append(c.reg.notices, s.Notice)
		}
		if !s.unread {
			sheets = append(sheets, s)
		}
	}
	return sheets
}

// ParseNotice reads a notice in the form of notices/*.md and hashes it; it is not yet held against a
// registry. The error is a *RegistryError.
func ParseNotice(text []byte) (Notice, error) {
	s := readSheet("notice", string(text))
	return s.Notice, refusal(s.found)
}

// With is the registry with further notices beside its own: those that were published to a running
// server, and those that were in force before. One that is there already is not added twice. ErrNoticeEdited if one has
// the name of another with other words; a *RegistryError if the whole is not fit for use.
func (r *Registry) With(more ...Notice) (*Registry, error) {
	next := *r
	next.notices = append([]Notice(nil), r.notices...)
	for _, n := range more {
		same, ok := find(next.notices, func(x Notice) bool { return x.Name() == n.Name() })
		switch {
		case ok && same.Hash != n.Hash && n.file == "": // it was in force before those words
			return nil, Edited(same, n.Hash)
		case ok && same.Hash != n.Hash:
			return nil, Edited(n, same.Hash)
		case !ok:
			next.notices = append(next.notices, n)
		}
	}
	return &next, next.Check()
}

// Edited is the refusal of a notice whose words are not those that were in force under its name, by the
// hash that they had.
func Edited(n Notice, before string) error {
	where := n.file
	if where == "" {
		where = n.Name()
	}
	return fmt.Errorf("%w: %s: %s was in force with the hash %s and has the hash %s now: bring the old text back, or make it version %d",
		ErrNoticeEdited, where, n.Name(), before, n.Hash, n.Version+1)
}

// Check holds a registry to its rules once more, without its files. The error is a *RegistryError.
func (r *Registry) Check() error {
	c := &checker{reg: r, members: &members{file: registryFile}}
	c.check()
	for _, n := range r.notices {
		file := n.file
		if file == "" {
			file = n.Name()
		}
		c.notice(noticeSheet{Notice: n, file: file})
	}
	return refusal(inOrder(c.found))
}

// Notices are all that are held, the replaced ones too.
func (r *Registry) Notices() []Notice { return append([]Notice(nil), r.notices...) }

// NoticeByHash looks one up, replaced or not.
func (r *Registry) NoticeByHash(hash string) (Notice, bool) {
	return find(r.notices, func(n Notice) bool { return n.Hash == strings.ToLower(hash) })
}

// inForce reports whether a notice is the one that is served for some jurisdiction.
func (r *Registry) inForce(n Notice) bool {
	for _, id := range n.Jurisdictions {
		if now, err := r.Notice(n.Purpose, n.Lang, id); err == nil && now.Hash == n.Hash {
			return true
		}
	}
	return false
}
