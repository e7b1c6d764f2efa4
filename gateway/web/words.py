"""The words of the pages, Chinese first and English one click away."""

from __future__ import annotations

import re

WORDS: dict[str, tuple[str, str]] = {
    "product": ("政银互联网关", "Government–bank gateway"),
    "purpose": (
        "镇街平台把居民积分安全送达，银行据此给予信用支持，每一步都有据可查。",
        "Towns deliver residents' contribution points; the bank learns what they are worth; every step leaves evidence.",
    ),
    "switch": ("English", "中文"),
    "skip": ("跳到正文", "Skip to content"),
    "start": ("首页", "Start"),
    "docs": ("接口文档", "API documentation"),
    "sandbox": (
        "沙箱环境：对端均为模拟系统，数据均为虚构。",
        "Sandbox: neighbours are simulated, all data is invented.",
    ),
    "all_ready": ("系统就绪", "Everything is ready"),
    "not_ready": ("有项目未就绪", "Something is not ready"),
    "state": ("运行状态", "State"),
    "item": ("项目", "Item"),
    "result": ("结果", "Result"),
    "detail": ("说明", "Detail"),
    "ok": ("正常", "OK"),
    "bad": ("异常", "Not OK"),
    "watch": ("注意", "Watch"),
    "database": ("数据库", "Database"),
    "migrations": ("数据库结构", "Schema"),
    "seal": ("存证日志", "Transparency log"),
    "keys": ("密钥", "Keys"),
    "disk": ("磁盘", "Disk"),
    "pushes": ("各镇街最近一次推送", "Latest push of each town"),
    "town": ("镇街平台", "Town"),
    "received": ("收到时间（北京时间）", "Received (Beijing time)"),
    "item_count": ("条数", "Items"),
    "overview": ("运行概况", "Overview"),
    "none_yet": ("尚未收到推送", "Nothing received yet"),
    "unknown": ("数据库不可用，暂无法显示。", "The database is away; not known now."),
    "waiting": ("待办", "Waiting"),
    "changes_waiting": ("待重新评估的对象", "Subjects waiting for evaluation"),
    "outbox_waiting": ("待发往银行的消息", "Messages to the bank not finished"),
    "parked": ("需人工处理的消息", "Messages that need a person"),
    "witnesses": ("见证方", "Witnesses"),
    "published_log": ("公开检查点", "Published checkpoint"),
    "published_about": (
        "日志只增不改：每个检查点由网关签名，并由镇街等见证方核对、会签后才对外公布。",
        "The log only grows: each checkpoint is signed by the gateway and published once witnesses have co-signed it.",
    ),
    "tree_size": ("已公布记录数", "Records published"),
    "tree_more": ("（另有 {} 条待会签）", "({} more wait for witnesses)"),
    "tree_root": ("树根哈希", "Root hash"),
    "signed_at": ("签名时间（北京时间）", "Signed (Beijing time)"),
    "cosigned_by": ("会签方", "Co-signed by"),
    "cosigned_nobody": ("尚无见证方", "nobody yet"),
    "refused_by": ("拒绝会签", "Refused"),
    "refused_means": (
        "见证方看到过另一份历史，已停止公布，请立即核查（gateway log witnesses）。",
        "has seen another history. Publication has stopped: find out why at once (gateway log witnesses).",
    ),
    "link_checkpoint": (
        "日志检查点与会签；公钥见 /log/keys",
        "The log's checkpoint, co-signed; keys at /log/keys",
    ),
    "where": ("入口", "Where things are"),
    "for_towns": ("镇街平台开发者", "Developers of a town's platform"),
    "for_operations": ("运维人员", "Operations"),
    "link_docs": ("接口文档：怎样接入、每个接口、每种答复", "How to connect, every address, every answer"),
    "link_openapi": ("机器可读的接口定义（OpenAPI 3.1）", "The same for machines (OpenAPI 3.1)"),
    "link_metadata": ("授权服务器元数据（RFC 8414）", "Authorization server metadata (RFC 8414)"),
    "link_jwks": (
        "令牌公钥；回执公钥见 /oauth/receipt-jwks",
        "Token keys; receipt keys at /oauth/receipt-jwks",
    ),
    "link_operations": (
        "对端状态、对账差异、隔离区（运维人员登录）",
        "Neighbours, differences, quarantine (operators sign in)",
    ),
    "link_health": ("进程存活", "This process answers"),
    "link_ready": ("就绪检查，逐项说明", "Readiness, item by item"),
    "link_metrics": ("Prometheus 指标（本机或凭令牌）", "Prometheus metrics (this machine, or with a token)"),
    "connect": ("接入步骤", "How to connect"),
    "step_1": (
        "生成一对 P-256 密钥，把公钥（JWKS）和客户端证书交给网关运维登记。",
        "Make a P-256 key pair; give its public half (JWKS) and your client certificate to the operator.",
    ),
    "step_2": (
        "用客户端证书建立 TLS，向 /oauth/token 提交签名断言（private_key_jwt，ES256 或 PS256；"
        "5 分钟内有效，只能用一次），换取 10 分钟有效的令牌。",
        "Over TLS with your client certificate, post a signed assertion to /oauth/token (private_key_jwt, ES256 or PS256,"
        " ending within 5 minutes, used once); you get a token for ten minutes.",
    ),
    "step_3": (
        "用同一张证书推送，带上 Authorization 和 Idempotency-Key。没有收到答复时，用同一个键原样重发：不会重复入账。",
        "Push with the same certificate, Authorization and an Idempotency-Key. Not answered? Send the same with the same key:"
        " nothing is stored twice.",
    ),
    "step_4": (
        "保存答复中的回执：它证明网关收到了什么。",
        "Keep the receipt of each answer: it proves what we received.",
    ),
    "limits": ("限制", "Limits"),
    "limit_batch": ("单次批量最多 5 000 条", "A batch has at most 5 000 items"),
    "limit_stream": (
        "流式推送最多 1 000 000 行，每行最多 16 KiB，可用 gzip",
        "A stream has at most 1 000 000 lines of at most 16 KiB; gzip is taken",
    ),
    "limit_body": ("单个请求体上限（字节）", "Largest body, in bytes"),
    "limit_rate": ("每个客户端每分钟请求数", "Requests a client may make in a minute"),
    "operations": ("接口", "Operations"),
    "request": ("请求", "Request"),
    "answers": ("答复", "Answers"),
    "status": ("状态码", "Status"),
    "meaning": ("含义", "Meaning"),
    "form": ("格式", "Form"),
    "forms": ("数据格式", "Forms"),
    "field": ("字段", "Field"),
    "type": ("类型", "Type"),
    "required": ("必填", "Required"),
    "yes": ("是", "yes"),
    "example": ("示例", "Example"),
    "scope": ("权限范围", "Scope"),
    "parameters": ("参数", "Parameters"),
    "problem": ("错误代码", "Problem"),
    "problem_says": (
        "网关拒绝请求时返回此代码。答复中的 detail 说明原因，where 指出位置，remedy 说明如何处理；询问时请提供 correlationId。",
        "The gateway answers with this code when it refuses a request. In the answer, detail says why, where says the place,"
        " remedy says what to do; name the correlationId when you ask us.",
    ),
    "contents": ("目录", "Contents"),
}
LANGUAGES = ("zh", "en")

