-- +goose Up
-- What the world outside is told of alerts: ids, kind, epoch and times; never a place or a name.
ALTER TABLE outbox ADD COLUMN event TEXT NOT NULL DEFAULT ''; -- empty: the end of a visit
ALTER TABLE outbox ADD COLUMN alert_kind TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN version BIGINT NOT NULL DEFAULT 0;

CREATE TABLE webhook (
  id         TEXT PRIMARY KEY,
  endpoint   TEXT NOT NULL,
  event      TEXT NOT NULL,
  store      TEXT NOT NULL,
  subject    TEXT NOT NULL, -- handle; empty once whose it was is erased
  alert      TEXT NOT NULL, -- mark
  visit      TEXT NOT NULL, -- mark
  alert_kind TEXT NOT NULL,
  purpose    TEXT NOT NULL,
  epoch      BIGINT NOT NULL,
  version    BIGINT NOT NULL,
  happened   BIGINT NOT NULL,
  state      TEXT NOT NULL,
  attempts   BIGINT NOT NULL,
  due_at     BIGINT NOT NULL,
  fault      TEXT NOT NULL,
  body       TEXT NOT NULL  -- the visit's and the alert's ids, sealed for the day
);
CREATE INDEX webhook_due ON webhook (state, due_at);
CREATE INDEX webhook_alert ON webhook (alert, endpoint);
CREATE INDEX webhook_visit ON webhook (visit);
CREATE INDEX webhook_subject ON webhook (subject);
CREATE INDEX webhook_age ON webhook (happened);

-- What one node does for all: who it is, and until when.
CREATE TABLE lease (
  name   TEXT PRIMARY KEY,
  holder TEXT NOT NULL,
  until  BIGINT NOT NULL
);
INSERT INTO setting (name, value) VALUES ('webhooks_told', '0'); -- the change up to which deliveries were made
