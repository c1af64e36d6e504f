// SPDX-License-Identifier: Apache-2.0

package sqlstore

import (
	"encoding/json"
	"fmt"

	"doorstep/tracking"
)

// keyed is all that is kept of a change with a key: what it made of the alert is the alert's own to say,
// and must not outlive it here.
type keyed struct {
	Version int `json:"version"`
}

// versionMade is the version that this key made of the alert; 0 if the key is new.
func (t *tx) versionMade(id string, c tracking.Change) (int, error) {
	if c.Key == "" {
		return 0, nil
	}
	var body string
	m := t.marks("alert", id)
	err := t.row(`SELECT body FROM alert_key WHERE alert IN ($1, $2, $3) AND shift = $4 AND key = $5`, m[0], m[1], m[2], c.By.Shift, c.Key).into(&body)
	if noRow(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var k keyed
	if err := json.Unmarshal([]byte(body), &k); err != nil {
		return 0, fmt.Errorf("sqlstore: a key of an alert: %w", err)
	}
	return k.Version, nil
}

func (t *tx) remember(a tracking.Alert, c tracking.Change) error {
	if c.Key == "" {
		return nil
	}
	body, err := json.Marshal(keyed{a.Version})
	if err != nil {
		return fmt.Errorf("sqlstore: %w", err)
	}
	alert, err := t.mark("alert", a.ID)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO alert_key (alert, shift, key, entered_at, body) VALUES ($1, $2, $3, $4, $5)`,
		alert, c.By.Shift, c.Key, micros(t.now), string(body))
	return err
}
