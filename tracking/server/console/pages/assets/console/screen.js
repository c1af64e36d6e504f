// SPDX-License-Identifier: Apache-2.0

import { attribute, data, h, show, text } from "../lib/dom.js";
import { countdown } from "../lib/i18n.js";
import { icon } from "../lib/icons.js";
import { Refusal, act, callTo, floorMap, signOut } from "./api.js";
import { Board } from "./board.js";
import { ended, placeName } from "./card.js";
import { askDesk } from "./desk.js";
import { ask } from "./dialogs.js";
import { Glass } from "./glass.js";
import { Header } from "./header.js";
import { Idle } from "./idle.js";
import { keysHelp, listen } from "./keys.js";
import { FORGET_MS, LOST_MS, Line } from "./line.js";
import { List } from "./list.js";
import { FloorMap } from "./map.js";
import { Sound } from "./sound.js";
import { Speech } from "./speech.js";

/** How long the word of a lost claim stays on its card. */
const SAID_MS = 6_000;
const MINUTE = 60_000;
/** How long before an alert goes back to everybody whoever has it is told. */
const WARN_MS = 60_000;

/** The signed-in console: puts what the line says on the board, and the board on the page. */
export class Screen {
  /**
   * @param {import("../lib/i18n.js").Words} words
   * @param {import("./api.js").Me} me
   * @param {(lock: boolean) => void} onEnd  whether the server is to lock the device
   */
  constructor(words, me, onEnd) {
    this.words = words;
    this.onEnd = onEnd;
    this.board = new Board();
    this.speech = new Speech();
    this.sound = new Sound();
    this.serverOffset = 0;
    this.asOf = Date.now();
    this.self = "";
    /** @type {Set<string>} alerts this page is looking at, by id */ this.looking = new Set();
    /** @type {Set<string>} alerts of this person's that they do not want to look at, by id */ this.averted = new Set();
    /** @type {Map<string, number>} by key: when it goes back, as it was last said */ this.warned = new Map();
    /** the desk that somebody was asked to come to last */ this.desk = "";
    /** @type {Set<string>} keys with a request under way */ this.busy = new Set();
    /** @type {Map<string, {text: string, good: boolean, until: number}>} by key */ this.said = new Map();
    /** @type {Map<string, string>} who else is there: shift → tag */ this.colleagues = new Map();
    /** @type {Map<string, number>} by key: how often a look was refused */ this.tries = new Map();
    /** version of the floor that is asked for or drawn */ this.fence = "";
    this.queued = this.moving = false;
    this.ending = false;
    this.second = 0;
    this.barKey = "";
    this.header = new Header({
      words, store: me.store.name, person: me.person, role: me.role, sound: this.sound, help: () => this.#help(), signOut: () => void this.#signOut(), lock: me.lock_ms ? () => this.end(true) : null,
    });
    /** on a device that several people use */ this.idle = me.lock_ms ? new Idle(me.lock_ms) : null;
    this.list = new List({
      words, board: this.board, changed: () => this.changed(), serverNow: () => Date.now() + this.serverOffset,
      levelName: (l) => this.map?.levelName(l) ?? "", zoneName: (id) => this.map?.zoneName(id) ?? "", actions: () => this.live, live: () => this.line.silentMs < LOST_MS, busy: (i) => this.busy.has(i.key),
      said: (i) => { const s = this.said.get(i.key); return s && s.until > performance.now() ? s : null; },
      select: (i) => this.#select(i), act: (i, a) => void this.#act(i, a), menu: (i) => void this.#menu(i),
    });
    this.map = new FloorMap(words, () => this.changed());
    this.glass = new Glass({
      words, role: me.role, serverNow: () => Date.now() + this.serverOffset, live: () => this.line?.status === "live", what: (id) => this.#what(id),
      say: (said) => this.speech.now(said), sound: () => this.sound.alert("emergency"), why: (r) => this.#why(r),
    });
    this.banner = h("p", { class: "banner", role: "status", hidden: true, data: { testid: "banner" } });
    this.ribbon = h("p", { class: "training", hidden: true }, words.t("training"));
    this.actions = h("div", { class: "actions", hidden: true, data: { testid: "actions" } });
    this.toggle = h("button", { type: "button", class: "toggle", data: { testid: "toggle-map" }, onclick: () => this.#toggle() }, icon("map"), h("span", {}, words.t("map")));
    this.main = h("main", { class: "work" }, this.list.el, this.map.el, this.actions, this.toggle);
    this.el = h("div", { class: "screen" }, this.header.el, this.ribbon, this.banner, this.glass.el, this.main, this.speech.polite, this.speech.urgent);
    this.line = new Line({
      frame: (f) => this.#frame(f), status: (s) => this.#status(s), tick: () => this.#tick(),
      blank: () => { this.board.blank(); this.render(); },
    }, () => this.board.seen, () => this.idle?.take() ?? false);
    this.visibility = () => this.#seen();
    document.addEventListener("visibilitychange", this.visibility);
    this.deaf = this.#keys();
    this.render();
  }

  get live() { return this.line.status === "live"; }

  /** Draws with the next picture: what comes together is drawn together. A page that is out of sight gets no pictures, and has a title. */
  changed() {
    if (this.queued) return;
    this.queued = true;
    const draw = () => { this.queued = false; this.render(); };
    if (document.hidden) setTimeout(draw, 100);
    else requestAnimationFrame(draw);
  }

  /** Draws those who move, who come many times a second, and nothing else. */
  moved() {
    if (this.queued || this.moving) return;
    this.moving = true;
    requestAnimationFrame(() => { this.moving = false; this.map.move(this.board, performance.now()); });
  }

  render() {
    if (!this.line) return;
    const now = performance.now();
    this.list.render(now);
    this.map.render(this.board, now, this.list.selected);
    this.#bar();
    const n = this.board.tab("open", now).filter((i) => i.endedAt === 0 && i.state !== "claimed").length;
    document.title = n ? `(${n}) Doorstep` : "Doorstep";
  }

  // ——— what the server says ———

  /** @param {any} f */
  #frame(f) {
    const now = performance.now();
    this.asOf = this.line.heard.wall;
    switch (f.type) {
      case "welcome": this.#welcome(f); break;
      case "snapshot": this.board.snapshot(f, now); break;
      case "resumed": this.board.resumed(f, now); break;
      case "alert": this.board.alert(f, now); break;
      case "presence": this.board.presence(f); break;
      case "live": this.board.live(f); break;
      case "position": this.board.position(f, now); break;
      case "gone": this.board.gone(f, now); break;
      case "colleagues": this.#colleagues(f); break;
      case "error": this.#lookRefused(f); break;
      default: return;
    }
    if (f.type === "gone") this.looking.delete(f.alert);
    if (f.type === "alert") this.#look(this.board.get(f.alert.id));
    if (f.type === "snapshot" || f.type === "resumed") for (const item of this.board.items.values()) this.#look(item);
    this.#tell();
    if (f.type === "gone" || f.type === "presence") this.render();
    else if (f.type === "position") this.moved();
    else this.changed();
  }

  /** @param {any} w */
  #welcome(w) {
    if (w.fence !== this.fence) void this.#loadMap(w.fence);
    this.board.counts(w.epoch ?? "");
    this.serverOffset = w.t - Date.now();
    this.self = w.person?.shift ?? "";
    show(this.ribbon, w.training === true);
    this.looking.clear();
  }

