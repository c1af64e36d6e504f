// SPDX-License-Identifier: Apache-2.0

package consent

import "errors"

// The families of refusals. Every *Problem belongs to exactly one, which errors.Is finds.
var (
	ErrInvalid     = errors.New("the request cannot be accepted as it is") // 422
	ErrForbidden   = errors.New("not allowed")                             // 403
	ErrConflict    = errors.New("it contradicts what is recorded")         // 409
	ErrNotFound    = errors.New("there is no such thing")                  // 404
	ErrTooOften    = errors.New("not as often as that")                    // 429
	ErrUnavailable = errors.New("the consent ledger cannot be reached")    // 503; unknown means no
)

// Problem is a refusal with all that an edge needs to render it once, as RFC 9457 or as a frame.
// The exported values below are compared with errors.Is; a place is added by wrapping them.
type Problem struct {
	Code   string // stable, [a-z_]+; part of the protocol
	Status int    // the HTTP status of its family
	Detail string // what happened, for a developer
	Remedy string // what to do about it
	family error
}

// Error gives the detail and the remedy; the code is for machines.
func (p *Problem) Error() string { return p.Detail + " (" + p.Remedy + ")" }

// Unwrap gives the family.
func (p *Problem) Unwrap() error { return p.family }

// What the ledger refuses. The numbers are those of the consent brief.
var (
	// ErrServed: the served id is missing, unknown, older than ServedLife, used before, void by an
	// end that came after it, or was served for something else.
	ErrServed = invalid("served_id", "the notice was not served under this id, or the id is used up",
		"ask for a new prompt and decide on that")
	// ErrInferred: scrolling, dismissing, a timeout or a box ticked in advance is not a decision.
	ErrInferred = invalid("inferred", "consent cannot be inferred", "send a decision only when the shopper pressed a button or a switch")
	// ErrChoice: a choice that the prompt did not offer.
	ErrChoice = invalid("choice", "this choice was not offered", "use one of visit, term, no, not_now")
	// ErrDigest: what the app says it showed is not what was served.
	ErrDigest = invalid("digest", "the strings shown are not the strings served", "show the notice as served, and digest exactly what is shown")
	// ErrNotice: the notice has been replaced since it was served.
	ErrNotice = invalid("notice_changed", "the notice was replaced after it was served", "ask for a new prompt")
	// ErrLanguage: no silent fall-back to another language.
	ErrLanguage = invalid("language", "the notice does not exist in this language", "publish the notice in this language, or ask for one that the rules list")
	// ErrPurpose: not in the registry.
	ErrPurpose = invalid("purpose", "this purpose is not declared", "declare the purpose in the registry, or use a declared one")
	// ErrJurisdiction: not in the registry.
	ErrJurisdiction = invalid("jurisdiction", "this jurisdiction is not declared", "declare the jurisdiction in the registry")
	// ErrRequest: a field is missing or malformed; wrapped with its name.
	ErrRequest = invalid("request", "a field is missing or malformed", "correct the field that is named")
	// ErrAgeUnknown: the token carries no age band.
	ErrAgeUnknown = forbidden("age_unknown", "the age band is not known", "ask for the age band in the app, and put it in the token")
	// ErrAgeBelow: the band is below what the jurisdiction asks for.
	ErrAgeBelow = forbidden("age_below", "the age band is below the age of consent here", "do not offer tracking; everything else stays available")
	// ErrStopToken: unknown, or not for this.
	ErrStopToken = forbidden("stop_token", "this stop token ends nothing here", "use the token as it was given, for the shopper it was given to")
	// ErrIDTaken: an id of an end was used for another end.
	ErrIDTaken = conflict("id_taken", "this id was used for something else", "make a new id for a new request")
	// ErrNotOnRecord: a withdrawal of what nobody declares and nobody has on record: most likely misspelt. To take it would
	// be to sign that something ended, while what was meant goes on.
	ErrNotOnRecord = invalid("not_on_record", "nothing was withdrawn: this store or purpose is neither declared nor on record of this shopper",
		"tell the shopper; correct store and purpose, or withdraw all, under a new id")
	// ErrWhichGrant: a withdrawal of one grant, by a session of several, that names none. To end one of them might leave the one that was meant.
	ErrWhichGrant = invalid("which_grant", "this session is for several purposes: which of them is withdrawn cannot be said here",
		"withdraw it by POST /v1/withdrawals, which names it")
	// ErrIdle: somebody withdraws again and again, and there is nothing to withdraw. The log only ever grows.
	ErrIdle = &Problem{"rate", 429, "nothing is in force, and within an hour that was asked for and recorded often enough",
		"there is nothing to withdraw; ask again in an hour if it must be recorded once more", ErrTooOften}
	// ErrNotListed: the node is not in the node table (any more).
	ErrNotListed = conflict("not_listed", "this node is not listed", "close all sessions, then join again")
	// ErrBehind: the feed cannot be continued from where the node stands.
	ErrBehind = conflict("behind", "the feed no longer holds what this node misses", "close all sessions and start the node anew")
	// ErrKeys: the ledger was written under other keys.
	ErrKeys = conflict("keys", "the ledger was written under other keys", "bring back the key file that belongs to this ledger")
	// ErrRegistry: a registry or a notice from which something is missing; a *RegistryError says what.
	ErrRegistry = invalid("registry", "the registry or notice is not fit for use", "mend what the detail lists; `doorstep registry check` says the same")
	// ErrNoticeEdited: a version of a notice never changes once it was in force.
	ErrNoticeEdited = conflict("notice_edited", "a notice that was in force has been edited", "bring the old text back, and publish the new one as a new version")
	// ErrNotAssessed: no impact assessment, no tracking.
	ErrNotAssessed = conflict("not_assessed", "no impact assessment of this store is on record",
		"add the store to the registry's stores, with reference, date and kept_until of its assessment")
	// ErrHealthCare: a place of health care where the law forbids a fence around it.
	ErrHealthCare = conflict("health_care", "the law of this place forbids a fence around health care",
		"leave the store, or the zone in its map, out")
	// ErrNoNotice: no notice with this hash was ever in force.
	ErrNoNotice = &Problem{"no_notice", 404, "no notice has this hash", "take the hash from the rules or from a receipt", ErrNotFound}
	// ErrKeyring: the keyring is not the one that the ledger was written with, or an older copy of it.
	ErrKeyring = conflict("keyring", "the keyring does not fit the ledger", "bring back the newest copy of the keyring that belongs to this ledger")
	// ErrRestored: the ledger is a copy from before ends that were acknowledged.
	ErrRestored = conflict("restored", "the ledger is an older copy of itself: it lacks ends that were acknowledged",
		"put its newest copy in place; where there is none, `doorstep ledger restored` ends every grant in it, and it can be served")
	// ErrNotSuspended: there is nothing to lift.
	ErrNotSuspended = &Problem{"not_suspended", 404, "this app is not suspended", "look at the list of apps again", ErrNotFound}
	// ErrNoView: no view of this id was opened.
	ErrNoView = &Problem{"no_view", 404, "no such view", "open the view before closing it", ErrNotFound}
	// ErrNoErasure: nothing was ever erased at this request, or it is not done yet.
	ErrNoErasure = &Problem{"no_erasure", 404, "no such erasure", "ask for it, and repeat the request with its id until it is answered", ErrNotFound}
	// ErrNoLeaf: the log does not reach that far.
	ErrNoLeaf = &Problem{"no_leaf", 404, "the log has no such leaf", "ask for an index below the size of the tree", ErrNotFound}
)

func invalid(code, detail, remedy string) *Problem {
	return &Problem{code, 422, detail, remedy, ErrInvalid}
}

func forbidden(code, detail, remedy string) *Problem {
	return &Problem{code, 403, detail, remedy, ErrForbidden}
}

func conflict(code, detail, remedy string) *Problem {
	return &Problem{code, 409, detail, remedy, ErrConflict}
}
