// SPDX-License-Identifier: Apache-2.0

/**
 * The H3 cells that come with a fence, for a phone that has an H3 library and would rather not test
 * the polygons each time. A cell stands for all of its descendants. They speak of all levels together:
 * inside is on one of them at least.
 */
export class Cells {
  /** @param {{res: number, inside: string[], edge: string[]}} json */
  constructor({ res, inside, edge }) {
    /** The resolution at which at() wants a point's cell. */
    this.res = res;
    /** @type {Map<bigint, "inside"|"edge">} */
    this.says = new Map();
    for (const name of inside) this.says.set(BigInt(`0x${name}`), "inside");
    for (const name of edge) this.says.set(BigInt(`0x${name}`), "edge");
  }

  /**
   * What a point's cell says of it. At an "edge" the polygons must decide.
   * @param {string} name the cell, of resolution res, in hexadecimal @returns {"inside"|"edge"|"outside"}
   */
  at(name) {
    const cell = BigInt(`0x${name}`);
    if (resOf(cell) !== this.res) return "edge";
    for (let res = this.res; res >= 0; res--) {
      const what = this.says.get(parentOf(cell, res));
      if (what) return what;
    }
    return "outside";
  }
}

// An H3 index has its resolution in bits 52 to 55 and from bit 42 down one digit of three bits per
// resolution; those that it does not use are 7 (h3geo.org, "H3 index bit layout").

/** @param {bigint} cell */
function resOf(cell) { return Number((cell >> 52n) & 15n); }

/** @param {bigint} cell @param {number} res */
function parentOf(cell, res) {
  return (cell & ~(15n << 52n)) | (BigInt(res) << 52n) | ((1n << BigInt(3 * (15 - res))) - 1n);
}
