"""The words of the account linking pages, Chinese first. The consent text is part of the evidence: a change of it needs a new
`TEXT_VERSION` in `gateway.flows._linking`, and a test holds the two together.
"""

from __future__ import annotations

#: What a resident agrees to: {bank}, {contact}, {town}, {place} are put in.
CONSENT: dict[str, tuple[str, str]] = {
    "purpose_loan_mapping": ("用于贷款优惠评估", "For the assessment of loan benefits"),
    "about_loan_mapping": (
        "同意{town}把您的积分记录提供给{bank}，用于评估您的贷款利率优惠和额度提升。银行依据积分给出建议，最终由银行决定；"
        "您可以要求人工复核，也可以拒绝仅由自动化方式作出的决定。",
        "{town} may give your points records to {bank}, to assess a lower loan rate and a higher limit for you. Points lead to a "
        "proposal; the bank decides. You may ask for a person to look again, and refuse a decision made only by automation.",
    ),
    "refuse_loan_mapping": (
        "不同意不影响您申请普通贷款，也不影响积分兑换。",
        "Refusing affects neither an ordinary loan nor redeeming points.",
    ),
    "purpose_redemption": ("用于积分兑换", "For redeeming points"),
    "about_redemption": (
        "同意{town}把您的积分余额和积分记录提供给{bank}，用于您在银行网点用积分兑换物品。",
        "{town} may give your points balance and records to {bank}, so that you can redeem points for goods at its branches.",
    ),
    "refuse_redemption": (
        "不同意不影响贷款优惠评估。",
        "Refusing does not affect the assessment of loan benefits.",
    ),
    "recipient": ("接收方", "Recipient"),
    "contact": ("联系方式", "Contact"),
    "provider": ("提供方", "Provider"),
    "kinds": ("个人信息种类", "Kinds of data"),
    "kinds_value": (
        "积分记录（任务、分值、时间、社区）、积分余额、平台账号标识、身份证号（仅用于核对是您本人）",
        "points records (task, points, time, community), points balance, the platform's account identifier, resident id number "
        "(only to make sure that it is you)",
    ),
    "manner": ("处理方式", "How it is handled"),
    "manner_value": (
        "经加密通道传输，加密保存；撤回同意后停止使用，法律要求留存的记录仅作存证。",
        "Sent over encrypted channels, kept encrypted; after withdrawal no longer used, except for records the law "
        "requires to be kept as evidence.",
    ),
    "withdraw": ("撤回同意", "Withdrawing"),
    "withdraw_value": (
        "随时可在银行App或网点再次打开本页撤回，与给出同意一样方便。",
        "At any time: open this page again from the bank's app or at a branch. It is as easy as agreeing.",
    ),
}

WORDS: dict[str, tuple[str, str]] = {
    **CONSENT,
    "product": ("政银互联网关", "Government–bank gateway"),
    "skip": ("跳到正文", "Skip to content"),
    "contents": ("语言", "Language"),
    "switch": ("English", "中文"),
    "sandbox": (
        "沙箱环境：对端均为模拟系统，数据均为虚构。",
        "Sandbox: neighbours are simulated, all data is invented.",
    ),
    "title": ("关联{town}积分账户", "Link your {town} points account"),
    "lead": (
        "您将前往{town}登录并授权。请先阅读并分别选择是否同意。",
        "You will sign in at {town} and agree there. Please read first, and decide on each purpose by itself.",
    ),
    "you": ("您的身份", "You"),
    "agree": ("我同意", "I agree"),
    "go": ("同意所选项，前往{town}", "Agree to what is chosen and go to {town}"),
    "stop": (
        "如不同意，请直接关闭本页；我们不会保存您的任何信息。",
        "If you do not agree, just close this page; nothing about you is kept.",
    ),
    "linked_title": ("{town}积分账户已关联", "Your {town} points account is linked"),
    "linked_lead": (
        "下面是您已给出的同意，可以分别撤回。全部撤回后，账户关联随之解除。",
        "These are your consents. Each can be withdrawn by itself; with the last one the account is unlinked.",
    ),
    "given": ("已同意", "Agreed"),
    "not_given": ("未同意", "Not agreed"),
    "withdraw_one": ("撤回这一项", "Withdraw this one"),
    "withdraw_all": ("全部撤回并解除关联", "Withdraw all and unlink"),
    "agree_one": ("同意这一项（前往{town}确认）", "Agree to this one (confirm at {town})"),
    "withdraw_effect": (
        "撤回后立即停止使用；已经兑换的物品不受影响，已给予的贷款优惠按银行规定处理。",
        "Use stops at once. Goods already redeemed stay yours; a loan benefit already given follows the bank's rules.",
    ),
    "done_title": ("关联成功", "Linked"),
    "done_lead": (
        "您的积分记录将在几分钟内同步。可以关闭本页。",
        "Your points records arrive within minutes. You can close this page.",
    ),
    "ended_title": ("已撤回", "Withdrawn"),
    "ended_lead": (
        "您的撤回已生效，我们已停止使用相应信息。",
        "Your withdrawal is in force; the data is no longer used for this.",
    ),
    "unlinked": ("账户关联已解除。", "The account is unlinked."),
    "refused_title": ("无法继续", "This cannot go on"),
    "what_to_do": ("怎么办", "What to do"),
    "again": (
        "请在银行App或网点重新获取链接，然后再试一次。",
        "Get a new link in the bank's app or at a branch, then try again.",
    ),
    "reason": ("代码", "Code"),
    "close": ("可以关闭本页。", "You can close this page."),
}

