// SPDX-License-Identifier: Apache-2.0

/** One voice a kind: frequencies in Hz, one after the other. What is gone is silent. @type {Record<string, number[]>} */
const VOICES = { help: [659, 880, 659], arrived: [523, 784], waiting: [440, 440], called: [587, 740], rule: [494], emergency: [880, 659, 880] };
const APART_MS = 20_000;

/** Sound, after one deliberate gesture, and not more than one in twenty seconds. */
export class Sound {
  constructor() {
    /** @type {AudioContext|null} */ this.audio = null;
    this.lastAt = -Infinity;
  }

  get on() { return this.audio !== null && this.audio.state === "running"; }

  /** Must be called from a click or a key. */
  async toggle() {
    if (this.audio) {
      await this.audio.close();
      this.audio = null;
      return;
    }
    this.audio = new AudioContext();
    await this.audio.resume();
    this.#play([523, 659]);
  }

  /** @param {string} kind */
  alert(kind) {
    const now = performance.now();
    if (!this.on || now - this.lastAt < APART_MS) return;
    this.lastAt = now;
    this.#play(VOICES[kind] ?? [494]);
  }

  /** @param {number[]} notes */
  #play(notes) {
    const audio = this.audio;
    if (!audio) return;
    notes.forEach((frequency, i) => {
      const at = audio.currentTime + i * 0.16;
      const voice = audio.createOscillator(), volume = audio.createGain();
      voice.type = "sine";
      voice.frequency.value = frequency;
      volume.gain.setValueAtTime(0, at);
      volume.gain.linearRampToValueAtTime(0.22, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.001, at + 0.3);
      voice.connect(volume).connect(audio.destination);
      voice.start(at);
      voice.stop(at + 0.32);
    });
  }
}
