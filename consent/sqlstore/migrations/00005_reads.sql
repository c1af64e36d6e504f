-- +goose Up
-- Who reads what, beyond a look at a dot; and what is told of many together. Nothing here is a position.

-- A read is a look, or what left otherwise. Looks from before are views by the retailer's own staff.
ALTER TABLE look ADD COLUMN kind TEXT NOT NULL DEFAULT 'view';
ALTER TABLE look ADD COLUMN company TEXT NOT NULL DEFAULT ''; -- whose staff, or who received it; empty: the controller's own
ALTER TABLE look ADD COLUMN reason TEXT NOT NULL DEFAULT ''; -- sealed
ALTER TABLE look ADD COLUMN people BIGINT NOT NULL DEFAULT 1; -- how many decided on it

-- A read that was refused: who tried, and why not. Not of whom.
CREATE TABLE refused_read (
  id         TEXT PRIMARY KEY,
  store      TEXT NOT NULL,
  reader     TEXT NOT NULL, -- shift pseudonym
  role       TEXT NOT NULL,
  team       TEXT NOT NULL,
  code       TEXT NOT NULL,
  refused_at BIGINT NOT NULL
);
CREATE INDEX refused_read_age ON refused_read (refused_at);

-- What takes two people: one moves it, another carries it.
CREATE TABLE motion (
  id         TEXT PRIMARY KEY,
  kind       TEXT NOT NULL, -- break_glass, hold, disclosure
  store      TEXT NOT NULL,
  body       TEXT NOT NULL, -- what is moved, sealed for a day
  mover      TEXT NOT NULL, -- pseudonym
  moved_at   BIGINT NOT NULL,
  until      BIGINT NOT NULL, -- not carried after this
  seconder   TEXT NOT NULL, -- empty until it is carried
  carried_at BIGINT NOT NULL
);
CREATE INDEX motion_age ON motion (kind, moved_at);

-- A legal hold in force, or one that was. It keeps proofs and reads from being pruned, never a position.
CREATE TABLE hold (
  id        TEXT PRIMARY KEY,
  store     TEXT NOT NULL,   -- empty: one proof
  from_at   BIGINT NOT NULL, -- of what was recorded in this span
  to_at     BIGINT NOT NULL,
  leaf      BIGINT NOT NULL, -- its place in the log; -1: all of the store's span
  reason    TEXT NOT NULL,
  mover     TEXT NOT NULL,
  seconder  TEXT NOT NULL,
  since     BIGINT NOT NULL,
  until     BIGINT NOT NULL,
  lifted_by TEXT NOT NULL,
  lifted_at BIGINT NOT NULL  -- 0 while it is in force
);

-- A request from outside, and what became of it; nobody is named in it but who asked and who decided.
CREATE TABLE disclosure (
  id        TEXT PRIMARY KEY,
  store     TEXT NOT NULL,
  recipient TEXT NOT NULL,
  reason    TEXT NOT NULL,
  fields    TEXT NOT NULL, -- JSON array
  refused   BIGINT NOT NULL,
  mover     TEXT NOT NULL,
  seconder  TEXT NOT NULL, -- empty for one that was refused
  at        BIGINT NOT NULL
);
CREATE INDEX disclosure_age ON disclosure (at);

-- That a visit was, for an incident's sake, in minutes. Gone after eight days.
CREATE TABLE stay (
  visit     TEXT PRIMARY KEY, -- as looks refer to it: a phone's handle and the epoch
  subject   TEXT NOT NULL,
  store     TEXT NOT NULL,
  purposes  TEXT NOT NULL, -- JSON array
  opened_at BIGINT NOT NULL,
  ended_at  BIGINT NOT NULL -- 0: its end is not known
);
CREATE INDEX stay_age ON stay (opened_at);
CREATE INDEX stay_subject ON stay (subject);

-- What a node counted in a window that is about to close, 25 at most. It goes when the window closes.
CREATE TABLE zone_part (
  store     TEXT NOT NULL,
  opened_at BIGINT NOT NULL,
  node      TEXT NOT NULL,
  zone      TEXT NOT NULL,
  map       TEXT NOT NULL,
  people    BIGINT NOT NULL,
  PRIMARY KEY (store, opened_at, node, zone)
);

-- A window that has closed; map is empty if it is withheld.
CREATE TABLE zone_window (
  store     TEXT NOT NULL,
  opened_at BIGINT NOT NULL,
  map       TEXT NOT NULL,
  PRIMARY KEY (store, opened_at)
);

-- The zones in it that are not few.
CREATE TABLE zone_band (
  store     TEXT NOT NULL,
  opened_at BIGINT NOT NULL,
  zone      TEXT NOT NULL,
  band      TEXT NOT NULL,
  PRIMARY KEY (store, opened_at, zone)
);
