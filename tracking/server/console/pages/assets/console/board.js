// SPDX-License-Identifier: Apache-2.0

/**
 * What the console knows, and for how long it may. Pure: it is told the time, and touches neither
 * page nor network. An alert is durable; zone, word and position are joined to it live, and leave
 * it again long before the alert ends.
 *
 * @typedef {{id: string, name: string, level: number|null, likely?: boolean}} Zone
 * @typedef {{case: string, t?: number, desk?: string, proxy?: boolean, store?: string}} Booking
 * @typedef {object} Item
 * @property {string} key  of this page's own making; says nothing about the shopper
 * @property {string|null} id  null once it is over for good
 * @property {string} kind
 * @property {string} state
 * @property {number} version
 * @property {boolean} mine
 * @property {string} holder
 * @property {string} topic
 * @property {string} ref
 * @property {string} presence
 * @property {string} reason
 * @property {boolean} showMe
 * @property {number} raisedT
 * @property {number} changedT
 * @property {number} dueT
 * @property {string} desk  for a call: the zone to come to
 * @property {Booking|null} booking  what the reference was found to be
 * @property {string} rule  what staff read of the retailer's rule; joined live
 * @property {string} atDesk  for a call: near or at; joined live
 * @property {string} priority  low or high, or nothing
 * @property {boolean} came  it was said that whoever was called is there
 * @property {boolean} quiet  others are told of it: no sound here
 * @property {Zone|null} zone
 * @property {string} word
 * @property {number} endedAt  monotonic, 0 while it is not over
 *
 * @typedef {{key: string, id: string, x: number, y: number, accuracyM: number, level: number|null, at: number, kind: string}} Dot
 * @typedef {{type: "new"|"escalated"|"gone"|"lost_claim"|"at_desk", item: Item, mine: boolean}} Event
 */

/** How long a gone card stays where it was, and how many ended ones are kept. */
export const LINGER_MS = 30_000;
const ENDED_MOST = 50;
const FINAL = new Set(["resolved", "expired", "gone"]);

export class Board {
  constructor() {
    /** @type {Map<string, Item>} by key, in the order of arrival */
    this.items = new Map();
    /** @type {Map<string, string>} id → key, only while it is not over */
    this.keys = new Map();
    /** @type {Map<string, Dot>} by key */
    this.dots = new Map();
    /** @type {Set<string>} ids that are over: whatever still comes about them is dropped */
    this.over = new Set();
    /** @type {Event[]} */
    this.events = [];
    this.offset = 0;
    /** in which offsets are counted */ this.epoch = "";
    this.made = 0;
    this.fresh = true;
  }

  /** @param {string} id */
  get(id) {
    const key = this.keys.get(id);
    return key ? this.items.get(key) : undefined;
  }

  /** Where this page had come to, for a socket that comes back. @returns {{since: number, epoch?: string}} */
  get seen() { return this.epoch && this.offset ? { since: this.offset, epoch: this.epoch } : { since: 0 }; }

  /** Offsets and versions of another epoch compare with none that are held: the list begins anew. @param {string} epoch */
  counts(epoch) {
    if (epoch === this.epoch) return;
    if (this.epoch) this.clear();
    this.epoch = epoch;
  }

  /**
   * What changed while this page was away, once. What is neither among it nor open is over, and nobody knows any more how.
   * @param {any} f @param {number} now
   */
  resumed(f, now) {
    const open = new Set(f.open);
    for (const a of f.alerts) this.#put(a, now, false);
    for (const id of [...this.keys.keys()]) if (!open.has(id)) this.#end(id, "gone", "", 0, now);
    this.offset = Math.max(this.offset, f.offset ?? 0);
  }

  /** A whole list: what is not in it has ended while nobody told us. @param {any} f @param {number} now */
  snapshot(f, now) {
    const there = new Set(f.alerts.map((/** @type {any} */ a) => a.id));
    for (const id of [...this.keys.keys()]) if (!there.has(id)) this.#end(id, "gone", "", 0, now);
    for (const a of f.alerts) this.#put(a, now, this.fresh);
    this.fresh = false;
    this.offset = Math.max(this.offset, f.offset ?? 0);
  }

