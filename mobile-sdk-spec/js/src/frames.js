// SPDX-License-Identifier: Apache-2.0

/**
 * What each server frame does to a session. A type that is not here is unknown, and ignored.
 * @type {Record<string, (session: import("./session.js").Session, frame: any) => void>}
 */
export const frames = {
  welcome: (s, f) => s.welcome(f),
  state: (s, f) => s.state(f),
  ack: (s, f) => s.host.note({
    leaseUntil: f.lease_until ?? s.host.view().leaseUntil,
    acceptedSeq: f.accepted_seq ?? s.host.view().acceptedSeq,
    refused: f.refused ?? s.host.view().refused,
  }),
  seen: (s, f) => s.host.note({ seen: { by: f.by ?? "", team: f.team ?? "", company: f.company ?? "", emergency: f.emergency === true, since: f.since ?? 0 } }),
  unseen: (s) => s.host.note({ seen: null }),
  help_update: (s, f) => s.host.note({ help: { ...s.host.view().help, [f.id]: f.state } }),
  call: (s, f) => s.host.note({ call: { id: f.id, text: f.text ?? "", until: f.until ?? 0 } }),
  map: (s, f) => void s.changeMap(f),
  throttle: (s, f) => s.sender.slowDown(f.min_ms ?? 0, f.for_ms ?? 0),
  auth_due: (s) => void s.renewAuth(),
  time: (s, f) => s.timeAnswered(f),
  withdrawn: (s, f) => s.host.withdrawn(f),
  error: (s, f) => {
    if (f.code === "stale" || f.code === "future") s.clockRefused();
    else if (f.code === "background") s.pause("background"); // the server's count of the time in a pocket is the one that rules
    else if (f.code === "rate") s.sender.slowDown(f.retry_ms || 2_000, 10_000);
  },
};
