// SPDX-License-Identifier: Apache-2.0

/** @type {import("../lib/i18n.js").Table} */
export const STRINGS = {
  title: ["Stop sharing", "停止共享", "إيقاف المشاركة"],
  what: [
    "Whoever gave you this code shares where they are in a store. Stop ends that in every store, on every phone of theirs, and takes back every decision. It cannot do anything else.",
    "给您此码的人正在店内共享位置。按下“停止”将结束其在所有商店、所有手机上的共享，并撤回全部决定。此码别无他用。",
    "من أعطاك هذا الرمز يشارك مكانه داخل متجر. الإيقاف ينهي ذلك في كل المتاجر وعلى كل هواتفه، ويسحب كل قراراته. ولا يفعل شيئاً غير ذلك.",
  ],
  stop: ["Stop", "停止", "إيقاف"],
  stopping: ["Stopping…", "正在停止…", "جارٍ الإيقاف…"],
  done: ["Stopped", "已停止", "تم الإيقاف"],
  removed: ["Nobody can see them any more. Removed from {nodes} servers and {consoles} screens in {ms} ms.", "已无人能看到。已从 {nodes} 台服务器和 {consoles} 个屏幕移除，用时 {ms} 毫秒。", "لا يمكن لأحد رؤيتهم بعد الآن. أُزيل ذلك من {nodes} خوادم و{consoles} شاشات خلال {ms} مللي ثانية."],
  later: ["The store does not answer yet. Trying again; keep this page open. Whatever happens, positions are gone 30 seconds after the phone falls silent.", "商店尚未响应，正在重试；请不要关闭此页。无论如何，手机停止发送 30 秒后位置即被清除。", "المتجر لا يجيب بعد. تُعاد المحاولة؛ أبقِ هذه الصفحة مفتوحة. وفي كل الأحوال تختفي المواقع بعد ٣٠ ثانية من توقف الهاتف."],
  unknown: ["This code stops nothing. It may have been copied only in part: scan it again, or stop in the app.", "此码无法停止任何共享，可能未完整复制：请重新扫描，或在应用中停止。", "هذا الرمز لا يوقف شيئاً. ربما نُسخ ناقصاً: امسحه من جديد، أو أوقف من التطبيق."],
  none: ["There is no code in this address. Scan the code that the app shows; it is taken out of the address at once, so a page that was loaded again has lost it.", "地址中没有停止码。请扫描应用显示的码；它会立即从地址中移除，因此重新加载的页面不再含有它。", "لا يوجد رمز في هذا العنوان. امسح الرمز الذي يعرضه التطبيق؛ فهو يُزال من العنوان فوراً، والصفحة التي أُعيد تحميلها تفقده."],
};
