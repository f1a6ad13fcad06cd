// Slack's mrkdwn as elements of the page. No innerHTML anywhere: text stays text.
import { html } from "./vendor/preact-htm.js";

let emoji = {};
let directory = { users: {}, channels: {} };
export const setEmoji = (map) => {
  emoji = map;
};
export const setDirectory = (names) => {
  directory = names;
};

const unescape = (source) => source.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

// The address when it may be opened, else "".
export const safeUrl = (url) => (/^(https?:\/\/|mailto:|tel:)/i.test(url) ? url : "");

export const emojify = (source) =>
  source.replace(/:([a-z0-9_+'-]+)(?:::skin-tone-[2-6])?:/g, (whole, name) => emoji[name] || whole);

// The two that the app itself uses are pictures, so that they show on a machine without an emoji font.
const DRAWN = { "👀": "eyes", "🔍": "mag" };
const pictured = (source) =>
  source
    .split(/(👀|🔍)/u)
    .filter(Boolean)
    .map((part) => (DRAWN[part] ? html`<img class="emoji" src=${`/static/img/${DRAWN[part]}.svg`} alt=${part} />` : part));

export const plain = (object) => (object ? (object.emoji === false ? object.text : emojify(object.text)) : "");

// ---- dates

const dayNumber = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime() / 864e5;
const RELATIVE = { "-1": "yesterday", 0: "today", 1: "tomorrow" };
const LENGTHS = {
  date: { month: "long", day: "numeric", year: "numeric" },
  date_short: { month: "short", day: "numeric", year: "numeric" },
  date_long: { weekday: "long", month: "long", day: "numeric", year: "numeric" },
  time: { hour: "numeric", minute: "2-digit" },
  time_secs: { hour: "numeric", minute: "2-digit", second: "2-digit" },
};

function ago(date) {
  const minutes = Math.round((Date.now() - date) / 6e4);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  return minutes < 1440 ? `${Math.round(minutes / 60)} h ago` : `${Math.round(minutes / 1440)} d ago`;
}

export function formatDate(seconds, format, fallback) {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return fallback;
  const near = RELATIVE[Math.round(dayNumber(date) - dayNumber(new Date()))];
  const part = (whole, name) => {
    if (name === "date_num") return date.toISOString().slice(0, 10);
    if (name === "ago") return ago(date);
    if (name.endsWith("_pretty") && near) return near;
    const length = LENGTHS[name.replace("_pretty", "")];
    return length ? new Intl.DateTimeFormat(undefined, length).format(date) : whole;
  };
  return format.replace(/\{(\w+)\}/g, part);
}

// ---- what stands between < and >

function mention(body, key) {
  const [id] = body.slice(1).split("|");
  const names = body[0] === "@" ? directory.users : directory.channels;
  return html`<span class="mention" key=${key}>${body[0]}${names[id]?.name || id}</span>`;
}

function timestamp(body, key) {
  const [head, fallback] = body.split("|");
  const [, seconds, format, link] = head.split("^");
  const shown = formatDate(Number(seconds), format, fallback);
  const href = link && safeUrl(link);
  if (href) return html`<a key=${key} href=${href} target="_blank" rel="noreferrer noopener">${shown}</a>`;
  return html`<time key=${key} title=${new Date(seconds * 1000).toLocaleString()}>${shown}</time>`;
}

function bracketed(body, key) {
  if (body[0] === "@" || body[0] === "#") return mention(body, key);
  if (body.startsWith("!date^")) return timestamp(body, key);
  if (body[0] === "!") return html`<span class="mention bcast" key=${key}>@${body.slice(1).split(/[|^]/)[0]}</span>`;
  const [address, label] = body.split(/\|(.*)/s);
  const href = safeUrl(unescape(address));
  if (!href) return `<${body}>`;
  const shown = emojify(unescape(label || address.replace(/^mailto:/, "")));
  return html`<a key=${key} href=${href} target="_blank" rel="noreferrer noopener">${shown}</a>`;
}

// ---- bold, italic, struck, code

const MARKS = { "*": "b", _: "i", "~": "s" };
const OPENS_AFTER = /[\s([{"'>*_~.,;:!?-]/;
const CLOSES_BEFORE = /[\s)\]}"'.,;:!?<*_~-]/;

// Where the mark at `start` is closed, or -1 when it is only a character.
function closing(source, start) {
  const before = source[start - 1];
  const after = source[start + 1];
  if ((before && !OPENS_AFTER.test(before)) || !after || /\s/.test(after)) return -1;
  for (let end = source.indexOf(source[start], start + 2); end > 0; end = source.indexOf(source[start], end + 1)) {
    if (source.slice(start, end).includes("\n")) return -1;
    const next = source[end + 1];
    if (!/\s/.test(source[end - 1]) && (!next || CLOSES_BEFORE.test(next))) return end;
  }
  return -1;
}

export function inline(source, depth = 0) {
  const out = [];
  let plainText = "";
  let at = 0;
  const push = (node, next) => {
    if (plainText) out.push(...pictured(emojify(unescape(plainText))));
    plainText = "";
    out.push(node);
    at = next;
  };
  while (at < source.length) {
    const sign = source[at];
    const key = out.length + 1;
    const bracket = sign === "<" ? source.indexOf(">", at) : -1;
    const tick = sign === "`" ? source.indexOf("`", at + 1) : -1;
    const end = MARKS[sign] && depth < 4 ? closing(source, at) : -1;
    if (bracket > 0) {
      push(bracketed(source.slice(at + 1, bracket), key), bracket + 1);
    } else if (tick > at + 1 && !source.slice(at, tick).includes("\n")) {
      push(html`<code key=${key}>${unescape(source.slice(at + 1, tick))}</code>`, tick + 1);
    } else if (end > 0) {
      push(html`<${MARKS[sign]} key=${key}>${inline(source.slice(at + 1, end), depth + 1)}<//>`, end + 1);
    } else if (sign === "\n") {
      push(html`<br key=${key} />`, at + 1);
    } else {
      plainText += sign;
      at += 1;
    }
  }
  if (plainText) out.push(...pictured(emojify(unescape(plainText))));
  return out;
}

// Runs of quoted and unquoted lines, in order.
function paragraphs(source) {
  const runs = [];
  for (const line of source.split("\n")) {
    const quote = line.match(/^(?:&gt;|>) ?(.*)$/);
    const last = runs.at(-1);
    if (last && last.quoted === Boolean(quote)) last.lines.push(quote ? quote[1] : line);
    else runs.push({ quoted: Boolean(quote), lines: [quote ? quote[1] : line] });
  }
  return runs;
}

export function mrkdwn(source) {
  return source.split("```").flatMap((part, at) => {
    if (at % 2) return [html`<pre key=${at}>${unescape(part.replace(/^\n/, ""))}</pre>`];
    return paragraphs(part).map(({ quoted, lines }, run) =>
      quoted
        ? html`<blockquote key=${`${at}.${run}`}>${inline(lines.join("\n"))}</blockquote>`
        : html`<span key=${`${at}.${run}`}>${inline(lines.join("\n"))}</span>`
    );
  });
}

export const text = (object) => (!object ? null : object.type === "mrkdwn" ? mrkdwn(object.text) : plain(object));
