// SPDX-License-Identifier: Apache-2.0

/**
 * Words in English, Chinese and Arabic, and the page's language and theme. The choice of both, of the single keys, and whether several
 * people use this device, is all that is ever written to this browser by the console.
 *
 * @typedef {"en"|"zh"|"ar"} Lang
 * @typedef {Record<string, [en: string, zh: string, ar: string]>} Table
 */

/** @type {readonly Lang[]} */
export const LANGS = ["en", "zh", "ar"];
/** @type {Record<Lang, string>} */
export const LANG_NAMES = { en: "English", zh: "中文", ar: "العربية" };

const LANG_KEY = "doorstep-lang";
const THEME_KEY = "doorstep-theme";

/** @param {string} key */
export function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} value */
export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // a browser that keeps nothing is a browser like any other
  }
}

/** Whether every text is to be longer than any language makes it, for whoever looks at the pages before they are translated. */
const stretched = () => remembered(LANG_KEY) === "pseudo";

/** A text as the longest of languages might have it: 40 % more, and marked at both ends. @param {string} text */
const stretch = (text) => `[${text}${" ·".repeat(Math.ceil(text.length * 0.2))}]`;

/** The language chosen here, else the browser's, else English. @returns {Lang} */
export function language() {
  const wanted = [remembered(LANG_KEY), ...navigator.languages];
  for (const w of wanted) {
    const found = LANGS.find((l) => w?.toLowerCase().startsWith(l));
    if (found) return found;
  }
  return "en";
}

/** @param {Lang} lang */
export function chooseLanguage(lang) {
  remember(LANG_KEY, lang);
  location.reload();
}

/** @returns {"light"|"dark"|"auto"} */
export function theme() {
  const t = remembered(THEME_KEY);
  return t === "light" || t === "dark" ? t : "auto";
}

/** @param {"light"|"dark"|"auto"} t */
export function chooseTheme(t) {
  remember(THEME_KEY, t);
  applyTheme(t);
}

/** @param {"light"|"dark"|"auto"} [t] */
export function applyTheme(t = theme()) {
  if (t === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = t;
}

/** Whether the page is dark now, by choice or by the system. */
export function isDark() {
  const t = theme();
  return t === "dark" || (t === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
}

/** The words of a page in one language, with its ways to write numbers and times. */
export class Words {
  /** @param {Table} table @param {Lang} lang */
  constructor(table, lang) {
    this.table = table;
    this.lang = lang;
    this.at = LANGS.indexOf(lang);
    this.stretched = stretched();
    this.clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    this.seconds = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
    this.minutes = new Intl.NumberFormat(lang, { style: "unit", unit: "minute", unitDisplay: "short" });
    this.number = new Intl.NumberFormat(lang);
  }

  /** Puts the language and its direction on the page. */
  apply() {
    document.documentElement.lang = this.lang;
    document.documentElement.dir = this.lang === "ar" ? "rtl" : "ltr";
  }

  /**
   * The words for a key, with {names} filled in.
   * @param {string} key @param {Record<string, string|number>} [values] @returns {string}
   */
  t(key, values = {}) {
    const text = this.table[key]?.[this.at] ?? key;
    return (this.stretched ? stretch(text) : text).replace(/\{(\w+)\}/g, (_, name) => {
      const v = values[name];
      return typeof v === "number" ? this.number.format(v) : String(v ?? "");
    });
  }

  /** Whether there are words for a key. @param {string} key */
  has(key) { return key in this.table; }

  /** @param {number} t Unix ms */
  time(t) { return this.clock.format(t); }
  /** @param {number} t Unix ms */
  timeSeconds(t) { return this.seconds.format(t); }

  /** "just now", "4 min". @param {number} ms */
  age(ms) {
    const minutes = Math.floor(Math.max(0, ms) / 60_000);
    return minutes === 0 ? this.t("now") : this.minutes.format(minutes);
  }
}

/** "01:07" @param {number} ms */
export function countdown(ms) {
  const total = Math.max(0, Math.ceil(ms / 1000));
  return `${String(Math.floor(total / 60)).padStart(2, "0")}:${String(total % 60).padStart(2, "0")}`;
}
