// SPDX-License-Identifier: Apache-2.0

package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"doorstep/tracking"
)

// message is a delivery's body: no zone, no name, no word, no booking.
type message struct {
	Type      tracking.OutsideEvent `json:"type"`
	Timestamp time.Time             `json:"timestamp"` // when it happened
	Data      data                  `json:"data"`
}

type data struct {
	Store   string             `json:"store"`
	Alert   string             `json:"alert"`
	Visit   string             `json:"visit,omitempty"` // which the app knows as its session; not once it is erased
	Kind    tracking.AlertKind `json:"kind"`
	Purpose string             `json:"purpose"`
	Epoch   int64              `json:"epoch"`
	Version int                `json:"version"` // the higher is the newer, in whichever order they come
}

// body is the same for each attempt, so that a receiver may know it by its signature too.
func body(d tracking.Delivery) ([]byte, error) {
	return json.Marshal(message{d.Event, d.At.UTC(), data{d.Store, d.Alert, d.Visit, d.Kind, d.Purpose, d.Epoch, d.Version}})
}

// sign is the header webhook-signature of the Standard Webhooks form: HMAC-SHA-256 over id, timestamp and body, once for each secret.
func sign(keys [][]byte, id string, at time.Time, body []byte) string {
	var signatures []string
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		signatures = append(signatures, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(signatures, " ")
}
