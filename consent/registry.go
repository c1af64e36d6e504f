// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"
)

// Registry is what a deployment declares: whose it is, what it collects, why, who reads it and how
// long it is kept, by which law, and the notices that say so. What is not in it is refused, and what
// is published is generated from it. It is immutable once loaded, and safe for concurrent use.
type Registry struct {
	Controller    Controller     `json:"controller"`
	Purposes      []Purpose      `json:"purposes"`
	DataTypes     []DataType     `json:"data_types"`
	Recipients    []Recipient    `json:"recipients"`
	Storage       []string       `json:"storage_locations"`
	Jurisdictions []Jurisdiction `json:"jurisdictions"`
	Default       string         `json:"default_jurisdiction"` // for a request that names none
	Withdrawal    string         `json:"withdrawal_method"`
	ProofDays     int            `json:"proof_days"` // how long a record and its receipt prove something
	notices       []Notice
}

// Controller is who decides, and answers for it.
type Controller struct {
	ID      string `json:"id"` // a URI; the issuer of receipts
	Name    string `json:"name"`
	Contact string `json:"contact"`
}

// Purpose is one thing to decide about.
type Purpose struct {
	ID         string            `json:"id"`
	Title      map[string]string `json:"title"` // by language
	Location   bool              `json:"location"`
	Data       []string          `json:"data"`       // ids of data types
	Recipients []string          `json:"recipients"` // ids of recipients
	TermDays   int               `json:"term_days"`  // life of a grant "for a term"
	VisitHours int               `json:"visit_hours"`
}

// DataType is a kind of datum, with the frame fields that carry it and how long it is kept.
type DataType struct {
	ID        string            `json:"id"`
	Title     map[string]string `json:"title"`
	Fields    []string          `json:"fields"`
	Retention string            `json:"retention"` // ISO 8601 duration
}

// Recipient is a kind of reader.
type Recipient struct {
	ID    string            `json:"id"`
	Title map[string]string `json:"title"`
}

// Jurisdiction holds what the law of a place sets.
type Jurisdiction struct {
	ID                string   `json:"id"`
	MinAge            int      `json:"min_age"`
	QuietRefusedDays  int      `json:"quiet_refused_days"`  // no prompt for so long after a no
	QuietDeferredDays int      `json:"quiet_deferred_days"` // and after a not now
	MaxTermDays       int      `json:"max_term_days"`
	Authority         string   `json:"authority"`        // where to complain
	Covers            []string `json:"covers,omitempty"` // topics that a notice must cover here, beyond the usual ones
}

