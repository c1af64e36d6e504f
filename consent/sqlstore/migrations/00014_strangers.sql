-- +goose Up
-- Of whom nothing is kept any more is forgotten, some at a time: up to which handle that was looked for, and the highest
-- epoch of what went with it, above which whoever comes back begins.
INSERT INTO setting (name, value) VALUES ('forgotten_to', '');
INSERT INTO setting (name, value) VALUES ('forgotten_epoch', '0');
CREATE INDEX stop_token_scope ON stop_token (installation, store);
