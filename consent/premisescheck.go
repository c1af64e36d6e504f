// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"fmt"
	"time"
)

// premises is what concerns one store of the registry.
func (c *checker) premises(path string, p Premises) {
	c.need(filled(p.Store), path+".store", "", "Write the store's id, as its map has it")
	if p.Store == anyStore {
		c.need(c.reg.Trying != "", path+".store", assessmentLaw, `Name each store by its id: "*" is only for a registry that says for_trying_only`)
	}
	_, known := c.reg.Jurisdiction(p.Jurisdiction)
	if !(known && p.Jurisdiction != "") && !(p.Jurisdiction == "" && c.reg.Trying != "") {
		c.report(path+".jurisdiction", fmt.Sprintf("%q is not among the jurisdictions", p.Jurisdiction), "GDPR 3; PIPL 3", "Write the id of the one in which the store lies")
	}
	c.bars(path, p.Assessment.missing())
	c.assessment(path+".assessment", p.Assessment)
	if !c.on.IsZero() {
		c.onTheDay(path, p)
	}
}

func (c *checker) bars(path string, list []bar) {
	for _, b := range list {
		c.report(path+"."+b.member, b.says, b.law, b.remedy)
	}
}

// assessment holds the days of an impact assessment against each other.
func (c *checker) assessment(path string, a Assessment) {
	made, err := day(a.Date)
	if err != nil {
		return // which is said already
	}
	until, err := day(a.KeptUntil)
	if err != nil || until.Before(made.AddDate(3, 0, 0)) {
		c.report(path+".kept_until", fmt.Sprintf("%q is not three years after %s or later", a.KeptUntil, a.Date), "PIPL 56",
			"Write "+made.AddDate(3, 0, 0).Format(time.DateOnly)+" or later, and keep the document until then")
	}
	if by, ok := a.review(); !ok || by.Before(made) {
		c.report(path+".review_by", fmt.Sprintf("%q is no day after %s", a.ReviewBy, a.Date), reviewLaw,
			"Write when the assessment is to be looked at again, as "+made.AddDate(usualReview, 0, 0).Format(time.DateOnly))
	}
}

// onTheDay says what would keep the store closed on the day, as a server would, and what is due on it.
func (c *checker) onTheDay(path string, p Premises) {
	c.bars(path, p.Assessment.untimely(c.on))
	if j, ok := c.reg.Jurisdiction(p.Jurisdiction); ok && p.Jurisdiction != "" {
		c.bars(path, p.unlawful(j))
	}
	by, ok := p.Assessment.review()
	if !ok || c.on.Before(by.AddDate(0, 0, 1)) {
		return
	}
	says := fmt.Sprintf("was %s: the assessment was to be looked at again by then", p.Assessment.ReviewBy)
	if p.Assessment.ReviewBy == "" {
		says = fmt.Sprintf("is missing, and the assessment is older than %d years", usualReview)
	}
	c.warn(path+".assessment.review_by", says, reviewLaw,
		"See whether the assessment still describes what the store does; then write the day of the next review")
}

// healthWords warns of purposes and data that speak of health, if a store lies where the law has rules of its own for
// them: of a position inside a pharmacy, or a question to its counter, somebody's health can be told.
func (c *checker) healthWords() {
	var place string
	for _, p := range c.reg.Stores {
		if j, ok := c.reg.Jurisdiction(p.Jurisdiction); ok && p.Jurisdiction != "" && j.BansHealthGeofence {
			place = j.ID
		}
	}
	if place == "" {
		return
	}
	speaks := func(path, id string, title map[string]string) {
		for _, text := range append([]string{id}, valuesOf(title)...) {
			if word := foundWord(text, medicalWords); word != "" {
				c.warn(path+".title", fmt.Sprintf("says %q: what tells of somebody's health takes a consent and a policy of its own in %s, which this registry does not hold", word, place),
					healthDataLaw, "Take it out, or have a lawyer see that both are there for the stores in "+place)
				return
			}
		}
	}
	for i, p := range c.reg.Purposes {
		speaks(fmt.Sprintf("purposes[%d]", i), p.ID, p.Title)
	}
	for i, d := range c.reg.DataTypes {
		speaks(fmt.Sprintf("data_types[%d]", i), d.ID, d.Title)
	}
}