// LoadRegistry reads registry.json and notices/*.json, hashes the notices and checks everything.
// Unknown members are refused: a misspelt one would switch something off silently.
func LoadRegistry(fsys fs.FS) (*Registry, error) {
	r := &Registry{}
	if err := readJSON(fsys, "registry.json", r); err != nil {
		return nil, err
	}
	names, err := fs.Glob(fsys, "notices/*.json")
	if err != nil {
		return nil, fmt.Errorf("consent registry: %w", err)
	}
	for _, name := range names {
		var n Notice
		if err := readJSON(fsys, name, &n); err != nil {
			return nil, err
		}
		if n.Hash, err = n.computeHash(); err != nil {
			return nil, fmt.Errorf("consent registry: %s: %w", name, err)
		}
		r.notices = append(r.notices, n)
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	return r, nil
}

func readJSON(fsys fs.FS, name string, into any) error {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return fmt.Errorf("consent registry: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("consent registry: %s%s: %w", name, lineOf(data, err), err)
	}
	if dec.More() {
		return fmt.Errorf("consent registry: %s: there is more than one JSON value in it", name)
	}
	return nil
}

// lineOf is ", line N" for a mistake whose place in data is known, or nothing.
func lineOf(data []byte, err error) string {
	at := 0
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = int(syntax.Offset)
	case errors.As(err, &kind):
		at = int(kind.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		at = len(data)
	default:
		return ""
	}
	return fmt.Sprintf(", line %d", 1+bytes.Count(data[:min(at, len(data))], []byte("\n")))
}

// Purpose looks one up.
func (r *Registry) Purpose(id string) (Purpose, bool) {
	return find(r.Purposes, func(p Purpose) bool { return p.ID == id })
}

// Jurisdiction looks one up; the empty id means the default one.
func (r *Registry) Jurisdiction(id string) (Jurisdiction, bool) {
	if id == "" {
		id = r.Default
	}
	return find(r.Jurisdictions, func(j Jurisdiction) bool { return j.ID == id })
}

func (r *Registry) dataType(id string) (DataType, bool) {
	return find(r.DataTypes, func(d DataType) bool { return d.ID == id })
}

func (r *Registry) recipient(id string) (Recipient, bool) {
	return find(r.Recipients, func(x Recipient) bool { return x.ID == id })
}

func find[T any](list []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(list, is); i >= 0 {
		return list[i], true
	}
	var none T
	return none, false
}

// Fields are the frame fields that the purposes declare, sorted: what may be collected for them.
func (r *Registry) Fields(purposes ...string) []string {
	var out []string
	for _, id := range purposes {
		p, _ := r.Purpose(id)
		for _, d := range p.Data {
			t, _ := r.dataType(d)
			out = append(out, t.Fields...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Notice is the one to serve: the newest version of a purpose in a language, for a jurisdiction.
// ErrPurpose, ErrJurisdiction or ErrLanguage if there is none.
func (r *Registry) Notice(purpose, lang, jurisdiction string) (Notice, error) {
	if _, ok := r.Purpose(purpose); !ok {
		return Notice{}, fmt.Errorf("%w: %q", ErrPurpose, purpose)
	}
	j, ok := r.Jurisdiction(jurisdiction)
	if !ok {
		return Notice{}, fmt.Errorf("%w: %q", ErrJurisdiction, jurisdiction)
	}
	var best *Notice
	for i, n := range r.notices {
		if n.Purpose == purpose && n.Lang == lang && slices.Contains(n.Jurisdictions, j.ID) && (best == nil || n.Version > best.Version) {
			best = &r.notices[i]
		}
	}
	if best == nil {
		return Notice{}, fmt.Errorf("%w: %q for %s in %s", ErrLanguage, lang, purpose, j.ID)
	}
	return *best, nil
}

// Term is how long a grant lives: for a choice, by the purpose, at most what the jurisdiction allows.
func (r *Registry) Term(p Purpose, j Jurisdiction, c Choice) time.Duration {
	if c == ThisVisit {
		return time.Duration(p.VisitHours) * time.Hour
	}
	return days(min(p.TermDays, j.MaxTermDays))
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// Published is the registry with the hash of every notice, as canonical JSON: the rules that
// anybody may read, generated from those that are enforced (brief, 17).
func (r *Registry) Published() ([]byte, error) {
	type ref struct {
		ID            string   `json:"id"`
		Version       int      `json:"version"`
		Lang          string   `json:"lang"`
		Purpose       string   `json:"purpose"`
		Jurisdictions []string `json:"jurisdictions"`
		Hash          string   `json:"hash"`
	}
	refs := []ref{}
	for _, n := range r.notices {
		refs = append(refs, ref{n.ID, n.Version, n.Lang, n.Purpose, n.Jurisdictions, n.Hash})
	}
	return Canonical(struct {
		*Registry
		Notices []ref `json:"notices"`
	}{r, refs})
}

// Check refuses a registry from which something is missing that the law or the protocol needs. It
// reports everything it finds, not only the first.
func (r *Registry) Check() error {
	var found []error
	report := func(format string, args ...any) {
		found = append(found, fmt.Errorf("consent registry: "+format, args...))
	}
	r.checkFrame(report)
	for _, p := range r.Purposes {
		r.checkPurpose(p, report)
	}
	seen := map[string]bool{}
	for _, n := range r.notices {
		key := fmt.Sprintf("%s@%d/%s", n.ID, n.Version, n.Lang)
		if seen[key] {
			report("notice %s is there twice: a version never changes, so give the edited one a new number", key)
		}
		seen[key] = true
		r.checkNotice(n, key, report)
	}
	return errors.Join(found...)
}

func (r *Registry) checkFrame(report func(string, ...any)) {
	c := r.Controller
	if c.ID == "" || c.Name == "" || c.Contact == "" {
		report("controller needs id, name and contact")
	}
	if len(r.Purposes) == 0 || len(r.Storage) == 0 || r.Withdrawal == "" || r.ProofDays <= 0 {
		report("purposes, storage_locations, withdrawal_method and proof_days are all needed")
	}
	if _, ok := r.Jurisdiction(""); !ok {
		report("default_jurisdiction %q is not among the jurisdictions", r.Default)
	}
	for _, j := range r.Jurisdictions {
		if j.ID == "" || j.MinAge <= 0 || j.QuietRefusedDays <= 0 || j.QuietDeferredDays <= 0 || j.MaxTermDays <= 0 || j.Authority == "" {
			report("jurisdiction %q needs id, min_age, quiet_refused_days, quiet_deferred_days, max_term_days and authority", j.ID)
		}
	}
	for _, d := range r.DataTypes {
		if d.ID == "" || len(d.Title) == 0 || d.Retention == "" {
			report("data type %q needs id, title and retention", d.ID)
		}
	}
}

func (r *Registry) checkPurpose(p Purpose, report func(string, ...any)) {
	if p.ID == "" || len(p.Title) == 0 || len(p.Data) == 0 || len(p.Recipients) == 0 || p.TermDays <= 0 || p.VisitHours <= 0 {
		report("purpose %q needs id, title, data, recipients, term_days and visit_hours", p.ID)
	}
	for _, d := range p.Data {
		if _, ok := r.dataType(d); !ok {
			report("purpose %s: data type %q is not declared", p.ID, d)
		}
	}
	for _, x := range p.Recipients {
		if _, ok := r.recipient(x); !ok {
			report("purpose %s: recipient %q is not declared", p.ID, x)
		}
	}
	for lang := range p.Title {
		for _, j := range r.Jurisdictions {
			if _, err := r.Notice(p.ID, lang, j.ID); err != nil {
				report("purpose %s: there is no notice in %q for %s", p.ID, lang, j.ID)
			}
		}
	}
}
