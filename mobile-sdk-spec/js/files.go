// SPDX-License-Identifier: Apache-2.0

// Package sdkjs carries the JavaScript reference client, so that the server's own pages are served
// the very files that are published. It imports nothing of the server.
package sdkjs

import "embed"

// Files holds the client's ES modules, under "src/". The entry point is src/index.js.
//
//go:embed src/*.js
var Files embed.FS
