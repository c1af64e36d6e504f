// SPDX-License-Identifier: Apache-2.0

/** A square of about 111 m with its corner at 54 N 3 E, and a zone in its middle. */
export const FENCE = {
  store: "s1", name: "Test store", version: "v1", bearing: 0,
  levels: [{ ordinal: 0, name: "Ground", boundary: [[[[3, 54], [3.0017, 54], [3.0017, 54.001], [3, 54.001], [3, 54]]]] }],
  doors: [{ name: "Front", level: 0, at: [3.00085, 54] }],
  zones: [{ id: "z1", name: "Shoes", level: 0, polygon: [[[3.0005, 54.0003], [3.001, 54.0003], [3.001, 54.0007], [3.0005, 54.0007], [3.0005, 54.0003]]] }],
};
export const INSIDE = { lat: 54.0005, lng: 3.00085, accuracyM: 6, level: 0, source: /** @type {const} */ ("sim") };
export const OUTSIDE = { ...INSIDE, lat: 53.9996 };
export const FAR = { ...INSIDE, lat: 53.99 };
