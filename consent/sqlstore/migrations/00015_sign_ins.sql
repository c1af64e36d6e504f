-- +goose Up
-- Who of the staff is signed in at a page, for every node: under the hash of the cookie's secret, and sealed.
CREATE TABLE sign_in (
  id      TEXT PRIMARY KEY,
  who     TEXT NOT NULL,
  ends_at BIGINT NOT NULL,
  used_at BIGINT NOT NULL
);
CREATE INDEX sign_in_age ON sign_in (ends_at);