  /** One durable change. @param {any} f @param {number} now */
  alert(f, now) {
    this.#put(f.alert, now, false);
    this.offset = Math.max(this.offset, f.offset ?? 0);
  }

  /** An alert as the answer to an action has it: what is joined live, only the socket knows. @param {any} a @param {number} now */
  answered(a, now) { this.#put(a, now, false, false); }

  /** Hidden and back, at once. @param {any} f */
  presence(f) {
    const item = this.get(f.alert);
    if (item) this.#presence(item, f.presence);
  }

  /** Where, in words. @param {any} f */
  live(f) {
    const item = this.get(f.alert);
    if (!item || item.presence !== "visible") return;
    item.zone = f.zone ?? null;
    if (f.word) item.word = f.word;
    item.rule = f.rule ?? "";
    item.quiet = f.quiet === true;
    item.priority = f.priority ?? "";
    this.#approach(item, f.at_desk ?? "");
  }

  /** A position, already found fresh. @param {any} f @param {number} now */
  position(f, now) {
    const item = this.get(f.alert);
    if (!item || item.presence !== "visible") return;
    this.dots.set(item.key, {
      key: item.key, id: f.alert, x: f.x, y: f.y, accuracyM: f.accuracy_m ?? 0, level: f.level ?? null, at: now, kind: item.kind,
    });
  }

  /** Final: kind, reason and time stay, nothing else. @param {any} f @param {number} now */
  gone(f, now) {
    this.offset = Math.max(this.offset, f.offset ?? 0);
    this.#end(f.alert, "gone", f.reason ?? "", f.t ?? 0, now);
  }

  /** Nobody looks at this one any more. @param {string} id */
  lookAway(id) {
    const key = this.keys.get(id);
    if (key) this.dots.delete(key);
  }

  /** No position may be shown now. */
  blank() { this.dots.clear(); }

  /** Nothing that says where may be shown now. */
  forgetPlaces() {
    this.blank();
    for (const item of this.items.values()) {
      unjoin(item);
    }
  }

  /** Everything goes: signed out, or alone for too long. */
  clear() {
    this.items.clear();
    this.keys.clear();
    this.blank();
    this.fresh = true;
    this.offset = 0;
  }

  /** Takes the events since the last call. */
  takeEvents() {
    const events = this.events;
    this.events = [];
    return events;
  }

  /** @param {"open"|"mine"|"ended"} tab @param {number} now monotonic @returns {Item[]} */
  tab(tab, now) {
    const all = [...this.items.values()];
    if (tab === "ended") return all.filter((i) => i.endedAt > 0).sort((a, b) => b.endedAt - a.endedAt);
    const here = all.filter((i) => i.endedAt === 0 || (i.state === "gone" && now - i.endedAt < LINGER_MS));
    return (tab === "mine" ? here.filter((i) => i.mine) : here).sort(byUrgency);
  }

  /** Alerts that nobody has, per zone: what the map may show of them. @returns {Map<string, {zone: Zone, items: Item[]}>} */
  byZone() {
    /** @type {Map<string, {zone: Zone, items: Item[]}>} */
    const zones = new Map();
    for (const item of this.items.values()) {
      if (!item.zone || item.endedAt > 0 || item.presence !== "visible" || this.dots.has(item.key)) continue;
      const entry = zones.get(item.zone.id) ?? { zone: item.zone, items: [] };
      entry.items.push(item);
      zones.set(item.zone.id, entry);
    }
    return zones;
  }

  /** @param {any} a @param {number} now @param {boolean} quietly @param {boolean} [live] whether it comes with what is joined to it */
  #put(a, now, quietly, live = true) {
    if (this.over.has(a.id)) return;
    if (FINAL.has(a.state)) {
      if (this.keys.has(a.id)) this.#end(a.id, a.state, a.reason ?? "", a.changed_t, now);
      else if (a.state !== "gone") this.over.add(a.id);
      return;
    }
    const known = this.get(a.id);
    if (known && a.version <= known.version) {
      if (live && a.version === known.version) this.#joined(known, a);
      return;
    }
    const item = known ?? this.#make(a);
    const before = { state: item.state, mine: item.mine };
    Object.assign(item, {
      kind: a.kind, state: a.state, version: a.version, mine: Boolean(a.mine), holder: a.holder_tag || a.holder || "", topic: a.topic ?? "",
      ref: a.ref ?? "", reason: a.reason ?? "", showMe: Boolean(a.show_me), raisedT: a.raised_t, changedT: a.changed_t, dueT: a.due_t ?? 0,
      desk: a.desk ?? "", booking: a.booking ?? null,
    });
    if (live) this.#joined(item, a);
    if (!item.mine && !item.showMe) this.dots.delete(item.key);
    if (quietly) return;
    if (!known) this.events.push({ type: "new", item, mine: item.mine });
    else if (a.state === "escalated" && before.state !== "escalated") this.events.push({ type: "escalated", item, mine: item.mine });
    else if (before.mine && !item.mine && a.state === "claimed") this.events.push({ type: "lost_claim", item, mine: true });
  }

