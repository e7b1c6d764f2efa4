"""Words of the check in the page: what each step found, and what is wrong where one fails. Chinese first."""

from __future__ import annotations

CHECK_WORDS: dict[str, tuple[str, str]] = {
    "working": ("正在核验…", "Checking…"),
    "keys_server": (
        "公钥：{count} 方，取自本服务器。要不依赖本服务器，请在下方粘贴纸面保存的公钥。",
        "Public keys of {count} parties, taken from this server. To depend on it for nothing, paste the keys you hold on paper.",
    ),
    "keys_paper": (
        "公钥：{count} 方，由您粘贴，与本服务器无关。",
        "Public keys of {count} parties, pasted by you.",
    ),
    "signed": (
        "日志签名有效：{origin}，共 {size} 条记录，签于 {when}，根 {root}",
        "The log's signature holds: {origin}, {size} records, signed {when}, root {root}",
    ),
    "witnessed": ("{count} 个见证方已联署：{names}", "Co-signed by {count} outside this house: {names}"),
    "unwitnessed": ("没有见证方联署。", "No witness has co-signed."),
    "included": (
        "{count} 条记录逐条重算哈希，均通向已签名的根；本决定是第 {leaf} 号叶子，哈希 {hash}",
        "{count} records hashed again, each leads to the signed root; this decision is leaf {leaf}, hash {hash}",
    ),
    "committed": (
        "记录里的承诺（加盐 SHA-256）与所示数值一致。",
        "The commitments in the records (salted SHA-256) are those of the values shown.",
    ),
    "traced": (
        "事实和 {steps} 步计算过程的摘要，与承诺一致。",
        "The digests of the facts and of the {steps} steps of the trace are those committed to.",
    ),
    "ruled": (
        "规则 {id} 未被改动：{by} 起草，{other} 审批。",
        "Ruleset {id} is unchanged: proposed by {by}, approved by {other}.",
    ),
    "proposed": (
        "提交银行的 {count} 份提案，数值与决定一致。",
        "{count} proposals to the bank say what was decided.",
    ),
    "not_proposed": ("本决定未提交银行。", "This decision was not proposed to the bank."),
    "paged": (
        "本页显示的得分、优惠和额度，就是存证的数值。",
        "Score, discount and limit on this page are the sealed ones.",
    ),
    "first_seen": (
        "本浏览器第一次核验，已记住 {now} 条记录时的日志；下次会检查它没有被改写。",
        "First check in this browser: it keeps the log of {now} records, and next time checks that it was not rewritten.",
    ),
    "remembered": (
        "日志从本浏览器上次见到的 {size} 条增长到 {now} 条，此前的一条也没有改。",
        "The log grew from the {size} records this browser saw last to {now}; none of those before was changed.",
    ),
    "holds": (
        "核验通过：这项决定自写入日志起未被改动，{names} 可以作证。",
        "It holds: this decision was not changed since it was sealed, and {names} can testify.",
    ),
    "holds_alone": (
        "核验通过：这项决定自写入日志起未被改动。没有见证方联署，能证明这一点的只有银行自己的签名。",
        "It holds: this decision was not changed since it was sealed. No witness co-signed: only the bank's signature says so.",
    ),
    "fails": (
        "核验未通过。请保存本页，立即报告。",
        "It does not hold. Keep this page and report it at once.",
    ),
    "unable": ("未能核验，不代表数据有误。", "It could not be checked; that says nothing about the data."),
    "wrong_no_crypto": (
        "浏览器没有 WebCrypto（须用 HTTPS 打开本页），无法在页面内核验。请导出证据文件离线核验。",
        "This browser has no WebCrypto (the page must be opened by HTTPS). Export the evidence and check it offline.",
    ),
    "wrong_no_ed25519": (
        "浏览器不支持 Ed25519 签名（Chrome 137、Firefox 129、Safari 17 起支持）。请换新版浏览器，或导出证据文件离线核验。",
        "This browser does not know Ed25519 (Chrome from 137, Firefox from 129, Safari from 17). Use a newer one, or export the"
        " evidence and check it offline.",
    ),
    "wrong_away": ("服务器没有应答。", "The server does not answer."),
    "wrong_refused": (
        "服务器拒绝提供（{status}）。记录可能还在等待封存或见证方，请几秒后再试。",
        "The server refused ({status}). The record may still wait for its leaf or the witnesses: try again in a few seconds.",
    ),
    "wrong_form": (
        "服务器给出的材料格式不对或被改动。",
        "What the server sent is not formed as it must be, or was changed.",
    ),
    "wrong_key": ("公钥格式不对：{line}", "Not a verifier key: {line}"),
    "wrong_signature": (
        "{name} 的签名无效：检查点被改动。",
        "The signature of {name} does not hold: the checkpoint was changed.",
    ),
    "wrong_unsigned": (
        "检查点没有已知的日志签名：不是这个日志，或密钥不对。",
        "No signature of the log by a key we know: it is another log, or the key is not the right one.",
    ),
    "wrong_too_few": (
        "只有 {count} 个见证方联署，须有 {quorum} 个。",
        "Only {count} of {quorum} witnesses have co-signed.",
    ),
    "wrong_leaf": (
        "第 {leaf} 号叶子（{kind}）重算的哈希通不到已签名的根：记录或证明被改动。",
        "Leaf {leaf} ({kind}) does not lead to the signed root: the record or its proof was changed.",
    ),
    "wrong_another": ("给出的不是本页的决定。", "The record is not of the decision on this page."),
    "wrong_hidden": (
        "“{kind}”所示数值与记录里的承诺不一致：数值被改动。",
        "The values shown for “{kind}” are not those the record committed to: they were changed.",
    ),
    "wrong_facts": ("所示事实与承诺的摘要不一致。", "The facts are not those committed to."),
    "wrong_body": (
        "所示计算过程或结果与承诺不一致。",
        "The trace or its result is not the one committed to.",
    ),
    "wrong_ruleset": (
        "规则与记录不一致，或缺少审批记录。",
        "The ruleset is not the recorded one, or its approval is missing.",
    ),
    "wrong_four_eyes": ("规则由起草人自己审批。", "The ruleset was approved by its author."),
    "wrong_proposal": (
        "提交银行的数值与决定不一致。",
        "What was proposed to the bank is not what was decided.",
    ),
    "wrong_page": (
        "本页显示 {shown}，存证的是 {sealed}：数据库被改动，或本页不可信。",
        "The page shows {shown}, sealed is {sealed}: the database was changed, or the page cannot be believed.",
    ),
    "wrong_forked": (
        "公开的检查点与本证明的检查点不是同一个日志的前后：存在两份历史。",
        "The published checkpoint and the one of this proof are not of one growing log: there are two histories.",
    ),
    "wrong_rewritten": (
        "日志不是本浏览器上次见到的（{size} 条记录）那一份的延续：日志被改写。",
        "The log does not continue the one this browser saw last ({size} records): it was rewritten.",
    ),
    "kind_decision": ("决定", "decision"),
    "kind_ruleset_proposed": ("规则起草", "ruleset proposed"),
    "kind_ruleset_approved": ("规则审批", "ruleset approved"),
    "kind_proposal": ("提案", "proposal"),
    "kind_proposal_answer": ("银行答复", "bank's answer"),
    "kind_proposal_revocation": ("撤销", "revocation"),
}
