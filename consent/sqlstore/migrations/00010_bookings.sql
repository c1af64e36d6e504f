-- +goose Up
-- What the retailer has booked. It is about nobody until an app presents the reference, and says only whether one has.
CREATE TABLE booking (
  ref        TEXT PRIMARY KEY, -- mark of the retailer's reference, under the key that stays
  store      TEXT NOT NULL,
  kind       TEXT NOT NULL,
  due_at     BIGINT NOT NULL,
  until      BIGINT NOT NULL, -- 0: the usual time after due_at
  desk       TEXT NOT NULL,
  proxy      BIGINT NOT NULL, -- 1: somebody else is to come
  arrived    TEXT NOT NULL,   -- mark of the alert by which it was presented first, good for a day
  entered_at BIGINT NOT NULL
);
CREATE INDEX booking_age ON booking (due_at);
