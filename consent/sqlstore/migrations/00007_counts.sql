-- +goose Up
-- Whoever was counted in a window that is about to close, at whichever node: a mark is good for one zone and one window,
-- and is kept under the key of the day. It goes when the window closes. What nodes had handed in as numbers is told too low.
DROP TABLE zone_part;
CREATE TABLE zone_part (
  store     TEXT NOT NULL,
  opened_at BIGINT NOT NULL,
  zone      TEXT NOT NULL,
  mark      TEXT NOT NULL,
  map       TEXT NOT NULL, -- empty if nodes counted by different ones
  PRIMARY KEY (store, opened_at, zone, mark)
);