#: Codes of refusals in words; others are told with the general words.
ERRORS: dict[str, tuple[str, str]] = {
    "entry-invalid": ("链接不完整或不是本行发出的。", "The link is incomplete, or not one of ours."),
    "entry-expired": ("链接已过期。", "The link has ended."),
    "entry-used": ("链接已使用过。", "The link was used."),
    "form-forged": (
        "页面不是在这个浏览器里打开的，或浏览器禁用了Cookie。",
        "The page was not opened in this browser, or cookies are off.",
    ),
    "purpose-none": (
        "您没有选择任何一项，我们没有保存任何信息。",
        "You agreed to nothing; nothing was kept.",
    ),
    "guardian-needed": (
        "未满14周岁须由监护人同意，请监护人携带证件到网点办理。",
        "Under 14 a guardian has to agree; please come to a branch with your guardian.",
    ),
    "link-state": (
        "这次返回已失效，或不是在同一个浏览器里进行的。",
        "This return has ended, or was not made in the same browser.",
    ),
    "link-issuer": (
        "返回地址与镇街平台不符，为保护您的账户，已停止。",
        "The return did not come from the town that was asked; stopped to protect your account.",
    ),
    "link-denied": (
        "您在镇街平台没有授权，我们没有保存任何信息。",
        "You did not agree at the town; nothing was kept.",
    ),
    "link-other-person": (
        "镇街平台上登录的不是您本人，已停止，并已请平台撤销授权。",
        "The account at the town is another person's; stopped, and the town was asked to revoke.",
    ),
    "account-of-another": (
        "这个积分账户已由他人关联，请到网点办理。",
        "This account is linked to somebody else; please come to a branch.",
    ),
    "other-account": (
        "您已关联另一个积分账户，请先解除。",
        "You have linked another account; unlink that one first.",
    ),
    "linking-unavailable": (
        "镇街平台暂时无法连接，没有保存任何信息。",
        "The town cannot be reached now; nothing was kept.",
    ),
    "no-linking": (
        "这个镇街平台不在这里关联账户。",
        "Accounts of this town are not linked here.",
    ),
    "rate-limited": ("操作太频繁，请稍后再试。", "Too many attempts; try again later."),
}
OTHER: tuple[str, str] = (
    "没有通过安全检查或系统暂时不可用，没有保存任何信息。",
    "A check failed or something is away; nothing was kept.",
)


def words_of(language: str, **values: str) -> dict[str, str]:
    """All words of the pages in one language, with the names put in."""
    at = 1 if language == "en" else 0
    return {name: _filled(pair[at], values) for name, pair in WORDS.items()}


def said(code: str, language: str) -> str:
    """A refusal in words."""
    return ERRORS.get(code, OTHER)[1 if language == "en" else 0]


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text
