// SPDX-License-Identifier: Apache-2.0

package geofence

import "strings"

// sensitiveClasses are what being there tells of somebody's body, health, faith or intimacy. They are
// written as classKey has them, in the words of IMDF, of OpenStreetMap and of plain English.
var sensitiveClasses = words(`
	restroom restrooms toilet toilets wc bathroom bathrooms shower showers
	fittingroom fittingrooms changingroom changingrooms lockerroom
	maternity nursingroom mothersroom babychanging babycare caregiver
	prayer prayerroom meditation chapel placeofworship church mosque synagogue temple
	firstaid healthscreening pharmacy chemist clinic walkinclinic urgentcare hospital healthcare medicalcenter
	doctor doctors physician familymedicine pediatrics obgyn dermatology dentist dentistry orthodontics podiatry
	chiropractic physicaltherapy radiology diagnosticimaging laboratorytesting plasticsurgery medicalspa
	mentalhealth psychologist psychiatry weightloss allergies acnetreatment acupuncture hearingaids blooddonation
	cannabisdispensary adultstore adultentertainment erotic adoptionservices lawyer smokingarea`)

// healthClasses are those of them that are places of health care given in person, as laws mean it that forbid
// a fence around them (RCW 19.373.010). A map marks any zone as one with the class "healthcare".
var healthClasses = words(`
	firstaid healthscreening pharmacy chemist clinic walkinclinic urgentcare hospital healthcare medicalcenter healthcarefacility
	doctor doctors physician familymedicine pediatrics obgyn dermatology dentist dentistry orthodontics podiatry
	chiropractic physicaltherapy radiology diagnosticimaging laboratorytesting plasticsurgery medicalspa
	mentalhealth psychologist psychiatry weightloss allergies acnetreatment acupuncture hearingaids blooddonation
	maternity optometrist optometry optician`)

// HealthCareClass tells classes of zones in which health care is given.
func HealthCareClass(class string) bool { return healthClasses[classKey(class)] }

func words(list string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

// SensitiveClass tells classes of zones that are hidden from staff unless the map says "sensitive":
// false. In doubt, hidden. Case, finer kinds ("restroom.female") and how words are joined do not matter.
func SensitiveClass(class string) bool { return sensitiveClasses[classKey(class)] }

func classKey(class string) string {
	kind, _, _ := strings.Cut(strings.ToLower(class), ".")
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(kind)
}
