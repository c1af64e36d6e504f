// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	"doorstep/consent"
)

// An end is answered the same whenever it is asked for again: what was answered is kept, under the keys of whose it is.

// endedBefore answers a repetition with what was answered first.
func (t *tx) endedBefore(c consent.EndCommand) (e consent.Ending, ok bool, err error) {
	if c.Kind == consent.EndSession {
		return t.sessionEndedBefore(c)
	}
	people, err := t.whoMayHaveEnded(c)
	for _, p := range people {
		var asked, sealed string
		if err == nil {
			err = t.row(`SELECT asked, body FROM ending WHERE id = $1`, p.mark("event", c.ID)).into(&asked, &sealed)
		}
		if noRow(err) {
			err = nil
			continue
		}
		if err == nil && asked != p.mark("asked", askedFor(c.EndRequest)) {
			err = fmt.Errorf("%w: %s", consent.ErrIDTaken, c.ID)
		}
		if err != nil {
			return e, false, err
		}
		kept, err := openEvent(p, "ending", sealed)
		if err != nil || kept.Ending == nil {
			return e, false, err
		}
		kept.Ending.Repeated = true
		return *kept.Ending, true, nil
	}
	return e, false, err
}

// sessionEndedBefore is endedBefore for a session's end, which is remembered for a day and no person's.
func (t *tx) sessionEndedBefore(c consent.EndCommand) (e consent.Ending, ok bool, err error) {
	var asked, sealed string
	m := t.marks("ending", c.ID)
	err = t.row(`SELECT asked, body FROM ending WHERE id IN ($1, $2, $3)`, m[0], m[1], m[2]).into(&asked, &sealed)
	if noRow(err) {
		return e, false, nil
	}
	if m := t.marks("asked", askedFor(c.EndRequest)); err == nil && !slices.Contains(m[:], asked) {
		err = fmt.Errorf("%w: %s", consent.ErrIDTaken, c.ID)
	}
	if err != nil {
		return e, false, err
	}
	text, err := openDay(t.db.ring, "ending", sealed)
	if err == nil {
		err = json.Unmarshal(text, &e)
	}
	e.Repeated = true
	return e, err == nil, err
}

// whoMayHaveEnded are those under whose keys a request may have been kept before: whoever it names, and
// whose scope it is now. One that named nobody was kept as the phone's.
func (t *tx) whoMayHaveEnded(c consent.EndCommand) (out []person, err error) {
	add := func(p person, e error) {
		if e == nil {
			out = append(out, p)
		} else if !noRow(e) {
			err = e
		}
	}
	if c.Subject != "" {
		add(t.find(aSubject, c.Subject))
	}
	if c.Scope.Installation != "" {
		add(t.find(anInstallation, c.Scope.Installation))
	}
	if c.Subject == "" && err == nil {
		scopes, e := t.scopeOf(c.Scope)
		for _, s := range scopes {
			out = append(out, s.who)
		}
		err = e
	}
	return out, err
}

// askedFor is what makes two requests the same one: neither the claimed time nor the reason, which a
// retry through another channel may state differently. A visit names its scope, which one of two who end
// it may not know.
func askedFor(r consent.EndRequest) string {
	switch r.Kind {
	case consent.EndAll:
		return fmt.Sprintf("all|%s", r.Subject)
	case consent.EndSession:
		return fmt.Sprintf("session|%s", r.Visit)
	}
	return fmt.Sprintf("%s|%s|%s|%s|%s", r.Kind, r.Scope.Installation, r.Scope.Store, r.Visit, r.Purpose)
}

// keepEnding logs an end of consent, seals its receipt, and keeps the answer for a repetition.
func (t *tx) keepEnding(c consent.EndCommand, scopes []scope, took []consent.EndedRecord, e *consent.Ending) error {
	if c.Kind == consent.EndSession {
		return t.keepSessionEnding(c, scopes, e)
	}
	asked := askedFor(c.EndRequest)
	if c.Subject == "" && len(scopes) > 0 {
		c.Subject = scopes[0].subject
	}
	event := c.Seal.Ended(c, took)
	place, err := t.appendLeaf(event)
	if err != nil {
		return err
	}
	if e.Receipt, err = c.Seal.Receipt(event, place); err != nil {
		return err
	}
	var owner person
	if c.Subject != "" {
		owner, err = t.keep(aSubject, c.Subject)
	} else {
		owner, err = t.keep(anInstallation, c.Scope.Installation)
	}
	if err != nil {
		return err
	}
	body, err := sealEvent(owner, "ending", keptEvent{Ending: e, Index: place.Index, Key: hex.EncodeToString(event.Key[:]), Receipt: e.Receipt})
	if err != nil {
		return err
	}
	return t.insertEnding(owner.mark("event", c.ID), owner.handle, c, owner.mark("asked", asked), body)
}

// keepSessionEnding keeps a session's end for a day. It has no event: it is not one of consent.
func (t *tx) keepSessionEnding(c consent.EndCommand, scopes []scope, e *consent.Ending) error {
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	body, err := t.sealDay("ending", text)
	if err != nil {
		return err
	}
	id, err := t.mark("ending", c.ID)
	if err != nil {
		return err
	}
	asked, err := t.mark("asked", askedFor(c.EndRequest))
	if err != nil {
		return err
	}
	return t.insertEnding(id, scopes[0].who.handle, c, asked, body)
}

func (t *tx) insertEnding(id, subject string, c consent.EndCommand, asked, body string) error {
	_, err := t.exec(`INSERT INTO ending (id, subject, kind, asked, ended_at, body) VALUES ($1, $2, $3, $4, $5, $6)`,
		id, subject, string(c.Kind), asked, micros(c.Now), body)
	return err
}
