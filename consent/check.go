// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// checker holds a registry and its notices to what the law and the protocol need. It reports all that it
// finds, not only the first.
type checker struct {
	reg     *Registry
	members *members  // of registry.json: where things stand
	on      time.Time // the day on which its stores are to be open; zero: no day in particular
	found   []Finding
}

func (c *checker) report(path, says, law, remedy string) {
	c.found = append(c.found, Finding{File: c.members.file, Line: c.members.line(path), Field: c.members.name(path), Says: says, Law: law, Remedy: remedy})
}

// warn is a report of what refuses nothing.
func (c *checker) warn(path, says, law, remedy string) {
	c.report(path, says, law, remedy)
	c.found[len(c.found)-1].Warning = true
}

// need reports a member that is empty.
func (c *checker) need(ok bool, path, law, remedy string) {
	if !ok {
		c.report(path, "is missing", law, remedy)
	}
}

// days reports a number of days that is missing, or that is none.
func (c *checker) days(n int, path, law, remedy string) {
	if n < 0 {
		c.report(path, fmt.Sprintf("%d is no number of days", n), law, remedy)
	}
	c.need(n != 0, path, law, remedy)
}

// shortName is what names a purpose, and the files of its notices.
var shortName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

func filled(s string) bool { return strings.TrimSpace(s) != "" }

// check is what concerns registry.json.
func (c *checker) check() {
	r := c.reg
	c.controller(r.Controller)
	c.need(len(r.Purposes) > 0, "purposes", "GDPR 5(1)(b), 13(1)(c)", "Declare at least one purpose")
	c.need(len(r.Storage) > 0, "storage_locations", "GDPR 30(1); PIPL 38", "Write where the data are kept")
	c.need(filled(r.Withdrawal), "withdrawal_method", "GDPR 7(3); PIPL 15", "Write how a shopper withdraws, for the record of each decision")
	c.days(r.ProofDays, "proof_days", "GDPR 7(1), 17(3)(e)", "Write for how many days a decision must be provable, such as 1096 for three years")
	c.need(len(r.Jurisdictions) > 0, "jurisdictions", "GDPR 3", "Declare the places whose law holds in your stores")
	if _, ok := r.Jurisdiction(""); !ok {
		c.report("default_jurisdiction", fmt.Sprintf("%q is not among the jurisdictions", r.Default), "", "Write the id of one of them")
	}
	for i, j := range r.Jurisdictions {
		c.jurisdiction(fmt.Sprintf("jurisdictions[%d]", i), j)
	}
	for i, d := range r.DataTypes {
		c.dataType(fmt.Sprintf("data_types[%d]", i), d)
	}
	for i, x := range r.Recipients {
		path := fmt.Sprintf("recipients[%d]", i)
		c.need(filled(x.ID), path+".id", "GDPR 13(1)(e)", "Give the recipient a short name of small letters")
		c.titles(path+".title", x.Title, "GDPR 13(1)(e); PIPL 23")
	}
	for i, p := range r.Purposes {
		c.purpose(fmt.Sprintf("purposes[%d]", i), p)
	}
	for i, p := range r.Stores {
		c.premises(fmt.Sprintf("stores[%d]", i), p)
	}
	twice(c, "purposes", r.Purposes, func(p Purpose) string { return p.ID })
	twice(c, "data_types", r.DataTypes, func(d DataType) string { return d.ID })
	twice(c, "recipients", r.Recipients, func(x Recipient) string { return x.ID })
	twice(c, "jurisdictions", r.Jurisdictions, func(j Jurisdiction) string { return j.ID })
	twice(c, "stores", r.Stores, func(p Premises) string { return p.Store })
	c.healthWords()
	c.refusals()
	c.need(len(r.Stores) > 0, "stores", assessmentLaw, "List your stores, each with its jurisdiction and its impact assessment: without that none goes live")
}

func (c *checker) controller(who Controller) {
	const law = "GDPR 13(1)(a); PIPL 17(1)"
	u, err := url.Parse(who.ID)
	c.need(err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "", "controller.id", "ISO/IEC TS 27560", "Write a web address of yours: it signs the receipts, and stays the same for ever")
	c.need(filled(who.Name), "controller.name", law, "Write who decides about the data: the company's full name")
	c.need(filled(who.Contact), "controller.contact", law, "Write an address at which shoppers reach them")
}

// twice reports ids that two entries of a list share.
func twice[T any](c *checker, name string, list []T, id func(T) string) {
	seen := map[string]bool{}
	for i, x := range list {
		if seen[id(x)] {
			c.report(fmt.Sprintf("%s[%d]", name, i), fmt.Sprintf("%q is there twice", id(x)), "", "Keep one of them")
		}
		seen[id(x)] = true
	}
}

