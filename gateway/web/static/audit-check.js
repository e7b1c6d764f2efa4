// Checks one decision against the signed log, in this page. What the server says is believed only where it was computed again here:
// SHA-256 tree hashes (RFC 6962), signed notes and cosignatures (c2sp.org/signed-note, c2sp.org/tlog-cosignature), by WebCrypto.
"use strict";

const PLAIN = 1, TIMED = 4;
const utf8 = new TextEncoder();

class Wrong extends Error {
  constructor(word, values = {}) { super(word); this.word = word; this.values = values; }
}

// bytes ------------------------------------------------------------------------------------------------------------------------

function joined(...parts) {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) { all.set(part, at); at += part.length; }
  return all;
}
const same = (a, b) => a.length === b.length && a.every((one, n) => one === b[n]);
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));

function fromHex(text) {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new Wrong("form");
  return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
}

function fromBase64(text) {
  let bytes;
  try { bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0)); } catch { throw new Wrong("form"); }
  if (base64(bytes) !== text) throw new Wrong("form"); // one encoding only
  return bytes;
}

const sha256 = async (bytes) => new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));

// The form of RFC 8785 for what our records hold: strings, whole numbers, true, false, null, lists, objects with ASCII names.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value !== null && typeof value === "object") {
    return `{${Object.keys(value).sort().map((k) => `${JSON.stringify(k)}:${canonical(value[k])}`).join(",")}}`;
  }
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new Wrong("form");
  return JSON.stringify(value);
}

// the tree (RFC 6962 section 2.1; verification as in RFC 9162 section 2.1.3.2 and 2.1.4.2) --------------------------------------

const leafHash = (entry) => sha256(joined([0], entry));
const nodeHash = (left, right) => sha256(joined([1], left, right));

// The root that leaf and path lead to; null when the path is not one of a leaf at that position.
async function rootFrom(leaf, position, size, path) {
  let at = BigInt(position), last = BigInt(size) - 1n, root = leaf;
  if (at < 0n || at > last) return null;
  for (const hash of path) {
    if (last === 0n || hash.length !== 32) return null;
    if (at & 1n || at === last) {
      root = await nodeHash(hash, root);
      while (!(at & 1n) && at !== 0n) { at >>= 1n; last >>= 1n; }
    } else {
      root = await nodeHash(root, hash);
    }
    at >>= 1n; last >>= 1n;
  }
  return last === 0n ? root : null;
}

// Whether the tree of `old` is the beginning of the tree of `now`: both {size, root}.
async function isBeginning(old, now, path) {
  if (old.size === now.size) return same(old.root, now.root);
  if (old.size === 0) return true;
  let at = BigInt(old.size) - 1n, last = BigInt(now.size) - 1n;
  const hashes = (at & (at + 1n)) === 0n ? [old.root, ...path] : [...path];
  if (hashes.length === 0) return false;
  while (at & 1n) { at >>= 1n; last >>= 1n; }
  let first = hashes[0], second = hashes[0];
  for (const hash of hashes.slice(1)) {
    if (last === 0n) return false;
    if (at & 1n || at === last) {
      first = await nodeHash(hash, first);
      second = await nodeHash(hash, second);
      while (!(at & 1n) && at !== 0n) { at >>= 1n; last >>= 1n; }
    } else {
      second = await nodeHash(second, hash);
    }
    at >>= 1n; last >>= 1n;
  }
  return last === 0n && same(first, old.root) && same(second, now.root);
}

// signed notes -----------------------------------------------------------------------------------------------------------------

async function readKey(line) {
  const [name, id, material] = line.trim().split("+").length < 3 ? [] :
    [line.trim().split("+")[0], line.trim().split("+")[1], line.trim().split("+").slice(2).join("+")];
  const raw = material ? fromBase64(material) : [];
  if (!name || raw.length !== 33 || ![PLAIN, TIMED].includes(raw[0])) throw new Wrong("key", { line: line.slice(0, 60) });
  const made = await makeKey(name, raw[0], raw.slice(1));
  if (made.id !== id) throw new Wrong("key", { line: line.slice(0, 60) });
  return raw[0] === PLAIN ? [made, await makeKey(name, TIMED, raw.slice(1))] : [made];
}

async function makeKey(name, type, bytes) {
  const id = hex((await sha256(joined(utf8.encode(`${name}\n`), [type], bytes))).slice(0, 4));
  let key;
  try {
    key = await crypto.subtle.importKey("raw", bytes, { name: "Ed25519" }, false, ["verify"]);
  } catch (error) {
    throw new Wrong(error.name === "NotSupportedError" ? "no_ed25519" : "key", { line: name });
  }
  return { name, type, id, key };
}

async function readKeys(text) {
  const lines = text.split("\n").filter((line) => line.trim() && !line.startsWith("#"));
  return (await Promise.all(lines.map(readKey))).flat();
}

