// SPDX-License-Identifier: Apache-2.0

/**
 * The shapes that cross the client's boundary. Units: metres, degrees WGS 84, Unix milliseconds of
 * server time (names ending in `_t`, or `t`).
 *
 * @typedef {Record<string, unknown>} Frame  One message on the socket, either way.
 *
 * @typedef {object} Reading  What the phone's location service (or a simulator) reports.
 * @property {number} lat
 * @property {number} lng
 * @property {number} accuracyM  Radius in metres. Zero or missing means unknown, and is not used.
 * @property {"p68"|"p95"|"unknown"} [basis]  What the radius means; browsers report p95.
 * @property {number|null} [level]  The floor, if the phone knows it.
 * @property {number|null} [speedMps]
 * @property {number|null} [headingDeg]
 * @property {"os"|"gnss"|"wifi"|"ble"|"tag"|"web"|"sim"} [source]
 * @property {boolean} [mocked]
 * @property {number} [capturedAt]  When it was measured, on the monotonic clock given to the client.
 *
 * @typedef {object} Block
 * @property {string} key
 * @property {string} title
 * @property {string} text
 * @property {unknown} [links]
 *
 * @typedef {object} PromptChoice
 * @property {"visit"|"term"|"no"|"not_now"} choice
 * @property {string} label
 *
 * @typedef {object} Prompt
 * @property {string} served_id
 * @property {number} expires_t
 * @property {boolean} may_prompt
 * @property {string} purpose
 * @property {{id: string, version: string|number, hash: string, lang: string, dir?: "ltr"|"rtl", jurisdiction?: string, signature?: string}} notice
 * @property {string} title
 * @property {Block[]} blocks
 * @property {PromptChoice[]} choices
 * @property {{indicator?: Record<string, string>, ends?: Record<string, string>}} [texts]
 * @property {string} [digest]
 *
 * @typedef {object} Decision
 * @property {string} record_id
 * @property {"given"|"renewed"|"refused"|"deferred"} state  renewed: in place of what was in force
 * @property {string} receipt
 * @property {string} [stop_token]
 * @property {number} [expires_t]
 *
 * @typedef {object} Grant  A decision in force, as this phone remembers it.
 * @property {string} store
 * @property {string} purpose
 * @property {string} recordId
 * @property {string} receipt
 * @property {string} stopToken
 * @property {number} [expiresT]
 * @property {boolean} visitOnly
 * @property {number} [pocketMs]  How long it lets the app go on that is not on screen, if it does.
 *
 * @typedef {"grant"|"store"|"all"} Scope
 *
 * @typedef {object} Removed  What a withdrawal took away.
 * @property {number} nodes
 * @property {number} consoles
 * @property {number} ms
 *
 * @typedef {object} WithdrawalResult
 * @property {string} id
 * @property {string} receipt
 * @property {Removed} removed
 * @property {"http"|"socket"} via  Which way confirmed first.
 * @property {number} phoneMs  From the tap until location was off on this phone.
 * @property {number} storeMs  From the tap until the store confirmed.
 *
 * @typedef {object} Erasure
 * @property {string} id
 * @property {string} proof  Compact JWS, `typ` erasure-proof+jwt: what was removed, what stays, until when and why. See ErasureClaims.
 *
 * @typedef {object} ErasureClaims  What a proof says, once it is read.
 * @property {string} sub  The pseudonym, as in receipts.
 * @property {string} jti  The id of the erasure.
 * @property {number} iat  Unix seconds.
 * @property {{removed: Record<string, number>, stays: {what: string, count?: number, until?: string, why: string}[], log: Record<string, unknown>}} erasure
 *
 * @typedef {object} Export  Everything that is kept, see http-export.json.
 * @property {number} t
 * @property {string} subject  The pseudonym, as in receipts.
 * @property {{record: Record<string, unknown>, choice: PromptChoice["choice"], state: string, expires_t?: number, ended_t?: number, log_index: number, receipt: string, forms: {dpv: unknown, kantara?: unknown}}[]} decisions
 * @property {{id: string, t: number, log_index: number, receipt: string, forms: {dpv: unknown, kantara?: unknown}}[]} ends
 * @property {{store: string, app: string, purpose: string, notice: string, lang: string, served_t: number, expires_t: number}[]} notices_served
 * @property {{store: string, installation: string, visit: string, position: Record<string, unknown>|null}[]} scopes
 * @property {{store: string, given_t: number}[]} stop_tokens
 * @property {Record<string, unknown>[]} journal
 * @property {{store: string, purposes: string[], from_t: number, to_t?: number}[]} visits
 * @property {{id: string, store: string, kind: string, purpose: string, topic?: string, ref?: string, state: string, show_me?: boolean, location_off?: boolean, raised_t: number, changed_t: number}[]} alerts
 * @property {{kind: string, store?: string, recipient?: string, reason: string, fields?: string[], asked_t: number, until_t: number, approved_t?: number}[]} requests
 *
 * @typedef {object} View  Everything a face needs, in one value. Replaced whole at each change.
 * @property {import("./machine.js").State} state
 * @property {string|null} store
 * @property {string[]} purposes
 * @property {string[]} among  Stores that overlap here, for the shopper to pick one: see Client.pick.
 * @property {boolean} pocket  Going on without a screen; the app shows the system's indicator.
 * @property {string|null} word  "Maple ▲ green", while a session is open.
 * @property {{by: string, team: string, company: string, emergency: boolean, since: number}|null} seen
 * @property {{reason: string, code: number, t: number, restart: string}|null} end  Stays until dismissed.
 * @property {string|null} pausedBy
 * @property {{code: string, title: string, retryAt: number}|null} obstacle  Why a session could not be opened.
 * @property {Record<string, "sent"|"seen"|"coming"|"done">} help
 * @property {{id: string, text: string, until: number}|null} call
 * @property {number} leaseUntil
 * @property {number} acceptedSeq
 * @property {Record<string, number>} refused
 * @property {WithdrawalResult|null} withdrawal
 * @property {boolean} stopQueued  A stop was made and the store has not confirmed it yet.
 * @property {{code: string, title: string, remedy: string}|null} stopRefused  The store cannot take the stop as it is: nothing was withdrawn. Say so, and offer to stop everything.
 * @property {boolean} erasing  An erasure was asked for and the store has not confirmed it yet.
 * @property {Erasure|null} erasure  The last one, with its proof, until forgetProof.
 */

export {};
