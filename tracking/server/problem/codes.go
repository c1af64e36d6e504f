// SPDX-License-Identifier: Apache-2.0

package problem

import "net/http"

// The codes of requests that are wrong in themselves.
const (
	Request     = "request"     // the body or a header does not fit the schema
	URLSecret   = "url_secret"  // a token, an id or a coordinate in the address
	NotFound    = "not_found"   // no such address
	Method      = "method"      // the address exists, the method does not
	TooLarge    = "too_large"   // the body is longer than this address takes
	MediaType   = "media_type"  // the body is not JSON
	Rate        = "rate"        // too many requests or connections
	Idempotency = "idempotency" // the key is missing, or was used for something else
)

// The codes of who asks, and from where.
const (
	Token      = "token"       // every failure of a bearer token, told apart nowhere
	Proof      = "proof"       // the installation's proof
	ProofTime  = "proof_time"  // the proof is good, but its clock is off
	SignIn     = "code"        // a one-time sign-in code
	Session    = "session"     // no staff session
	Locked     = "locked"      // one on a device that several people use, which is locked
	PINDue     = "pin_due"     // the same, before a PIN was chosen
	WrongPIN   = "wrong_pin"   // it is not this one
	StopToken  = "stop_token"  // not a stop token
	Ticket     = "ticket"      // a ticket that is not, or no longer, good
	Door       = "door"        // a good token, for another door
	Role       = "role"        // the role may not do this
	OtherStore = "other_store" // a good staff token, of another store
	Origin     = "origin"      // the page's origin is not on the list
	Suspended  = "suspended"   // the app asked for what is undeclared too often
)

// The codes of decisions, sessions and stores.
const (
	Age          = "age"
	NotGranted   = "not_granted"
	NoStore      = "no_store"
	NoMap        = "no_map"
	StoreClosed  = "store_closed"
	BadMap       = "bad_map"   // an administrator's map that is refused
	MapGiven     = "map_given" // a store whose map is a setting of the server
	BadHours     = "bad_hours"
	BadRules     = "bad_rules"
	BadCards     = "bad_cards"
	BadBooking   = "bad_booking"
	BadPIN       = "bad_pin"
	NobodyOnDuty = "nobody_on_duty"
	ServedID     = "served_id"
	NoticeHash   = "hash"
	Inferred     = "inferred"
	Digest       = "digest"
	Bundled      = "bundled"
	Purpose      = "purpose"
	Choice       = "choice"
	Language     = "language"
	Jurisdiction = "jurisdiction"
	Undeclared   = "undeclared"
	Scope        = "scope"
)

// The codes of alerts.
const (
	NoAlert      = "no_alert"
	AlertHeld    = "alert_held"
	AlertVersion = "alert_version"
	AlertFinal   = "alert_final"
	AlertAction  = "alert_action"
	Claims       = "claims"
	NoVisit      = "no_visit"
	NoDesk       = "no_desk"
	NoDelivery   = "no_delivery"
)

// The codes of a server that cannot, or not now.
const (
	Internal    = "internal"
	Unavailable = "unavailable"           // a dependency is out of reach; nothing was done
	NoLease     = "no_lease"              // this node may not act on consent at the moment
	Incomplete  = "recorded_not_complete" // a withdrawal is recorded, the purge is not confirmed
	Leaving     = "shutting_down"
)

// entry is one line of the table: what a code always says.
type entry struct {
	status        int
	title, remedy string
	retryMS       int64
}

