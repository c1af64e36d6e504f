// SPDX-License-Identifier: Apache-2.0

package imdf

// solid are the unit categories of what nobody walks on.
var solid = map[string]bool{
	"brick": true, "column": true, "concrete": true, "drywall": true, "glass": true, "wood": true,
	"structure": true, "opentobelow": true, "vegetation": true,
}

// general are the unit categories that do not say what a room is for; an occupant or an amenity does.
var general = map[string]bool{"": true, "room": true, "unspecified": true, "nonpublic": true}
