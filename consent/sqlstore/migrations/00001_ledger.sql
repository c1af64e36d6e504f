-- +goose Up
-- The SQL is that which SQLite and PostgreSQL share. Times are microseconds since 1970, UTC; 0 is none.
-- Identifiers of people and phones are Refs, keyed hashes; nothing here is a position or a zone.

-- One locked row: every change takes its number from it, in its own transaction.
CREATE TABLE counter (
  id        BIGINT PRIMARY KEY,
  change    BIGINT NOT NULL, -- the last number given
  floor     BIGINT NOT NULL, -- feed entries up to here are forgotten
  tree_size BIGINT NOT NULL  -- leaves in the log
);
INSERT INTO counter (id, change, floor, tree_size) VALUES (1, 0, 0, 0);

CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
INSERT INTO setting (name, value) VALUES ('ledger_generation', '1');

CREATE TABLE node (
  id        TEXT PRIMARY KEY,
  joined_at BIGINT NOT NULL,
  polled_at BIGINT NOT NULL,
  acked     BIGINT NOT NULL
);

CREATE TABLE scope (
  installation TEXT NOT NULL,
  store        TEXT NOT NULL,
  subject      TEXT NOT NULL,
  epoch        BIGINT NOT NULL,
  visit        TEXT NOT NULL UNIQUE, -- pseudonym of this epoch
  PRIMARY KEY (installation, store)
);
CREATE INDEX scope_subject ON scope (subject);

CREATE TABLE served (
  id           TEXT PRIMARY KEY,
  subject      TEXT NOT NULL,
  installation TEXT NOT NULL,
  store        TEXT NOT NULL,
  app          TEXT NOT NULL,
  purpose      TEXT NOT NULL,
  notice       TEXT NOT NULL,
  notice_id    TEXT NOT NULL,
  version      TEXT NOT NULL,
  lang         TEXT NOT NULL,
  jurisdiction TEXT NOT NULL,
  digest       TEXT NOT NULL,
  served_at    BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL
);
CREATE INDEX served_subject ON served (subject);
CREATE INDEX served_scope ON served (installation, store);

-- Grants and refusals. A grant is in force while it is live, stands at its scope's epoch, and expires_at lies ahead.
CREATE TABLE record (
  id           TEXT PRIMARY KEY,
  subject      TEXT NOT NULL,
  installation TEXT NOT NULL,
  store        TEXT NOT NULL,
  purpose      TEXT NOT NULL,
  notice       TEXT NOT NULL,
  choice       TEXT NOT NULL,
  state        TEXT NOT NULL,
  live         BIGINT NOT NULL, -- 1 while the state allows processing: given and not ended
  epoch        BIGINT NOT NULL, -- of the scope; 0 for a refusal
  decided_at   BIGINT NOT NULL,
  given_until  BIGINT NOT NULL, -- as given
  expires_at   BIGINT NOT NULL, -- as it stands
  ended_at     BIGINT NOT NULL,
  ended_by     TEXT NOT NULL,   -- id of the ending, or of the record that replaced it
  body         TEXT NOT NULL,   -- the record as JSON
  log_index    BIGINT NOT NULL,
  log_key      TEXT NOT NULL,
  receipt      TEXT NOT NULL
);
CREATE INDEX record_scope ON record (installation, store, live);
CREATE INDEX record_subject ON record (subject, purpose, choice, decided_at);
CREATE INDEX record_due ON record (expires_at) WHERE live = 1;

CREATE TABLE stop_token (
  hash         TEXT PRIMARY KEY, -- SHA-256; the token itself is nowhere
  subject      TEXT NOT NULL,
  installation TEXT NOT NULL,
  store        TEXT NOT NULL,
  given_at     BIGINT NOT NULL
);

CREATE TABLE ending (
  id        TEXT PRIMARY KEY,
  kind      TEXT NOT NULL,
  asked     TEXT NOT NULL, -- what was asked, to tell a repetition from another request
  ended_at  BIGINT NOT NULL,
  body      TEXT NOT NULL, -- the answer as JSON
  log_index BIGINT NOT NULL,
  log_key   TEXT NOT NULL
);
CREATE INDEX ending_age ON ending (kind, ended_at);

CREATE TABLE feed (
  change     BIGINT PRIMARY KEY,
  kind       TEXT NOT NULL,
  store      TEXT NOT NULL,
  entered_at BIGINT NOT NULL,
  alert      TEXT NOT NULL,
  body       TEXT NOT NULL
);
CREATE INDEX feed_age ON feed (entered_at);

-- What must be told to the world outside: ids and epochs only.
CREATE TABLE outbox (
  change     BIGINT PRIMARY KEY,
  kind       TEXT NOT NULL,
  store      TEXT NOT NULL,
  visit      TEXT NOT NULL,
  epoch      BIGINT NOT NULL,
  alert      TEXT NOT NULL,
  entered_at BIGINT NOT NULL
);

CREATE TABLE alert (
  id           TEXT PRIMARY KEY,
  store        TEXT NOT NULL,
  visit        TEXT NOT NULL,
  installation TEXT NOT NULL,
  kind         TEXT NOT NULL,
  topic        TEXT NOT NULL,
  purpose      TEXT NOT NULL,
  final        BIGINT NOT NULL, -- 1 when nothing can happen to it any more
  changed_at   BIGINT NOT NULL,
  due_at       BIGINT NOT NULL,
  body         TEXT NOT NULL
);
CREATE INDEX alert_store ON alert (store, final, changed_at);
CREATE INDEX alert_visit ON alert (visit, final);
CREATE INDEX alert_scope ON alert (installation, store, final);
CREATE INDEX alert_due ON alert (final, due_at);

CREATE TABLE alert_key (
  alert      TEXT NOT NULL,
  shift      TEXT NOT NULL,
  key        TEXT NOT NULL,
  entered_at BIGINT NOT NULL,
  body       TEXT NOT NULL, -- the version it made, as JSON
  PRIMARY KEY (alert, shift, key)
);

CREATE TABLE look (
  id        TEXT PRIMARY KEY,
  subject   TEXT NOT NULL,
  store     TEXT NOT NULL,
  visit     TEXT NOT NULL,
  alert     TEXT NOT NULL,
  reader    TEXT NOT NULL,
  role      TEXT NOT NULL,
  team      TEXT NOT NULL,
  purpose   TEXT NOT NULL,
  fields    TEXT NOT NULL, -- JSON array
  opened_at BIGINT NOT NULL,
  closed_at BIGINT NOT NULL,
  settled   BIGINT NOT NULL, -- 1 when its node has closed it; an end closes it too, without a count
  positions BIGINT NOT NULL
);
CREATE INDEX look_subject ON look (subject, opened_at);
CREATE INDEX look_visit ON look (visit);
CREATE INDEX look_age ON look (opened_at);

CREATE TABLE duty (
  node  TEXT NOT NULL,
  store TEXT NOT NULL,
  until BIGINT NOT NULL,
  PRIMARY KEY (node, store)
);
CREATE INDEX duty_store ON duty (store);

CREATE TABLE leaf (idx BIGINT PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE loghash (idx BIGINT PRIMARY KEY, hash TEXT NOT NULL);

CREATE TABLE store_map (
  store    TEXT PRIMARY KEY,
  version  TEXT NOT NULL,
  sources  TEXT NOT NULL, -- base64
  saved_at BIGINT NOT NULL
);
