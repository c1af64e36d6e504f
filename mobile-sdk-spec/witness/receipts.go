// SPDX-License-Identifier: Apache-2.0

package witness

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	spec "doorstep/mobile-sdk-spec"
)

// record is the schema of what a receipt is about. To both documents a receipt is a text.
const record = "record"

// receipts looks into the receipts of a text.
func (w *Witness) receipts(raw []byte) error {
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	for _, r := range records(v) {
		if err := spec.Body(record, r); err != nil {
			return err
		}
		if err := w.shown("", record, r); err != nil {
			return err
		}
	}
	return nil
}

// records are those that the receipts of a value are about.
func records(v any) (list []json.RawMessage) {
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if text, is := x.(string); is && name == "receipt" {
				list = append(list, recordOf(text)...)
			}
			list = append(list, records(x)...)
		}
	case []any:
		for _, x := range v {
			list = append(list, records(x)...)
		}
	}
	return list
}

func recordOf(jws string) []json.RawMessage {
	part := strings.Split(jws, ".")
	if len(part) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(part[1])
	var claims struct{ Receipt json.RawMessage }
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Receipt == nil {
		return nil
	}
	return []json.RawMessage{claims.Receipt}
}
