"""Words every page for staff has, and refusals by their code. Chinese first."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "product": ("政银互联网关", "Government–bank gateway"),
    "switch": ("English", "中文"),
    "skip": ("跳到正文", "Skip to content"),
    "contents": ("导航", "Navigation"),
    "sandbox": (
        "沙箱环境：对端均为模拟系统，数据均为虚构。",
        "Sandbox: neighbours are simulated, all data is invented.",
    ),
    "home": ("工作台", "Home"),
    "branch": ("机构", "Branch"),
    "teller": ("柜员", "Teller"),
    "sign_in": ("登录", "Sign in"),
    "sign_out": ("退出", "Sign out"),
    "signed_out": ("已退出", "You are signed out"),
    "sign_in_again": ("重新登录", "Sign in again"),
    "sign_out_elsewhere": ("同时退出行内统一身份系统", "Sign out at the identity provider as well"),
    "teller_no": ("柜员号", "Teller number"),
    "password": ("密码", "Password"),
    "code": ("动态验证码（6 位数字）", "Code from your authenticator (6 digits)"),
    "sign_in_lead": ("一人一号，不得转借。", "One person, one number. Never share it."),
    "by_provider": ("使用行内统一身份登录", "Sign in with the bank's identity provider"),
    "or_directory": ("或使用本地账号", "Or with a local account"),
    "back": ("返回", "Back"),
    "refused_title": ("未能办理", "This cannot be done"),
    "error_code": ("代码", "Code"),
    "your_roles": ("您的权限", "What you may do"),
    "change_password": ("修改密码", "Change password"),
    "old_password": ("当前密码", "Current password"),
    "new_password": ("新密码（12 个字符以上）", "New password (12 characters or more)"),
    "repeat_password": ("再输一遍新密码", "New password again"),
    "password_changed": ("密码已修改，请重新登录。", "The password is changed. Sign in again."),
    "ended_others": ("您在别处的登录已结束。", "Your session elsewhere has ended."),
    "role_clerk": ("柜员", "Clerk"),
    "role_supervisor": ("授权主管", "Supervisor"),
    "role_policy_author": ("政策起草", "Policy author"),
    "role_policy_approver": ("政策审批", "Policy approver"),
    "role_auditor": ("审计", "Auditor"),
    "role_operator": ("运维", "Operator"),
    "to_desk": ("积分兑换柜台", "Branch desk"),
    "to_desk_about": (
        "查询居民积分、兑换商品、授权与日终",
        "Find a resident, exchange points, approve, close the day",
    ),
    "to_closing": ("日终", "Day end"),
    "to_closing_about": ("盘点库存、签署日终", "Count the goods, close the branch's day"),
    "to_stock": ("库存", "Stock"),
    "to_stock_about": ("入库、调拨、报损、登记簿", "Receive, send, write off; the register"),
    "to_settlement": ("月结", "Settlement"),
    "to_settlement_about": (
        "与各镇街按月结算，导出结算单",
        "What each town owes for a month, and the papers to send",
    ),
    "to_overview": ("总览", "Overview"),
    "to_overview_about": (
        "兑换走势、未兑积分成本、待查证与低库存",
        "Redemptions in charts, points outstanding, unknown outcomes, low stock",
    ),
    "to_audit": ("审计", "Audit desk"),
    "to_audit_about": (
        "查看每项优惠的由来，验证未被改动",
        "Why each resident got what they got, and the proof",
    ),
    "to_policy": ("政策", "Policy desk"),
    "to_policy_about": ("起草、测算、审批规则", "Write, try out and approve rulesets"),
    "to_operations": ("运维", "Operations"),
    "to_operations_about": ("隔离区、对账差异、对端状态", "Quarantine, differences, neighbours"),
    "nothing_here": ("您目前没有可用的工作台。", "There is no desk for your roles here yet."),
}

#: code of an error, or kind-<kind>, → what staff read.
ERRORS: dict[str, tuple[str, str]] = {
    "sign-in-refused": (
        "柜员号、密码或验证码有误，或账号已被锁定。请等下一个验证码再试；连续多次失败后账号会锁定一段时间。",
        "Teller number, password or code is wrong, or the account is locked. Wait for the next code and try again; after several"
        " failures in a row the account stays locked for a while.",
    ),
    "sign-in-expired": ("登录页面已过期，请重新登录。", "This sign-in has ended. Begin again."),
    "provider-refused": (
        "统一身份系统的答复不可信或不完整，未登录。请重试；仍不行请联系运维。",
        "The identity provider's answer cannot be trusted or is incomplete; nobody is signed in. Try again, then ask operations.",
    ),
    "provider-no-role": (
        "统一身份系统没有给您本系统的权限。",
        "The identity provider gives you no role here.",
    ),
    "provider-unavailable": (
        "统一身份系统暂时没有应答，请稍后再试。",
        "The identity provider does not answer; try again soon.",
    ),
    "teller-no-taken": (
        "该柜员号属于另一账号，请联系运维。",
        "The teller number belongs to another account; ask operations.",
    ),
    "session-missing": ("请先登录。", "Please sign in."),
    "session-idle": ("长时间未操作，已自动退出。", "Nothing was done for a while; you were signed out."),
    "session-too-old": (
        "本次登录已到时限，请重新登录。",
        "The session reached its longest time. Sign in again.",
    ),
    "account-disabled": ("账号已停用。", "The account is switched off."),
    "branch-changed": (
        "账号的机构或柜员号已变更，请重新登录。",
        "Your branch or teller number changed. Sign in again.",
    ),
    "role-missing": (
        "您没有此页面的权限；本次访问已记录。",
        "Your roles do not include this page; the attempt is recorded.",
    ),
    "form-forged": (
        "表单已过期或并非本页提交，未办理；已记录。请返回页面重新操作。",
        "The form has expired or was not made by our page; nothing was done, and it is recorded. Go back and do it again.",
    ),
    "directory-off": ("本机构使用统一身份登录。", "Staff sign in at the bank's provider here."),
    "password-length": ("新密码须为 12 至 128 个字符。", "A password has 12 to 128 characters."),
    "password-weak": (
        "新密码过于简单，请勿包含柜员号。",
        "That is too easy to guess; do not use your teller number.",
    ),
    "password-differs": ("两次输入的新密码不一致。", "The two new passwords differ."),
    "password-same": ("新密码与当前密码相同。", "The new password is the old one."),
    "rate-limited": ("操作过于频繁，请稍候再试。", "Too many attempts; wait a little."),
    "not-found": ("没有这个页面。", "There is no such page."),
    "method-not-allowed": ("不支持的操作。", "This is not offered here."),
    "database-unavailable": (
        "数据库暂不可用，未办理，请稍后再试。",
        "The database is away; nothing was done. Try again.",
    ),
    "commit-unknown": (
        "结果未知，请返回列表查看后再操作。",
        "It is not known whether it was stored. Look before doing it again.",
    ),
    "words-unreadable": (
        "请输入 18 位身份证号、11 位手机号、家庭编号，或扫描平台二维码。",
        "Give an id number, a phone or a family code, or scan the QR of a town's app.",
    ),
    "proxy-id-needed": (
        "请录入代办人的身份证号。",
        "Read the proxy's id card: a proxy is found by the id number only.",
    ),
    "proxy-not-found": (
        "没有查到代办人，请核对；代办人须为已登记居民。",
        "The proxy is not known. Check what was read; a proxy must be a registered resident.",
    ),
    "proxy-is-resident": ("代办人不能是居民本人。", "The proxy is the resident; leave the field empty."),
    "proxy-not-identified": (
        "代办人身份未在本柜台核验，请返回重新录入；已记录。",
        "The proxy's id card was not read at this desk. Go back and read it.",
    ),
    "proof-missing": ("请选择已核验的代办凭证。", "Choose the proof that was seen."),
    "resident-not-found": (
        "没有找到该居民，请核对录入内容。",
        "Nobody is known by this; check what was read or typed.",
    ),
    "reason-missing": ("请选择查询原因。", "Choose why you look."),
    "search-unreadable": (
        "查询内容与查询方式不符，请核对。",
        "What was typed cannot be what is searched by; check both.",
    ),
    "clerk-not-found": ("没有这个柜员号。", "Nobody has that teller number."),
    "decision-not-found": ("没有这个决定。", "There is no such decision."),
    "reference-not-found": ("镇街没有报送过这个编号。", "No town sent that reference."),
    "look-of-another": (
        "这是他人的查看记录，不能借用；已记录。",
        "This look is somebody else's and opens nothing for you; it is recorded.",
    ),
    "look-over": (
        "本次查看已到时限，请重新查询并说明事由。",
        "This look is too old. Search again and say why.",
    ),
    "decision-of-another": (
        "该决定与正在查看的居民无关；已记录。",
        "The decision is not about the resident you look at; it is recorded.",
    ),
    "decision-first": (
        "这是第一次决定，没有可对比的。",
        "It was the first decision; there is none before it.",
    ),
    "evidence-not-sealed": (
        "记录刚写入，尚未封存或联署，请几秒后再试。",
        "A record has no sealed place yet; try again in a few seconds.",
    ),
    "look-not-found": ("没有这次查看。", "There is no such look."),
    "period-unreadable": (
        "日期格式应为 2026-11-24，且起始日不晚于截止日。",
        "Days are written as 2026-11-24, the first not after the last.",
    ),
    "basket-empty": ("请至少选择一件商品。", "Choose at least one good."),
    "not-enough-points": ("所选商品超过可用积分。", "The goods come to more than can be spent."),
    "not-offered": ("该商品目前不能用这些积分兑换。", "The good is not offered for these points."),
    "out-of-stock": (
        "库存不足，可能刚被其他柜台兑走。",
        "Not enough in stock; another desk may just have taken it.",
    ),
    "price-changed": ("价格已变更，请返回重新选择。", "The price changed; go back and look again."),
    "no-consent": (
        "居民未同意将该镇街积分用于兑换。",
        "The resident has not agreed to use this town's points for goods.",
    ),
    "no-account": ("居民在该镇街没有积分账户。", "The resident has no account in this town."),
    "approval-needed": ("须由另一位授权主管授权后才能确认。", "A second person has to approve first."),
    "hold-ended": (
        "冻结已到时限，积分将自动退回，请重新办理。",
        "The time is over; the points go back by themselves. Begin again.",
    ),
    "own-redemption": (
        "不能授权或冲正本人办理的业务；已记录。",
        "Nobody approves or reverses their own; it is recorded.",
    ),
    "other-branch": ("该业务属于其他机构；已记录。", "It belongs to another branch; it is recorded."),
    "redemption-over": ("该业务已结束。", "This redemption is over."),
    "not-confirmed": ("平台尚未确认扣减，请勿交付商品。", "The towns have not confirmed; hand nothing over."),
    "not-to-be-released": (
        "目前不能放弃，请等待查证结果。",
        "It cannot be given up now; wait for the inquiry.",
    ),
    "town-cannot-reverse": (
        "该镇街平台不支持退回已扣减的积分。",
        "A town does not take confirmed points back.",
    ),
    "idempotency-key-reused": (
        "本页已用于另一笔业务，请重新办理。",
        "This page was used for another basket; begin again.",
    ),
    "branch-day-closed": (
        "本机构本日已日终，不再办理；请下一营业日办理，届时的冲正作为补正入账。",
        "The branch has closed this day. Go on tomorrow: a reversal then is a correcting entry.",
    ),
    "day-pending": ("还有未了结的业务，不能日终：", "Redemptions are pending; the day stays open:"),
    "not-counted": ("本日尚未盘点。", "The goods were not counted that day."),
    "counted-too-early": ("盘点后商品又有出入，请重新盘点：", "Goods moved after the count; count again:"),
    "own-count": (
        "盘点人不能签署日终，须由另一位授权主管签署；已记录。",
        "Whoever counted does not sign; another supervisor does. It is recorded.",
    ),
    "earlier-day-open": ("须先为更早的营业日办理日终：", "An earlier day is still open; close it first:"),
    "later-day-closed": (
        "更晚的营业日已日终，该日没有业务。",
        "A later day is closed; nothing happened on this one.",
    ),
    "day-not-begun": ("该日尚未开始。", "That day has not begun."),
    "count-incomplete": (
        "须逐件盘点全部商品；请核对后重新提交。",
        "A count names every good once; look again.",
    ),
    "count-invalid": ("请为每件商品填写实存数（整数）。", "Write a whole number for every good."),
    "count-unexplained": (
        "实存与账面不符的商品须说明原因。",
        "A good that differs from the book needs its reason.",
    ),
    "stock-moved": (
        "盘点期间商品有出入，账面数已更新，请核对后重新提交。",
        "Goods moved while they were counted; the book is as it is now, look again.",
    ),
    "count-key-reused": ("本页已提交过另一份盘点。", "This page sent another count before."),
    "branch-invalid": ("请填写另一机构的机构号。", "Give the number of another branch."),
    "nothing-moved": ("请至少填写一件商品的数量。", "Give a number for at least one good."),
    "movement-invalid": ("数量须为整数。", "A number of goods is a whole number."),
    "movement-unexplained": ("请填写依据或原因。", "Say what for."),
    "movement-key-reused": (
        "本页已提交过，未重复入账。",
        "This page was sent before; nothing was booked twice.",
    ),
    "transfer-key-reused": ("本页已提交过另一笔调拨。", "This page sent other goods before."),
    "transfer-incomplete": (
        "请逐件填写实收数，不得多于发出数。",
        "Write what arrived of every good, not more than was sent.",
    ),
    "branch-days-open": ("以下营业日尚未日终，不能结算：", "These days are not closed; close them first:"),
    "month-differs": (
        "平台账与本行不符且未说明，请先处理或说明：",
        "The town's books differ and nobody has explained it; settle or explain first:",
    ),
    "month-not-over": ("该月尚未结束。", "That month is not over."),
    "kind-invalid": ("输入有误", "The input is wrong"),
    "kind-not-found": ("查无记录", "There is no such thing"),
    "kind-conflict": (
        "与现有记录冲突，请返回查看最新状态",
        "It contradicts what is stored; look at the present state",
    ),
    "kind-refused": ("按规定不能办理", "A rule refuses this"),
    "kind-unavailable": (
        "对方系统暂不可用，未办理，请稍后再试",
        "The other side is away; nothing was done. Try again later",
    ),
    "kind-outcome-unknown": (
        "结果未知，系统会自动查证",
        "The outcome is not known; the gateway is finding out",
    ),
    "kind-unauthenticated": ("请先登录", "Please sign in"),
    "kind-forbidden": ("没有权限", "You may not do this"),
    "kind-tampered": (
        "数据校验不符，请立即联系运维",
        "Evidence does not agree with itself; tell operations at once",
    ),
    "kind-error": ("系统故障，请联系运维", "Something went wrong; tell operations"),
}
