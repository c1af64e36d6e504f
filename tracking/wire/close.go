// SPDX-License-Identifier: Apache-2.0

package wire

// Close codes that a node sends. 4000–4499 may be tried again, 4500–4999 may not.
const (
	CloseBye         = 1000 // answers the app's own goodbye
	CloseBadFrame    = 1002 // RFC 6455: a protocol error
	CloseNotText     = 1003 // RFC 6455: a binary message
	CloseNotUTF8     = 1007 // RFC 6455: text that is not UTF-8
	CloseTooFast     = 1008 // RFC 6455: a policy, here more pings than are decent
	CloseTooBig      = 1009 // RFC 6455: a message too big
	CloseRestart     = 1012 // the node is being restarted
	CloseShutdown    = 4001
	CloseTooSlow     = 4002
	CloseNoAnswer    = 4003
	CloseRate        = 4004
	CloseDependency  = 4005
	CloseExpired     = 4006
	CloseWithdrawn   = 4500
	CloseLeft        = 4501
	CloseBadToken    = 4502
	CloseBadProtocol = 4503
	CloseNoGrant     = 4504
	CloseApproximate = 4505
	CloseReplaced    = 4506
	CloseStoreClosed = 4507
	CloseNobody      = 4508
	CloseSuspended   = 4509
)

// Restart says what has to happen before an app may connect again after a terminal end.
type Restart string

// What clears a terminal end. The empty Restart stands for an end that may be retried.
const (
	ByDecision   Restart = "decision"   // a new decision of the shopper on a notice
	ByUser       Restart = "user"       // the shopper asks again
	ByPermission Restart = "permission" // precise location is allowed again
	ByOpens      Restart = "opens"      // the store opens, or somebody comes on duty
	ByUpdate     Restart = "update"     // a fresh token, or a newer SDK
)

// Close is one row of the table of close codes.
type Close struct {
	Code    int
	Name    string
	Retry   bool    // true: wait and try again. false: terminal until Restart
	Restart Restart // empty when Retry
	Client  string  // what the client must do
}

var closeTable = [...]Close{
	{1000, "goodbye", false, ByUser, "Nothing: the app said goodbye. Location is off."},
	{1001, "going away", true, "", "Wait and connect again."},
	{1002, "websocket protocol error", false, ByUpdate, "Stop and report: the client breaks RFC 6455."},
	{1003, "not text", false, ByUpdate, "Stop and report: frames are text."},
	{1005, "no code", true, "", "Wait and connect again."},
	{1006, "connection lost", true, "", "Wait and connect again. Never sent: it is how a lost connection is reported."},
	{1007, "not UTF-8", false, ByUpdate, "Stop and report: text is UTF-8."},
	{1008, "policy", false, ByUpdate, "Stop and report."},
	{1009, "too big", false, ByUpdate, "Stop and report: frames are at most 1 KiB."},
	{1010, "extension missing", false, ByUpdate, "Stop and report: no extension is needed."},
	{1011, "internal error", true, "", "Wait and connect again."},
	{1012, "restarting", true, "", "Wait and connect again."},
	{1013, "try again later", true, "", "Wait and connect again."},
	{1015, "TLS failed", true, "", "Wait and connect again. Never sent. A pinned key that does not match is terminal in the app itself."},
	{4001, "shutting down", true, "", "Wait a random time and connect again."},
	{4002, "too slow", true, "", "Connect again and read faster; fetch a newer fence first if one was announced."},
	{4003, "no answer", true, "", "Nothing acceptable came for the lease. Back to the local fence; connect again when a fix is inside."},
	{4004, "rate", true, "", "Wait, connect again, and keep to min_ms."},
	{4005, "dependency unavailable", true, "", "Wait and connect again: consent could not be confirmed."},
	{4006, "token or ticket expired", true, "", "Get a fresh token and a fresh ticket, then connect again."},
	{4500, "withdrawn or revoked", false, ByDecision, "Location off. Show that it was stopped; connect only after a new decision."},
	{4501, "left the store", false, ByUser, "Location off. Say so; for 10 minutes offer \"Still inside?\"."},
	{4502, "bad token", false, ByUpdate, "Ask the app's backend for a fresh token; connect only with that."},
	{4503, "bad protocol", false, ByUpdate, "Stop and report: the SDK must be updated."},
	{4504, "no grant", false, ByDecision, "Location off. Show the notice again if the shopper asks."},
	{4505, "approximate location only", false, ByPermission, "Ask for precise location once; offer a check-in by hand."},
	{4506, "replaced", false, ByUser, "A newer connection of this installation is on. Do not fight it."},
	{4507, "store closed", false, ByOpens, "Location off until the store opens."},
	{4508, "nobody on duty", false, ByOpens, "Say that nobody is there, and ask for a ticket only when the shopper does or the store says so."},
	{4509, "app suspended", false, ByUpdate, "Stop and report: the app asked for what is undeclared too often, and gets no ticket until the operator lifts it or time does."},
}

// Closes returns the whole table, by ascending code.
func Closes() []Close { return append([]Close(nil), closeTable[:]...) }

// LookupClose returns the row of a code. Unknown ones follow the ranges: 4000–4499 may be tried
// again; whatever else is unknown is terminal.
func LookupClose(code int) Close {
	for _, c := range closeTable {
		if c.Code == code {
			return c
		}
	}
	if code >= 4000 && code < 4500 {
		return Close{Code: code, Name: "unknown", Retry: true, Client: "Wait and connect again."}
	}
	return Close{Code: code, Name: "unknown", Restart: ByUpdate, Client: "Stop and report: the SDK must be updated."}
}

// reasonCloses maps why a session ended to its close code.
var reasonCloses = [...]struct {
	reason string
	code   int
}{
	{"left_store", CloseLeft}, {"phone_outside", CloseLeft}, {"seems_out", CloseLeft},
	{"silent", CloseNoAnswer}, {"store_closed", CloseStoreClosed},
	{"withdrawn", CloseWithdrawn}, {"revoked", CloseWithdrawn}, {"superseded", CloseWithdrawn}, {"erased", CloseWithdrawn},
	{"expired", CloseNoGrant}, {"replaced", CloseReplaced}, {"map_changed", CloseTooSlow},
	{"lost", CloseDependency}, {"bye", CloseBye}, {"off_duty", CloseNobody}, {"approximate", CloseApproximate},
}

// CloseFor returns the row that belongs to the reason of an end (geofence.Reason, consent.Reason,
// or "approximate"). An unknown reason is answered as a lost dependency: fail closed, try again.
func CloseFor(reason string) Close {
	for _, r := range reasonCloses {
		if r.reason == reason {
			return LookupClose(r.code)
		}
	}
	return LookupClose(CloseDependency)
}
