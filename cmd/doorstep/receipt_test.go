// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	spec "doorstep/mobile-sdk-spec"
)

// receiptFolder lays the specification's receipts out as files: one for each case, by its name with hyphens,
// the proof of each beside it, and the keys, the checkpoint and the log's key.
func receiptFolder(t *testing.T) string {
	t.Helper()
	raw, err := spec.Files.ReadFile("vectors/receipts.json")
	if err != nil {
		t.Fatal(err)
	}
	var v struct {
		Keys       json.RawMessage
		LogKey     string `json:"log_key"`
		Checkpoint string
		Cases      []struct {
			Name, Receipt string
			Proof         json.RawMessage
		}
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"keys.json": string(v.Keys), "log.key": v.LogKey + "\n", "checkpoint": v.Checkpoint}
	for _, c := range v.Cases {
		name := strings.ReplaceAll(c.Name, " ", "-")
		files[name], files[name+".proof"] = c.Receipt+"\n", string(c.Proof)
	}
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
