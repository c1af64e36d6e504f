-- +goose Up
-- What the registry leaves behind: notices that were in force, and counts without anybody in them.

-- A notice is entered when it is first in force and never changes; its hash is a leaf of the log.
CREATE TABLE notice (
  hash      TEXT PRIMARY KEY,
  id        TEXT NOT NULL,
  version   BIGINT NOT NULL,
  lang      TEXT NOT NULL,
  body      TEXT NOT NULL,   -- as JSON
  by_whom   TEXT NOT NULL,   -- pseudonym of who published it to a running server; empty: it came with the registry
  kept_at   BIGINT NOT NULL,
  UNIQUE (id, version, lang)
);

-- How often something happened on a day (UTC). No column names a person, a store or a visit.
CREATE TABLE tally (
  day  TEXT NOT NULL,   -- YYYY-MM-DD
  kind TEXT NOT NULL,
  app  TEXT NOT NULL,   -- the app that it was refused; empty for what no app did
  what TEXT NOT NULL,   -- reason, purpose or band of time
  n    BIGINT NOT NULL,
  PRIMARY KEY (day, kind, app, what)
);

-- Apps that asked for what is undeclared too often. A row stays, for the operator to see, until the next.
CREATE TABLE app_suspension (
  app       TEXT PRIMARY KEY,
  since     BIGINT NOT NULL,
  until     BIGINT NOT NULL, -- 0: lifted
  lifted_by TEXT NOT NULL    -- pseudonym
);
