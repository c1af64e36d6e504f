// SPDX-License-Identifier: Apache-2.0

package consent

import "slices"

// duty is something that a notice has to tell: by which law, and what to write.
type duty struct {
	id, law, write string
	block          string // where it usually stands
}

// duties are all those that a block can name under covers. The first eight hold everywhere, since a
// deployment has shoppers from everywhere (GDPR 13, PIPL 17); jurisdictions add others.
var duties = []duty{
	{"controller", "GDPR 13(1)(a); PIPL 17(1)", "Write who decides about the data, and how to reach them", "who"},
	{"data", "PIPL 17(2); CCPA 1798.100(a)", "Write which data are used, in plain words", "what"},
	{"purposes", "GDPR 13(1)(c); PIPL 17(2)", "Write what the data are used for, and that they serve nothing else", "why"},
	{"recipients", "GDPR 13(1)(e); PIPL 23", "Write who can see the data", "readers"},
	{"retention", "GDPR 13(2)(a); PIPL 17(2)", "Write for how long each kind of data is kept", "retention"},
	{"rights", "GDPR 13(2)(b); PIPL 17(3)", "Write that the shopper may see, correct, take along and erase their data, and object", "rights"},
	{"withdrawal", "GDPR 7(3), 13(2)(c); PIPL 15", "Write how to stop: at any time, without a reason, in as few steps as agreeing takes", "withdrawal"},
	{"authority", "GDPR 13(2)(d); PIPL 65", "Write to which authority the shopper can complain", "rights"},
	{"necessity", "PIPL 30", "Write why the purpose cannot be reached without this sensitive data", "why"},
	{"effects", "PIPL 30", "Write what the processing means for the shopper, and what happens if they say no", "effects"},
}

// usualDuties hold wherever a notice is served.
const usualDuties = 8

func dutyOf(id string) (duty, bool) { return find(duties, func(d duty) bool { return d.id == id }) }

// dutiesIn are what a notice has to tell in a jurisdiction: the usual ones, what the law of the place
// adds, and what the registry adds to that.
func (j Jurisdiction) dutiesIn() []duty {
	out := slices.Clone(duties[:usualDuties])
	for _, id := range append(slices.Clone(floorOf(j.ID).covers), j.Covers...) {
		d, ok := dutyOf(id)
		if ok && !slices.ContainsFunc(out, func(x duty) bool { return x.id == d.id }) {
			out = append(out, d)
		}
	}
	return out
}

// floor is what a registry cannot go below in a jurisdiction.
type floor struct {
	id, law      string
	minAge       int
	quietRefused int // days
	covers       []string
	banHealth    bool
}

// floors by the id of a jurisdiction; "us-ca" is also a "us". What is not here has the least of all.
var floors = []floor{
	{id: "eu", law: "GDPR 8(1)", minAge: 13},
	{id: "gb", law: "UK GDPR 8(1)", minAge: 13},
	{id: "us", law: "COPPA, 16 CFR 312.2", minAge: 13},
	{id: "us-ca", law: "CCPA 1798.135(c)(4)", minAge: 13, quietRefused: 365},
	{id: "us-wa", law: "RCW 19.373.080", minAge: 13, banHealth: true},
	{id: "cn", law: "PIPL 28, 30, 31", minAge: 14, covers: []string{"necessity", "effects"}},
}

// leastQuiet is how long no prompt may follow a refusal anywhere, in days: six months.
const leastQuiet = 183

func floorOf(id string) floor {
	f, ok := find(floors, func(f floor) bool { return f.id == id })
	if !ok {
		f = floor{id: id, law: "GDPR 8(1)", minAge: 13}
	}
	f.quietRefused = max(f.quietRefused, leastQuiet)
	return f
}