func (c *checker) jurisdiction(path string, j Jurisdiction) {
	least := floorOf(j.ID)
	c.need(filled(j.ID), path+".id", "", "Give the place a short name, such as eu, cn or us-ca")
	if j.MinAge < least.minAge {
		c.report(path+".min_age", fmt.Sprintf("%d is too young here", j.MinAge), least.law, fmt.Sprintf("Write %d or more", least.minAge))
	}
	if j.QuietRefusedDays < least.quietRefused {
		c.report(path+".quiet_refused_days", fmt.Sprintf("%d days are too few after a no", j.QuietRefusedDays),
			"CCPA 1798.135(c)(4); EDPB 05/2020", fmt.Sprintf("Write %d or more", least.quietRefused))
	}
	if quiet := max(j.QuietRefusedDays, j.QuietDeferredDays); c.reg.ProofDays > 0 && c.reg.ProofDays < quiet {
		c.report("proof_days", fmt.Sprintf("%d days are fewer than the %d in which nobody is asked again in %s: the refusal would be forgotten before", c.reg.ProofDays, quiet, j.ID),
			"GDPR 7(1); EDPB 05/2020", fmt.Sprintf("Write %d or more", quiet))
	}
	if needed := j.MaxTermDays + int(JournalLife/days(1)); c.reg.ProofDays > 0 && c.reg.ProofDays < needed {
		c.report("proof_days", fmt.Sprintf("%d days are fewer than %d: in %s a consent may hold for %d days, and who looked in its last days stays in the journal for %d more; what allowed it must be provable as long",
			c.reg.ProofDays, needed, j.ID, j.MaxTermDays, int(JournalLife/days(1))), "GDPR 5(2), 7(1)", fmt.Sprintf("Write %d or more, or shorten max_term_days", needed))
	}
	c.days(j.QuietDeferredDays, path+".quiet_deferred_days", "EDPB 03/2022", "Write for how many days nobody is asked after a not now: 1 or more")
	if j.MaxTermDays <= 0 || j.MaxTermDays > mostTermDays {
		c.report(path+".max_term_days", fmt.Sprintf("%d is not between 1 and %d: consent has to be asked for anew", j.MaxTermDays, mostTermDays), "CNIL 2020-092", "Write 183 for six months, or less")
	}
	u, err := url.Parse(j.Authority)
	c.need(err == nil && u.Scheme == "https", path+".authority", "GDPR 13(2)(d); PIPL 65", "Write the https address at which shoppers complain to the authority")
	for _, id := range j.Covers {
		if _, ok := dutyOf(id); !ok {
			c.report(path+".covers", fmt.Sprintf("%q is no duty", id), "", "Use these: "+strings.Join(dutyIDs(), ", "))
		}
	}
	if least.banHealth && !j.BansHealthGeofence {
		c.report(path+".bans_health_geofence", "must be true here: a fence around places of health care is unlawful", least.law, "Write true")
	}
}

// mostTermDays is the longest life of a grant: thirteen months.
const mostTermDays = 396

// mostPocketMinutes is the longest that an app may go on at a time without being looked at.
const mostPocketMinutes = 20

func (c *checker) dataType(path string, d DataType) {
	const law = "GDPR 13(2)(a), 30(1)(f); PIPL 17(2)"
	c.need(filled(d.ID), path+".id", law, "Give the data type a short name of small letters")
	c.titles(path+".title", d.Title, "PIPL 17(2)")
	says, err := parseRetention(d.Retention)
	if err != nil {
		c.report(path+".retention", err.Error(), law, "Write it as PT30S for thirty seconds, P1D for a day, P90D for ninety or P365D for a year")
	}
	promised := func(what string, is life) {
		if err == nil && says != is.span {
			c.report(path+".retention", fmt.Sprintf("says %s, and this server keeps %s for %s: its %s, which is built in", d.Retention, what, isoSpan(is.span), is.name),
				law, "Write "+isoSpan(is.span)+": what is published is what is done")
		}
	}
	for _, f := range d.Fields {
		if is, known := keptFor(f); known {
			promised(f, is)
		} else {
			c.report(path+".fields", fmt.Sprintf("%q is a field that no frame of the protocol has", f), "GDPR 5(1)(c)", "Use these: "+strings.Join(frameFields(), ", "))
		}
	}
	if is, known := made[d.ID]; known {
		promised(d.ID, is)
	} else if len(d.Fields) == 0 && filled(d.ID) {
		c.report(path+".fields", fmt.Sprintf("are none, and %q is nothing that this server makes by itself: nobody could say how long it is kept", d.ID), "GDPR 5(1)(c)",
			"List the fields of frames that carry it, or call it "+strings.Join(sortedKeys(made), " or ")+", which are made of positions")
	}
}