// {origin, size, root, witnesses, time}: believed only when every signature by a known key holds, the log's own among them.
async function openCheckpoint(note, keys) {
  const at = note.lastIndexOf("\n\n");
  if (at < 0 || !note.endsWith("\n")) throw new Wrong("form");
  const said = note.slice(0, at + 1), lines = said.split("\n");
  if (lines.length !== 4 || !/^(0|[1-9][0-9]{0,15})$/.test(lines[1])) throw new Wrong("form");
  const opened = { origin: lines[0], size: Number(lines[1]), root: fromBase64(lines[2]), witnesses: [], time: 0 };
  let own = false;
  for (const line of note.slice(at + 2, -1).split("\n")) {
    const [dash, name, blob] = line.split(" ");
    if (dash !== "—" || !blob) throw new Wrong("form");
    const raw = fromBase64(blob), id = hex(raw.slice(0, 4));
    const known = keys.find((key) => key.name === name && key.id === id);
    if (!known) continue; // a key we do not know says nothing
    let signature = raw.slice(4), message = utf8.encode(said);
    if (known.type === TIMED) {
      const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
      message = utf8.encode(`cosignature/v1\ntime ${time}\n${said}`);
      signature = signature.slice(8);
      if (name === opened.origin) opened.time = Number(time);
    }
    if (!(await crypto.subtle.verify({ name: "Ed25519" }, known.key, signature, message))) throw new Wrong("signature", { name });
    if (known.type === PLAIN && name === opened.origin) own = true;
    if (known.type === TIMED && name !== opened.origin && !opened.witnesses.includes(name)) opened.witnesses.push(name);
  }
  if (!own) throw new Wrong("unsigned");
  return opened;
}

// what is asked of the server --------------------------------------------------------------------------------------------------

async function ask(address) {
  const answer = await fetch(address, { credentials: "same-origin", cache: "no-store", redirect: "error" })
    .catch(() => { throw new Wrong("away"); });
  if (!answer.ok) throw new Wrong("refused", { status: answer.status });
  return answer;
}

async function continues(old, now) {
  if (old.size > now.size) return false;
  if (old.size === now.size || old.size === 0) return isBeginning(old, now, []);
  const lines = (await (await ask(`/log/consistency/${old.size}/${now.size}`)).text()).split("\n").filter(Boolean);
  return isBeginning(old, now, lines.map(fromBase64));
}

// the check --------------------------------------------------------------------------------------------------------------------