#: Texts of checks and of the API document in Chinese, by their English; what is missing here is shown as it is.
CHINESE: dict[str, str] = {
    "answers": "可用",
    "current": "已是最新",
    "present and private": "齐全，且仅属主可读",
    "Push one contribution or a batch of up to 5000": "推送积分（单条，或一批最多 5000 条）",
    "Push up to 1000000 contributions, one a line": "流式推送积分（每行一条，最多 1000000 行）",
    "The answer to an earlier push, again": "再次查询某次推送的答复",
    "Register families with members and consents": "登记家庭、成员与授权同意",
    "Pass on withdrawn consents": "上报撤回的授权同意",
    "An access token for a town's client": "换取访问令牌",
    "Keys that sign access tokens; two during rotation": "令牌公钥（轮换期间有两把）",
    "Keys that sign receipts": "回执公钥",
    "RFC 8414 metadata": "授权服务器元数据（RFC 8414）",
    "This process answers": "进程存活",
    "Everything it needs is there; says what is not": "就绪检查，逐项说明",
    "Operations": "运维",
    "Transparency log": "存证日志",
    "The newest signed checkpoint (c2sp.org/tlog-checkpoint)": "最新的签名检查点（c2sp.org/tlog-checkpoint）",
    "Public keys of the log (c2sp.org/signed-note)": "日志公钥（c2sp.org/signed-note）",
    "Hashes of the tree (c2sp.org/tlog-tiles)": "哈希树分块（c2sp.org/tlog-tiles）",
    "Records of the log, 256 a bundle; with a token": "日志记录，每包 256 条；凭令牌读取",
    "Proof that one tree is the beginning of another (RFC 6962)": "一致性证明：旧树是新树的开头（RFC 6962）",
    "What a receipt is redeemed for: its record's proof (c2sp.org/tlog-proof)": "凭回执换取存在证明（c2sp.org/tlog-proof）",
    "The record that a receipt names, byte for byte": "回执所指的记录，逐字节原样",
    "Not there, or not signed yet.": "不存在，或尚未签入日志。",
    "Entries need their token.": "读取日志记录需要令牌。",
    "OAuth 2.0": "OAuth 2.0 授权",
    "Stored. One answer for each item, in the order sent.": "已入账。按发送顺序逐条答复。",
    "One answer a line for each item, then one line `summary`.": "每条一行答复，最后一行为汇总（summary）。",
    "The document or a header cannot be read.": "报文或请求头无法读取。",
    "No valid access token for this client certificate.": "没有与此客户端证书相符的有效令牌。",
    "The token lacks the scope, or the client speaks for another town.": "令牌缺少权限范围，或客户端属于另一镇街。",
    "A request with this Idempotency-Key is being worked on.": "相同幂等键的请求正在处理。",
    "The body is too large.": "请求体过大。",
    "Another content type or encoding.": "内容类型或编码不受支持。",
    "The Idempotency-Key was used with another payload.": "该幂等键已用于另一份内容。",
    "Too many requests; see Retry-After.": "请求过于频繁，见 Retry-After。",
    "Nothing happened; send the same again after Retry-After.": "未作任何处理，请在 Retry-After 之后原样重发。",
    "It may or may not be stored; send the same with the same key again.": "是否入账未知，请用同一幂等键原样重发。",
    "The first answer.": "首次答复。",
    "No such batch of this client.": "此客户端没有该批次。",
    "One answer a family. Twice is once.": "逐户答复；重复登记只算一次。",
    "One answer a withdrawal. Twice is once.": "逐条答复；重复撤回只算一次。",
    "It contradicts what is stored.": "与已存内容矛盾。",
    "The token; it lives ten minutes.": "令牌，十分钟内有效。",
    "The request is wrong.": "请求有误。",
    "RFC 6749 section 5.2.": "客户端认证失败（RFC 6749 第 5.2 节）。",
    "Something is not ready.": "有项目未就绪。",
    "a new one for each new push, the same one when a push is sent again": "每次新推送用新值；重发同一推送用原值",
    "The stream is stored in chunks of 1000 lines. Sent again with the same key and content, what is stored already is"
    " answered from what is stored.": "每 1000 行为一段入账。用同一幂等键原样重发时，已入账的部分按已存结果答复。",
}
_PATTERNS = (
    (re.compile(r"^(\d+) s behind$"), r"落后 \1 秒"),
    (re.compile(r"^(\d+) s behind, over the warning limit$"), r"落后 \1 秒，已超过预警值"),
    (re.compile(r"^(\d+) GiB free$"), r"剩余 \1 GiB"),
    (re.compile(r"^co-signed up to leaf (\d+)$"), r"已会签至第 \1 条"),
    (re.compile(r"^a witness refused our log: nothing new is published$"), "有见证方拒绝会签，已停止公布"),
)


def said_in(language: str, text: str) -> str:
    """A text in the language, when it is known there."""
    if language == "en":
        return text
    for pattern, chinese in _PATTERNS:
        text = pattern.sub(chinese, text)
    return CHINESE.get(text, text)


def words_in(language: str) -> dict[str, str]:
    """All words in one language ('zh' or 'en')."""
    index = LANGUAGES.index(language)
    return {name: pair[index] for name, pair in WORDS.items()}
