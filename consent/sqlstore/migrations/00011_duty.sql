-- +goose Up
-- Who is signed in is signed in for purposes; an empty one is for all of them. Nodes write it anew every half minute.
DROP TABLE duty;
CREATE TABLE duty (
  node    TEXT NOT NULL,
  store   TEXT NOT NULL,
  purpose TEXT NOT NULL,
  until   BIGINT NOT NULL,
  PRIMARY KEY (node, store, purpose)
);
CREATE INDEX duty_store ON duty (store);
