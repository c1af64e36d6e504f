-- +goose Up
-- Whose it is, by the handle, so that an erasure finds it: what servers tell each other, and what takes two people.
-- What there is lives for a day at most and does not say whose it is, so it is let go: every node starts anew, and
-- whatever waits for a second person is asked for again.
DELETE FROM feed;
UPDATE counter SET floor = change;
DELETE FROM outbox;
DELETE FROM motion;

ALTER TABLE feed ADD COLUMN subject TEXT NOT NULL DEFAULT '';   -- empty: nobody's
ALTER TABLE outbox ADD COLUMN subject TEXT NOT NULL DEFAULT '';
ALTER TABLE motion ADD COLUMN subject TEXT NOT NULL DEFAULT '';
CREATE INDEX feed_subject ON feed (subject);
CREATE INDEX outbox_subject ON outbox (subject);
