-- +goose Up
-- What an administrator says of a store besides its map. A row exists from the first change on.
CREATE TABLE store_setting (
  store  TEXT PRIMARY KEY,
  hours  TEXT NOT NULL,   -- as OpenStreetMap writes them; empty: always open
  zone   TEXT NOT NULL,   -- IANA time zone of the hours
  closed BIGINT NOT NULL  -- 1: closed, whatever the hours say
);

-- Every change of a store, and the pseudonym of who made it.
CREATE TABLE store_change (
  change     BIGINT PRIMARY KEY,
  store      TEXT NOT NULL,
  what       TEXT NOT NULL,
  by_whom    TEXT NOT NULL,
  changed_at BIGINT NOT NULL
);
CREATE INDEX store_change_store ON store_change (store, change);
