// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"testing"
	"time"
)

// Lengths of time are read in the languages of the example and some more; what is none is not read as one.
func TestLengthsOfTimeAreRead(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string][]time.Duration{
		"6 months": {183 * day}, "Six Months": {183 * day}, "5 years": {5 * 365 * day}, "three years": {1096 * day}, "a 183-day term": {183 * day},
		"Your position: 30 seconds. A request: 24 hours after it.": {30 * time.Second, day},
		"1,096 days": {1096 * day}, "1.5 hours": {90 * time.Minute}, "half year": {183 * day}, "2 weeks": {14 * day}, "20 minutes": {20 * time.Minute},
		"6 个月": {183 * day}, "６个月": {183 * day}, "六个月": {183 * day}, "半年": {183 * day}, "三年": {1096 * day}, "处理完毕后 24 小时": {day}, "28天": {28 * day}, "十二个月": {365 * day}, "二十四小时": {day}, "三个小时": {3 * time.Hour}, "三月": nil,
		"6 أشهر": {183 * day}, "٦ أشهر": {183 * day}, "ثلاث سنوات": {1096 * day}, "90 يومًا": {90 * day}, "سنتان": {730 * day}, "30 ثانية": {30 * time.Second},
		"6 Monate": {183 * day}, "ein Jahr": {365 * day}, "fünf Jahre": {5 * 365 * day}, "six mois": {183 * day}, "3 años": {1096 * day}, "6 mesi": {183 * day}, "6 maanden": {183 * day}, "6 meses": {183 * day},
		"This visit": nil, "on floor 3": nil, "in 2026": nil, "第三天": nil, "each quarter of an hour": nil, "24/7": nil, "once a day": nil,
	} {
		got := spokenIn(text)
		if len(got) != len(want) {
			t.Errorf("%q: read as %+v", text, got)
			continue
		}
		for i, s := range got {
			if !s.means(want[i]) || s.means(want[i]*9/10) || s.means(want[i]*11/10) {
				t.Errorf("%q: %+v is not %v", text, s, want[i])
			}
		}
	}
}
