-- +goose Up
-- A store's own rules about alerts, as the administrator wrote them; empty: none.
ALTER TABLE store_setting ADD COLUMN rules TEXT NOT NULL DEFAULT '';
