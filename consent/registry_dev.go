// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"embed"
	"io/fs"
)

//go:embed devregistry
var devFiles embed.FS

// DevelopmentFiles are the files of the built-in registry: an example to begin one's own with.
func DevelopmentFiles() fs.FS {
	dir, err := fs.Sub(devFiles, "devregistry")
	if err != nil {
		panic("consent: the built-in registry is not embedded: " + err.Error())
	}
	return dir
}

// DevelopmentRegistry is the built-in registry for trying, demonstrations and tests: the purposes
// "assist", "pickup" and "pocket", with notices in English, Chinese and Arabic. A deployment writes its own.
func DevelopmentRegistry() *Registry {
	r, err := LoadRegistry(DevelopmentFiles())
	if err != nil {
		panic(err.Error()) // a defect of the build, which a test finds
	}
	return r
}