  /** What comes with an alert but is not part of it. @param {Item} item @param {any} a */
  #joined(item, a) {
    if (a.presence) this.#presence(item, a.presence);
    if (item.presence === "visible" && a.zone) item.zone = a.zone;
    if (item.presence === "visible" && a.word) item.word = a.word;
    item.priority = a.priority ?? "";
    item.quiet = a.quiet === true;
    if (item.presence !== "visible") return;
    item.rule = a.rule ?? "";
    this.#approach(item, a.at_desk ?? "");
  }

  /** Whoever was called comes nearer, which is told once. @param {Item} item @param {string} at */
  #approach(item, at) {
    item.atDesk = at;
    if (at !== "at" || item.came) return;
    item.came = true;
    if (!this.fresh) this.events.push({ type: "at_desk", item, mine: item.mine });
  }

  /** @param {Item} item @param {string} presence */
  #presence(item, presence) {
    item.presence = presence;
    if (presence === "visible") return;
    unjoin(item);
    this.dots.delete(item.key);
  }

  /** @param {any} a @returns {Item} */
  #make(a) {
    const key = `k${++this.made}`;
    /** @type {Item} */
    const item = {
      key, id: a.id, kind: a.kind, state: "", version: 0, mine: false, holder: "", topic: "", ref: "", presence: "visible", reason: "",
      showMe: false, raisedT: 0, changedT: 0, dueT: 0, zone: null, word: "", endedAt: 0, desk: "", booking: null, rule: "", atDesk: "", priority: "", quiet: false, came: false,
    };
    this.items.set(key, item);
    this.keys.set(a.id, key);
    return item;
  }

  /** @param {string} id @param {string} state @param {string} reason @param {number} t @param {number} now */
  #end(id, state, reason, t, now) {
    this.over.add(id);
    const item = this.get(id);
    if (!item) return;
    this.keys.delete(id);
    this.dots.delete(item.key);
    const { mine } = item;
    Object.assign(item, {
      id: null, state, reason, version: 0, holder: "", topic: "", ref: "", presence: "gone", showMe: false, raisedT: 0, dueT: 0,
      changedT: t, endedAt: now, desk: "", booking: null, priority: "", quiet: false, came: false,
    });
    unjoin(item);
    if (state === "gone") this.events.push({ type: "gone", item, mine });
    const ended = [...this.items.values()].filter((i) => i.endedAt > 0);
    for (const old of ended.slice(0, Math.max(0, ended.length - ENDED_MOST))) this.items.delete(old.key);
  }
}

/** Where somebody is, and what follows from it, goes together. @param {Item} item */
function unjoin(item) {
  Object.assign(item, { zone: null, word: "", rule: "", atDesk: "" });
}

const RANK = ["escalated", "raised_high", "raised", "raised_low", "claimed", "snoozed"];

/** @param {Item} item */
function rank(item) {
  if (item.state === "gone") return RANK.indexOf("raised");
  if (item.kind === "emergency") return -1;
  return RANK.indexOf(item.state === "raised" && item.priority ? `raised_${item.priority}` : item.state);
}

/** A broken glass first, then what is escalated, then by priority, then by age: the longest wait on top, so that a new one pushes no other of its rank. @param {Item} a @param {Item} b */
function byUrgency(a, b) {
  return rank(a) - rank(b) || Number(a.key.slice(1)) - Number(b.key.slice(1));
}