// table is the one place where a code meets its status and its words. A code is part of the
// contract: it is never renamed, and a client may switch on it.
var table = map[string]entry{
	Request:     {http.StatusBadRequest, "The request does not fit its schema", "Compare the request with the specification; the detail names the field.", 0},
	URLSecret:   {http.StatusBadRequest, "Something secret in the address", "Send tokens in headers and everything else in the body; treat a token that was in an address as lost.", 0},
	NotFound:    {http.StatusNotFound, "No such address", "Check the path against the specification.", 0},
	Method:      {http.StatusMethodNotAllowed, "Not with this method", "Use a method named in the Allow header.", 0},
	TooLarge:    {http.StatusRequestEntityTooLarge, "The body is too large", "Send less; the specification gives the bound of each address.", 0},
	MediaType:   {http.StatusUnsupportedMediaType, "The body is not JSON", "Send Content-Type: application/json.", 0},
	Rate:        {http.StatusTooManyRequests, "Too many requests", "Wait retry_ms, then try once.", 1000},
	Idempotency: {http.StatusUnprocessableEntity, "The idempotency key cannot be used", "Send a fresh Idempotency-Key with each new action, and the same one when repeating it.", 0},

	Token:      {http.StatusUnauthorized, "The token is not accepted", "Ask your backend for a fresh token and try once more.", 0},
	Proof:      {http.StatusUnauthorized, "The installation's proof is not accepted", "Sign a new proof for exactly this request with the installation's key.", 0},
	ProofTime:  {http.StatusUnauthorized, "The proof's time is off", "Set your offset from t in this body, and sign a new proof.", 0},
	SignIn:     {http.StatusUnauthorized, "The sign-in code is not accepted", "Ask for a new code; each works once, for ten minutes.", 0},
	Session:    {http.StatusUnauthorized, "Not signed in", "Sign in again.", 0},
	Locked:     {http.StatusUnauthorized, "This device is locked", "Unlock it with the PIN or the badge of whoever is signed in.", 0},
	PINDue:     {http.StatusUnauthorized, "No PIN is chosen yet", "Choose a PIN, or scan a badge, for this shift on this device.", 0},
	WrongPIN:   {http.StatusUnauthorized, "Not this PIN", "Try again, left times at most; after that, sign in with a new code.", 0},
	StopToken:  {http.StatusUnauthorized, "The stop token is not accepted", "Send the stop_token that came with the decision, or the shopper's own token.", 0},
	Ticket:     {http.StatusUnauthorized, "The ticket is not accepted", "Ask for a new ticket; each works once, for thirty seconds.", 0},
	Door:       {http.StatusForbidden, "This token is for another door", "Use an access token whose only audience is this door.", 0},
	Role:       {http.StatusForbidden, "Not with this role", "Ask somebody whose role allows it.", 0},
	OtherStore: {http.StatusForbidden, "This is another store", "Sign in at the store in question.", 0},
	Origin:     {http.StatusForbidden, "Not from this origin", "Add the page's exact origin (scheme, host and port) to the allowed origins.", 0},
	Suspended:  {http.StatusForbidden, "This app is suspended", "Stop sending what the store does not declare, then ask the operator to lift it.", 0},

	Age:          {http.StatusForbidden, "Not for this age", "Offer the feature without location.", 0},
	NotGranted:   {http.StatusForbidden, "No grant for this purpose", "Ask the shopper first, if may_prompt allows it.", 0},
	NoStore:      {http.StatusNotFound, "No such store", "Fetch the list of stores again.", 0},
	NoMap:        {http.StatusNotFound, "No such version of the map", "Fetch the list of stores again and use the version it names.", 0},
	StoreClosed:  {http.StatusConflict, "The store is closed", "Try again when it opens.", 0},
	BadMap:       {http.StatusUnprocessableEntity, "The map is refused", "Mend what the detail names; `doorstep store check` says the same.", 0},
	MapGiven:     {http.StatusConflict, "This store's map is a setting of the server", "Change the server's --map, or leave it out and import the map.", 0},
	BadHours:     {http.StatusUnprocessableEntity, "The hours cannot be read", "Write them as Mo-Fr 09:00-21:00; Sa 10:00-20:00, with an IANA time zone.", 0},
	BadRules:     {http.StatusUnprocessableEntity, "The rules are refused", "Mend what the detail names; `doorstep rules check` says the same.", 0},
	BadCards:     {http.StatusUnprocessableEntity, "The cards are refused", "Mend what the detail names; `doorstep cards check` says the same.", 0},
	BadBooking:   {http.StatusUnprocessableEntity, "The bookings are refused", "Mend what the detail names; nothing was changed.", 0},
	BadPIN:       {http.StatusUnprocessableEntity, "This PIN cannot be chosen", "Choose 4 to 12 digits that are neither all the same nor in a row, or scan a badge of 4 to 64 characters.", 0},
	NobodyOnDuty: {http.StatusConflict, "Nobody is on duty for this", "Tell the shopper so; try again later.", 60_000},
	ServedID:     {http.StatusUnprocessableEntity, "This prompt cannot be answered", "Ask for a new prompt and show it; each can be answered once, for ten minutes.", 0},
	NoticeHash:   {http.StatusUnprocessableEntity, "The notice is not the one that was served", "Ask for a new prompt and show it.", 0},
	Inferred:     {http.StatusUnprocessableEntity, "The decision was not made with a control", "Send only what the shopper chose with a button or a switch.", 0},
	Digest:       {http.StatusUnprocessableEntity, "What was shown is not what was served", "Show the served strings unchanged and digest exactly those.", 0},
	Bundled:      {http.StatusUnprocessableEntity, "More than one thing in one decision", "Ask for each purpose by itself, apart from any terms.", 0},
	Purpose:      {http.StatusUnprocessableEntity, "The purpose is not declared", "Use a purpose that the store's registry declares.", 0},
	Choice:       {http.StatusUnprocessableEntity, "Not one of the choices", "Send one of the choices of the prompt.", 0},
	Language:     {http.StatusUnprocessableEntity, "No notice in this language", "Ask in one of the languages named in the detail.", 0},
	Jurisdiction: {http.StatusUnprocessableEntity, "No notice for this jurisdiction", "Ask the operator to publish one.", 0},
	Undeclared:   {http.StatusUnprocessableEntity, "Something that is not declared", "Send only the fields that the specification and the store's registry name.", 0},
	Scope:        {http.StatusUnprocessableEntity, "The scope of the withdrawal does not fit", "Use grant with store and purpose, store with store, or all with neither.", 0},

	NoAlert:      {http.StatusNotFound, "No such alert", "Wait for the next change of the list.", 0},
	AlertHeld:    {http.StatusConflict, "Somebody else has this alert", "Pick another one, or ask them to hand it over.", 0},
	AlertVersion: {http.StatusConflict, "The alert has changed", "Look at the alert as it is now, then decide again.", 0},
	AlertFinal:   {http.StatusConflict, "The alert is over", "Nothing is left to do.", 0},
	AlertAction:  {http.StatusConflict, "Not possible in this state", "Use an action that the alert's state allows.", 0},
	Claims:       {http.StatusForbidden, "You hold two alerts already", "Resolve, release or hand over one of them first.", 0},
	NoDelivery:   {http.StatusNotFound, "No such delivery", "List them again: they are kept for a day, and what has ended is not told again.", 0},
	NoDesk:       {http.StatusUnprocessableEntity, "No such desk", "Name a zone of the store's map that people can come to.", 0},
	NoVisit:      {http.StatusConflict, "The visit has ended", "Nothing is left to see.", 0},

	Internal:    {http.StatusInternalServerError, "Something is wrong here", "Try again later; tell the operator if it stays.", 0},
	Unavailable: {http.StatusServiceUnavailable, "Not possible right now", "Nothing was changed; try again after retry_ms.", 2000},
	NoLease:     {http.StatusServiceUnavailable, "Consent cannot be confirmed right now", "Nothing is tracked meanwhile; try again after retry_ms.", 2000},
	Incomplete:  {http.StatusServiceUnavailable, "Recorded, not complete", "The withdrawal stands. Repeat it with the same id until it is confirmed.", 2000},
	Leaving:     {http.StatusServiceUnavailable, "This server is shutting down", "Connect again after retry_ms.", 2000},
}