  /** Whoever has claimed an alert looks at it, unless they said not to; nobody looks from a page that is not on screen. @param {import("./board.js").Item|undefined} item */
  #look(item) {
    if (!item?.id) return;
    const { id, mine, state, showMe } = item;
    if (!mine) this.averted.delete(id);
    if (mine && state === "claimed") {
      if (!document.hidden && !this.averted.has(id)) this.#start(id);
    } else if (this.looking.has(id) && !(showMe && state !== "claimed")) this.#stop(id);
  }

  /** Whom an alert can be handed over to: whoever else is there now. @param {any} f */
  #colleagues(f) {
    this.colleagues = new Map(f.colleagues.filter((/** @type {any} */ c) => c.shift !== this.self).map((/** @type {any} */ c) => [c.shift, c.tag]));
  }

  /** A look may come before the node has heard of the claim: it is asked again, a few times. @param {any} f */
  #lookRefused(f) {
    if (!this.looking.delete(f.alert)) return;
    const item = this.board.get(f.alert);
    if (!item) return;
    const n = (this.tries.get(item.key) ?? 0) + 1;
    this.tries.set(item.key, n);
    if (item.mine && f.code === "alert_held" && n <= 3) setTimeout(() => this.board.get(f.alert) && this.#start(f.alert), 300 * n);
    else this.said.set(item.key, { text: this.words.has(f.code) ? this.words.t(f.code) : f.detail || f.code, good: false, until: performance.now() + SAID_MS });
  }

  /** @param {string} id */
  #start(id) {
    if (this.looking.has(id)) return;
    this.looking.add(id);
    this.line.send({ type: "look", alert: id });
  }

  /** @param {string} id */
  #stop(id) {
    if (!this.looking.delete(id)) return;
    this.line.send({ type: "look_away", alert: id });
    this.board.lookAway(id);
  }

  #seen() {
    if (document.hidden) {
      for (const id of [...this.looking]) this.#stop(id);
      this.board.blank();
    } else {
      for (const item of this.board.items.values()) this.#look(item);
    }
    this.render();
  }

  /** An alert in words, if this console knows it. @param {string} id */
  #what(id) {
    const item = this.board.get(id);
    return item ? this.#named(item) : "";
  }

  /** "Help, Shoes" @param {import("./board.js").Item} i */
  #named(i) {
    return [this.words.t(i.kind), i.zone ? placeName(this.words, i.zone, (l) => this.map.levelName(l)) : ""].filter(Boolean).join(", ");
  }

  #tell() {
    const { words } = this;
    for (const { type, item, mine } of this.board.takeEvents()) {
      const n = this.board.tab("open", performance.now()).filter((i) => i.endedAt === 0).length;
      if (type === "new" && !mine) {
        this.speech.say(words.t("say_new", { what: this.#named(item), n }));
        if (!item.quiet) this.sound.alert(item.kind); // others are told
      } else if (type === "new" && item.kind === "emergency") {
        this.speech.now(words.t("glass_granted", { t: words.time(item.dueT) }));
        this.#select(item);
        void this.glass.poll(); // what waited for it waits no more
      } else if (type === "escalated") {
        this.speech.now(words.t("say_escalated", { what: this.#named(item) }));
        this.sound.alert(item.kind);
      } else if (type === "at_desk") {
        this.speech.say(words.t("say_at_desk", { desk: this.map.zoneName(item.desk) }));
      } else if (type === "gone" && mine) {
        this.speech.now(words.t("say_mine_gone", { why: ended(words, item) }));
      } else if (type === "lost_claim") {
        this.speech.now(words.t("first", { who: item.holder || words.t("someone") }));
      }
    }
  }

  /** @param {import("./line.js").Status} status */
  #status(status) {
    this.header.set(status);
    data(this.el, "status", status);
    if (status === "lost") this.speech.now(this.words.t("lost"));
    if (status === "live") {
      this.speech.say(this.words.t("say_back"));
      void this.glass.poll();
    }
    if (status === "signed_out") {
      this.end();
      return;
    }
    this.#tick();
    this.render();
  }

  #tick() {
    const { words, line } = this;
    if (this.idle?.over) {
      this.end();
      return;
    }
    const lost = line.status === "lost";
    // Who has been heard again is telling what is so: it comes once, and before the first beat says that it is live.
    if (lost && line.silentMs > LOST_MS) this.board.forgetPlaces();
    if (lost && line.silentMs > FORGET_MS) this.board.clear();
    show(this.banner, lost || line.status === "unconfirmed");
    text(this.banner, lost
      ? words.t("lost_banner", { for: countdown(line.silentMs), at: words.timeSeconds(this.asOf + this.serverOffset) })
      : line.status === "unconfirmed" ? words.t("unconfirmed_banner") : "");
    const second = Math.floor(performance.now() / 500);
    if (second !== this.second) {
      this.second = second;
      this.glass.tick();
      if (this.live) this.#warn();
      this.render();
    }
  }

  /** Whoever has an alert is told before it goes back to everybody: once, for each time that it would. */
  #warn() {
    const now = Date.now() + this.serverOffset;
    for (const item of this.board.items.values()) {
      const due = item.mine && item.state === "claimed" && item.kind !== "emergency" && item.dueT - now < WARN_MS && item.dueT > now;
      if (!due || this.warned.get(item.key) === item.dueT) continue;
      this.warned.set(item.key, item.dueT);
      this.speech.now(this.words.t("say_returns", { what: this.#named(item) }));
    }
  }

  // ——— what people do ———

  /** @param {import("./board.js").Item} item */
  #select(item) {
    if (this.list.selected === item.key) return;
    this.list.select(item.key);
    if (item.zone) this.map.choose(item.zone.level);
    this.changed();
  }

  /**
   * Nothing is shown as done before the server has said so.
   * @param {import("./board.js").Item} item @param {string} action @param {Record<string, unknown>} [more]
   */
  async #act(item, action, more = {}) {
    const { id, key, version } = item;
    if (!id || !this.live || this.busy.has(key)) return;
    this.busy.add(key);
    this.said.delete(key);
    this.changed();
    try {
      this.#answered((await act(id, { action, version, ...more })).alert);
    } catch (e) {
      this.#refused(item, e instanceof Refusal ? e : new Refusal(0, {}));
    } finally {
      this.busy.delete(key);
      this.changed();
    }
  }

  /** @param {import("./board.js").Item} item @param {Refusal} refusal */
  #refused(item, refusal) {
    const { body } = refusal;
    const why = this.#why(refusal);
    if (this.ending) return;
    this.#say(item, why);
    this.#answered(body.alert);
  }

  /** What an answer says is known here at once; the socket may be a moment behind. @param {any} alert */
  #answered(alert) {
    if (!alert) return;
    this.board.answered(alert, performance.now());
    this.#look(this.board.get(alert.id));
    this.#tell();
    this.changed();
  }

  /** A refusal in words; whoever is signed out has no console any more. @param {Refusal} refusal */
  #why({ status, code, body, message }) {
    const { words } = this;
    if (status === 401) this.end();
    return code === "alert_held" ? words.t("first", { who: tag(body.holder) || words.t("someone") })
      : words.has(code) ? words.t(code) : words.t("refused", { why: status === 0 ? words.t("unreachable") : message || code });
  }

  /** On the card, and aloud. @param {import("./board.js").Item} item @param {string} text @param {boolean} [good] */
  #say(item, text, good = false) {
    this.said.set(item.key, { text, good, until: performance.now() + SAID_MS });
    this.speech.now(text);
  }

  /** What can be done to an alert: what its state allows this person. @param {import("./board.js").Item} item @returns {string[]} */
  #choices(item) {
    const look = this.looking.has(item.id ?? "") ? "look_away" : "look";
    if (item.endedAt > 0) return [];
    if (item.kind === "emergency") return item.mine ? [look, "resolve"] : [];
    const call = item.presence === "off" ? [] : ["call"]; // nobody can be seen to come who is not seen
    if (item.mine) return [look, ...call, "keep", "release", "hand_over", "snooze", "escalate", "resolve"];
    if (item.state === "claimed") return ["glass_ask"];
    return [...(item.showMe ? [look] : []), "claim", ...call, ...(item.state === "snoozed" ? [] : ["snooze"]), ...(item.state === "escalated" ? [] : ["escalate"]), "glass_ask"];
  }

  /** @param {import("./board.js").Item} item */
  async #menu(item) {
    if (!this.live || !item.id) return;
    const { words } = this;
    const id = item.id;
    const label = (/** @type {string} */ what) => words.t(what === "resolve" && item.kind === "emergency" ? "glass_end" : what);
    const answers = this.#choices(item).map((value) => ({ label: label(value), value, testid: `menu-${value.replace("_", "-")}` }));
    const chosen = await ask({ title: words.t("more"), answers, cancel: words.t("cancel") });
    if (chosen === "look") {
      this.averted.delete(id);
      this.#start(id);
    } else if (chosen === "look_away") {
      this.averted.add(id);
      this.#stop(id);
    } else if (chosen === "glass_ask") await this.#askGlass(item, id);
    else if (chosen) await this.#do(item, chosen);
    this.changed();
  }

  /** An action, after what it has to be asked for. @param {import("./board.js").Item} item @param {string} action */
  #do(item, action) {
    switch (action) {
      case "snooze": return this.#snooze(item);
      case "hand_over": return this.#handOver(item);
      case "call": return this.#call(item);
      default: return this.#act(item, action);
    }
  }

  /** Asks whoever raised it to come to a desk. @param {import("./board.js").Item} item */
  async #call(item) {
    const { words } = this;
    const { id, key } = item;
    const desk = await askDesk(words, this.map.desks(), item.booking?.desk || item.desk || this.desk);
    if (!desk || !id || !this.live || this.busy.has(key)) return;
    this.busy.add(key);
    this.changed();
    try {
      await callTo(id, desk);
      this.desk = desk;
      this.#say(item, words.t("call_done", { desk: this.map.zoneName(desk) }), true);
    } catch (e) {
      this.#refused(item, e instanceof Refusal ? e : new Refusal(0, {}));
    } finally {
      this.busy.delete(key);
      this.changed();
    }
  }

  /** @param {import("./board.js").Item} item */
  async #snooze(item) {
    const { words } = this;
    const minutes = await ask({
      title: words.t("snooze_title"), text: words.t("snooze_text"), cancel: words.t("cancel"),
      answers: [2, 5, 15].map((m) => ({ label: words.minutes.format(m), value: m, testid: `snooze-${m}` })),
    });
    if (minutes) await this.#act(item, "snooze", { until_t: Math.round(Date.now() + this.serverOffset + minutes * MINUTE) });
  }

  /** @param {import("./board.js").Item} item */
  async #handOver(item) {
    const { words } = this;
    const people = [...this.colleagues].map(([to, to_tag]) => ({ label: to_tag, value: { to, to_tag } }));
    const to = await ask({
      title: words.t("hand_title"), cancel: words.t("cancel"), answers: people, ...(people.length ? {} : { text: words.t("hand_nobody") }),
    });
    if (to) await this.#act(item, "hand_over", to);
  }

  /** @param {import("./board.js").Item} item @param {string} id */
  async #askGlass(item, id) {
    const refused = await this.glass.ask(id);
    if (refused !== null && !this.ending) this.#say(item, refused);
  }

  /** The bar of the smaller screens: the chosen alert and what can be done to it. */
  #bar() {
    const item = this.list.selected ? this.board.items.get(this.list.selected) : undefined;
    const usable = item !== undefined && item.endedAt === 0 && !(item.state === "claimed" && !item.mine);
    show(this.actions, usable);
    if (!item || !usable) {
      this.barKey = "";
      this.actions.replaceChildren();
      return;
    }
    const action = item.mine ? "resolve" : "claim";
    const key = JSON.stringify([item.key, action, item.zone, this.live, this.busy.has(item.key)]);
    if (key === this.barKey) return;
    this.barKey = key;
    const { words } = this;
    const off = this.live && !this.busy.has(item.key) ? null : "true";
    this.actions.replaceChildren(
      h("span", { class: "what", title: item.zone?.name ?? "" }, `${words.t(item.kind)}${item.zone ? ` · ${item.zone.name}` : ""}`),
      h("button", { type: "button", data: { testid: "bar-menu" }, aria: { disabled: off, label: words.t("more") }, class: "icon", onclick: () => void this.#menu(item) }, icon("more")),
      h("button", { type: "button", class: "primary", data: { testid: `bar-${action}` }, aria: { disabled: off }, onclick: () => void this.#act(item, action) }, words.t(action === "resolve" && item.kind === "emergency" ? "glass_end" : action)));
  }

  #toggle() {
    const on = this.main.dataset.view !== "map";
    data(this.main, "view", on ? "map" : null);
    this.toggle.replaceChildren(icon(on ? "list" : "map"), h("span", {}, this.words.t(on ? "list" : "map")));
    attribute(this.toggle, "aria-pressed", String(on));
  }

  #keys() {
    const chosen = () => (this.list.selected ? this.board.items.get(this.list.selected) : undefined);
    return listen({
      move: (step) => this.list.move(step),
      open: () => { const i = chosen(); if (i?.zone) this.map.choose(i.zone.level); data(this.main, "view", "map"); },
      act: (action) => {
        const i = chosen();
        // Somebody else's alert may be claimed in vain: the answer says who has it.
        if (i && this.live && (action === "claim" ? !i.mine : this.#choices(i).includes(action))) void this.#do(i, action);
      },
      menu: () => { const i = chosen(); if (i) void this.#menu(i); },
      level: (nth) => this.map.chooseNth(nth), fit: () => this.map.fit(), filter: () => this.list.openSearch(true),
      help: () => this.#help(), leave: () => { if (document.activeElement === this.list.field) { this.list.openSearch(false); this.list.move(0); } data(this.main, "view", null); },
    });
  }

  #help() {
    const { words } = this;
    void ask({ title: words.t("keys_title"), body: keysHelp(words), answers: [], cancel: words.t("close") });
  }

  /** The floor that positions are in metres of; until it is here there is none. @param {string} fence */
  async #loadMap(fence) {
    this.fence = fence;
    this.map.set(null);
    const floor = await floorMap().catch(() => null);
    if (this.fence !== fence) return;
    if (floor?.version === fence) this.map.set(floor);
    else this.fence = ""; // the next welcome tries again
    this.changed();
  }

  async #signOut() {
    await signOut().catch(() => {});
    this.end();
  }

  /** Everything goes from this page. @param {boolean} [lock]  and the server is to lock the device; when nobody has touched it, it does so by itself */
  end(lock = false) {
    if (this.ending) return;
    this.ending = true;
    this.idle?.close();
    this.deaf();
    this.board.clear();
    this.speech.clear();
    this.looking.clear();
    this.averted.clear();
    this.glass.close();
    document.removeEventListener("visibilitychange", this.visibility);
    this.line.close();
    this.render();
    document.title = "Doorstep";
    this.onEnd(lock);
  }
}
/** @param {unknown} holder a tag, or a person with one */
function tag(holder) {
  if (typeof holder === "string") return holder;
  return holder && typeof holder === "object" && "tag" in holder ? String(holder.tag) : "";
}
