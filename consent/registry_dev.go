// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"embed"
	"io/fs"
)

//go:embed devregistry
var devFiles embed.FS

// DevelopmentRegistry is the built-in registry for trying, demonstrations and tests: the purposes
// "assist" and "pickup", with notices in English, Chinese and Arabic. A deployment writes its own.
func DevelopmentRegistry() *Registry {
	dir, err := fs.Sub(devFiles, "devregistry")
	if err != nil {
		panic("consent: the built-in registry is not embedded: " + err.Error())
	}
	r, err := LoadRegistry(dir)
	if err != nil {
		panic(err.Error()) // a defect of the build, which a test finds
	}
	return r
}
