// SPDX-License-Identifier: Apache-2.0

/** @type {import("../lib/i18n.js").Table} */
export const STRINGS = {
  title: ["Doorstep", "Doorstep", "دورستيب"],
  what: ["A shopper who asks for help in a store can be found there. Everyone else, and everyone who has left or changed their mind, cannot.", "在店内求助的顾客可以被找到；其他人，以及已离店或已改变主意的人，则不会。", "من يطلب المساعدة داخل المتجر يمكن العثور عليه فيه. أما غيره، ومن غادر أو غيّر رأيه، فلا."],
  demo: ["Both sides", "双方视角", "الجانبان معاً"],
  demo_text: ["A shopper’s phone and the staff console, side by side", "顾客手机与员工控制台并排显示", "هاتف متسوق ولوحة الموظفين جنباً إلى جنب"],
  shopper: ["A shopper’s phone", "顾客的手机", "هاتف متسوق"],
  shopper_text: ["Decide, walk in, call staff, stop", "作出选择、进店、呼叫员工、停止", "قرّر، ادخل، اطلب موظفاً، أوقف"],
  staff: ["Staff console", "员工控制台", "لوحة الموظفين"],
  staff_text: ["Who needs help, and where", "谁需要帮助，在哪里", "من يحتاج إلى المساعدة، وأين"],
  rules: ["The rules", "规则", "القواعد"],
  rules_text: ["What is collected here, what for, and who sees it, as it is enforced", "这里收集什么、用于什么、谁能看到：即实际执行的规则", "ما الذي يُجمع هنا ولأي غرض ومن يراه، كما يُطبَّق فعلًا"],
  codes: ["The pages ask for a one-time code. Whoever started the server was shown the addresses that carry one.", "页面需要一次性代码；启动服务器的人会看到带有代码的地址。", "تطلب الصفحات رمزاً لمرة واحدة. عُرضت العناوين التي تحمله على من شغّل الخادم."],
};