func (c *checker) titles(path string, title map[string]string, law string) {
	c.need(len(title) > 0, path, law, `Write what people call it, by language: {"en": "…", "zh": "…"}`)
	for _, lang := range sortedKeys(title) {
		c.need(filled(title[lang]), path+"."+lang, law, "Write it in this language too, or take the language out everywhere")
	}
	if len(c.reg.Purposes) == 0 || len(title) == 0 {
		return
	}
	for _, lang := range sortedKeys(c.reg.Purposes[0].Title) {
		if _, ok := title[lang]; !ok {
			c.report(path, fmt.Sprintf("the language %q is missing, in which a purpose has a title", lang), "GDPR 12(1)", "Write it in this language too")
		}
	}
}

func (c *checker) purpose(path string, p Purpose) {
	const law = "GDPR 13(1)(c); PIPL 17(2)"
	c.need(filled(p.ID), path+".id", law, "Give the purpose a short name of small letters")
	if filled(p.ID) && !shortName.MatchString(p.ID) {
		c.report(path+".id", fmt.Sprintf("%.40q is no short name", p.ID), law, "Write small letters, digits, - and _ only, as in assist: files are named by it")
	}
	c.titles(path+".title", p.Title, law)
	if !slices.Contains(Uses, p.Use) {
		c.report(path+".use", fmt.Sprintf("%q is nothing that a shopper is helped with; selling or sharing data, advertising and profiles cannot be declared", p.Use),
			"CCPA 1798.120; Sec-GPC", "Write one of "+strings.Join(Uses, ", "))
	}
	for _, text := range append([]string{p.ID}, valuesOf(p.Title)...) {
		if word := foundWord(text, sellingWords); word != "" {
			c.report(path+".title", fmt.Sprintf("says %q: a purpose of selling, sharing, advertising or profiling does not exist here", word), "CCPA 1798.120; Sec-GPC", "Take the purpose out")
		}
	}
	c.need(len(p.Data) > 0, path+".data", law, "List the data types that it needs")
	c.need(len(p.Recipients) > 0, path+".recipients", "GDPR 13(1)(e)", "List who sees the data")
	c.days(p.TermDays, path+".term_days", "CNIL 2020-092", "Write for how many days a yes holds: 183 for six months")
	if p.VisitHours < 1 || p.VisitHours > 24 {
		c.report(path+".visit_hours", fmt.Sprintf("%d is not between 1 and 24", p.VisitHours), "GDPR 7(3)", "Write how many hours a visit can last")
	}
	if p.PocketMinutes < 0 || p.PocketMinutes > mostPocketMinutes {
		c.report(path+".pocket_minutes", fmt.Sprintf("%d is not between 1 and %d", p.PocketMinutes, mostPocketMinutes), "GDPR 5(1)(c), 25(2)",
			"Write for how many minutes an app that is not on screen may go on, or leave it out")
	}
	if p.PocketMinutes > 0 && p.Location {
		c.report(path+".pocket_minutes", "belongs to a decision of its own", "GDPR 7(2); EDPB 05/2020",
			"Declare a purpose with pocket_minutes and without location, with notices of its own, and take it out here")
	}
	for _, d := range p.Data {
		if _, ok := c.reg.dataType(d); !ok {
			c.report(path+".data", fmt.Sprintf("data type %q is not declared", d), law, "Declare it under data_types, or take it out here")
		}
	}
	for _, x := range p.Recipients {
		if _, ok := c.reg.recipient(x); !ok {
			c.report(path+".recipients", fmt.Sprintf("recipient %q is not declared", x), "GDPR 13(1)(e)", "Declare it under recipients, or take it out here")
		}
	}
	c.languages(path, p)
}

// languages reports where a notice of the purpose is missing: there is no falling back to another language.
func (c *checker) languages(path string, p Purpose) {
	asked := map[string]bool{}
	if !shortName.MatchString(p.ID) {
		return // it would name no file
	}
	for _, lang := range sortedKeys(p.Title) {
		for _, j := range c.reg.Jurisdictions {
			n, err := c.reg.Notice(p.ID, lang, j.ID)
			if err != nil {
				c.report(path+".title."+lang, fmt.Sprintf("there is no notice in %q for %s", lang, j.ID), "GDPR 12(1), 13; PIPL 17",
					"Write notices/"+p.ID+"."+lang+".md, or add "+j.ID+" to its jurisdictions: there is no falling back to another language")
			}
			for _, d := range n.Data {
				asked[d] = true
			}
		}
	}
	for _, d := range p.Data {
		if !asked[d] {
			c.warn(path+".data", fmt.Sprintf("no notice in force asks for %q: it is refused until one does", d), "GDPR 7; PIPL 14",
				"Publish a new version of the notices that names it under data")
		}
	}
}

func valuesOf(m map[string]string) []string {
	var out []string
	for _, k := range sortedKeys(m) {
		out = append(out, m[k])
	}
	return out
}
