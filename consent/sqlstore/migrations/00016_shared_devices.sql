-- +goose Up
-- A sign-in on a device that several people use, one at a time: it is locked when nobody has done anything for a while, and
-- whoever knows its PIN goes on with it. The PIN's hash is in who, which is sealed.
ALTER TABLE sign_in ADD COLUMN device TEXT NOT NULL DEFAULT ''; -- hash of the device's secret; empty: a device of their own
ALTER TABLE sign_in ADD COLUMN acted_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sign_in ADD COLUMN locked BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sign_in ADD COLUMN wrong BIGINT NOT NULL DEFAULT 0;
CREATE INDEX sign_in_device ON sign_in (device);
