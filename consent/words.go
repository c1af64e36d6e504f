// SPDX-License-Identifier: Apache-2.0

package consent

import (
	"strings"
	"unicode"
)

// Words that betray what may not be said or done. They catch honest mistakes, not cunning: what a purpose
// can serve is a closed list, and what a notice can set is one too. In scripts without spaces a word is found anywhere.
var (
	sellingWords = strings.Fields(`sell selling sale sales resale advertise advertising advertisement advertisements ads marketing
		promotion promotions profile profiles profiling analytics retargeting broker brokers
		广告 营销 出售 画像 推广 إعلان إعلانات تسويق بيع ترويج`)
	rewardWords = strings.Fields(`discount discounts voucher vouchers coupon coupons reward rewards bonus cashback prize prizes gift gifts
		points loyalty freebie cheaper
		优惠 折扣 奖励 积分 返现 红包 礼品 赠品 خصم خصومات قسيمة مكافأة مكافآت جائزة جوائز هدية هدايا`)
	pauseWords   = strings.Fields(`pause paused pausing 暂停 مؤقت مؤقتا مؤقتًا`)
	medicalWords = strings.Fields(`health medical medicine medicines medication medications prescription prescriptions pharmacy pharmacist
		clinic doctor optician vaccination vaccinations diagnosis reproductive pregnancy
		健康 医疗 药 处方 诊所 医生 怀孕 صحة الصحة صحية طبي طبية دواء أدوية وصفة صيدلية الصيدلية عيادة طبيب`)
	stopWords = strings.Fields(`stop stops stopping withdraw withdrawal revoke 停止 撤回 إيقاف أوقف اسحب سحب`)
)

// foundWord is the first of the words that a text has in it, or nothing.
func foundWord(text string, words []string) string {
	in := map[string]bool{}
	text = strings.ToLower(text)
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) }) {
		in[w] = true
	}
	for _, w := range words {
		if in[w] || unicode.Is(unicode.Han, []rune(w)[0]) && strings.Contains(text, w) {
			return w
		}
	}
	return ""
}