function check(place, words) {
  const steps = place.querySelector("ol"), verdict = place.querySelector("[role=status]");
  const shown = place.dataset, state = {};
  const told = (word, values = {}) => Object.entries(values).reduce((text, [k, v]) => text.replaceAll(`{${k}}`, String(v)), words[word] || word);

  function tell(word, values, look) {
    const line = document.createElement("li");
    line.className = look;
    line.textContent = told(word, values);
    steps.append(line);
  }

  const work = {
    async keys() {
      const pasted = place.querySelector("textarea").value.trim();
      state.data = await (await ask(shown.source)).json();
      state.keys = await readKeys(pasted || [...state.data.keys, ...state.data.witness_keys].join("\n"));
      return [pasted ? "keys_paper" : "keys_server", { count: new Set(state.keys.map((key) => key.name)).size }];
    },
    async checkpoint() {
      state.signed = await openCheckpoint(state.data.checkpoint, state.keys);
      const when = new Date(state.signed.time * 1000).toLocaleString(document.documentElement.lang, { timeZone: "Asia/Shanghai" });
      return ["signed", { origin: state.signed.origin, size: state.signed.size, when, root: base64(state.signed.root) }];
    },
    async witnesses() {
      const { witnesses } = state.signed;
      if (witnesses.length < state.data.quorum) throw new Wrong("too_few", { count: witnesses.length, quorum: state.data.quorum });
      return [witnesses.length ? "witnessed" : "unwitnessed", { count: witnesses.length, names: witnesses.join(", ") }];
    },
    async leaves() {
      for (const one of state.data.statements) {
        const said = JSON.parse(one.record);
        const root = await rootFrom(await leafHash(utf8.encode(one.record)), one.leaf, state.signed.size, one.path.map(fromBase64));
        if (!root || !same(root, state.signed.root)) throw new Wrong("leaf", { leaf: one.leaf, kind: words[`kind_${said.kind}`] || said.kind });
        if (canonical(said) !== one.record) throw new Wrong("form");
        one.said = said;
      }
      const decisions = state.data.statements.filter((one) => one.said.kind === "decision");
      if (decisions.length !== 1 || decisions[0].said.row_id !== shown.decision) throw new Wrong("another");
      [state.decision] = decisions;
      const hash = hex(await leafHash(utf8.encode(state.decision.record)));
      return ["included", { count: state.data.statements.length, leaf: state.decision.leaf, hash }];
    },
    async commitment() {
      for (const { opening, said } of state.data.statements) {
        if ("commitment" in said.body !== Boolean(opening)) throw new Wrong("hidden", { kind: words[`kind_${said.kind}`] || said.kind });
        if (!opening) continue;
        const found = hex(await sha256(joined(fromHex(opening.salt), utf8.encode(canonical(opening.content)))));
        if (found !== said.body.commitment) throw new Wrong("hidden", { kind: words[`kind_${said.kind}`] || said.kind });
      }
      return ["committed", {}];
    },
    async trace() {
      const { content } = state.decision.opening, { facts, body } = state.decision.attached;
      if (hex(await sha256(utf8.encode(facts))) !== content.facts_sha256) throw new Wrong("facts");
      if (hex(await sha256(utf8.encode(body))) !== content.body_sha256) throw new Wrong("body");
      state.content = content;
      state.body = JSON.parse(body);
      for (const name of ["outcome", "score_centi", "discount_bp", "limit_increase_fen", "final_rate_bp"]) {
        if (state.body[name] !== content[name]) throw new Wrong("body");
      }
      return ["traced", { steps: state.body.trace.length }];
    },
    async ruleset() {
      const id = state.decision.said.body.ruleset_id;
      const of = (kind) => state.data.statements.find((one) => one.said.kind === kind && one.said.row_id === id);
      const proposed = of("ruleset_proposed"), approved = of("ruleset_approved");
      if (!proposed || !approved || state.body.ruleset_id !== id) throw new Wrong("ruleset");
      if (hex(await sha256(utf8.encode(proposed.attached.document))) !== id) throw new Wrong("ruleset");
      if (approved.said.body.approved_by === proposed.said.body.proposed_by) throw new Wrong("four_eyes");
      return ["ruled", { id: id.slice(0, 12), by: proposed.said.body.proposed_by, other: approved.said.body.approved_by }];
    },
    async proposals() {
      const made = state.data.statements.filter((one) => one.said.kind === "proposal");
      for (const one of made) {
        const { discount_bp, limit_increase_fen } = one.opening.content;
        if (one.said.body.decision_id !== shown.decision || discount_bp !== state.content.discount_bp
          || limit_increase_fen !== state.content.limit_increase_fen) throw new Wrong("proposal");
      }
      return [made.length ? "proposed" : "not_proposed", { count: made.length }];
    },
    async page() {
      const said = { outcome: state.content.outcome, score: state.content.score_centi, discount: state.content.discount_bp, increase: state.content.limit_increase_fen };
      for (const [name, value] of Object.entries(said)) {
        if (shown[name] !== String(value)) throw new Wrong("page", { shown: shown[name], sealed: value });
      }
      return ["paged", {}];
    },
    async history() {
      const newest = await openCheckpoint(await (await ask("/log/checkpoint")).text(), state.keys);
      const [old, now] = state.signed.size <= newest.size ? [state.signed, newest] : [newest, state.signed];
      if (newest.origin !== state.signed.origin || !(await continues(old, now))) throw new Wrong("forked");
      const place_ = `checkpoint of ${now.origin}`, kept = JSON.parse(localStorage.getItem(place_) || "null");
      if (kept && !(await continues({ size: kept.size, root: fromBase64(kept.root) }, now))) throw new Wrong("rewritten", { size: kept.size });
      localStorage.setItem(place_, JSON.stringify({ size: now.size, root: base64(now.root) }));
      return [kept ? "remembered" : "first_seen", { size: kept ? kept.size : now.size, now: now.size }];
    },
  };

  return async function run() {
    steps.replaceChildren();
    verdict.className = "";
    verdict.textContent = words.working;
    try {
      if (!globalThis.crypto?.subtle) throw new Wrong("no_crypto");
      for (const step of Object.values(work)) {
        const [word, values] = await step();
        tell(word, values, "good");
      }
      verdict.className = "done";
      verdict.textContent = told(state.signed.witnesses.length ? "holds" : "holds_alone", { names: state.signed.witnesses.join(", ") });
    } catch (error) {
      const wrong = error instanceof Wrong ? error : new Wrong("form");
      const unable = ["no_crypto", "no_ed25519", "away", "refused"].includes(wrong.word);
      tell(`wrong_${wrong.word}`, wrong.values, unable ? "unsure" : "bad");
      verdict.className = unable ? "hint" : "fault";
      verdict.textContent = words[unable ? "unable" : "fails"];
    }
  };
}

const place = document.getElementById("check");
if (place) {
  const words = JSON.parse(document.getElementById("check-words").textContent);
  const run = check(place, words), button = place.querySelector("button");
  button.hidden = false;
  button.addEventListener("click", async () => {
    button.disabled = true;
    await run();
    button.disabled = false;
  });
}
