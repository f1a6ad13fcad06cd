// rich_text: what people's own messages and table cells are made of.
import { html } from "./vendor/preact-htm.js";
import { emojify, inline, safeUrl } from "./mrkdwn.js";

function styled(content, style = {}) {
  const tags = { code: "code", bold: "b", italic: "i", strike: "s" };
  return Object.keys(tags).reduce((inner, name) => (style[name] ? html`<${tags[name]}>${inner}<//>` : inner), content);
}

const lines = (text) => text.split("\n").flatMap((line, at) => (at ? [html`<br />`, line] : [line]));
const fromUnicode = (codes) => String.fromCodePoint(...codes.split("-").map((code) => parseInt(code, 16)));

const LEAVES = {
  text: (part) => lines(part.text),
  link: (part) => {
    const href = safeUrl(part.url);
    const label = part.text || part.url;
    return href ? html`<a href=${href} target="_blank" rel="noreferrer noopener">${label}</a>` : label;
  },
  emoji: (part) => (part.unicode ? fromUnicode(part.unicode) : emojify(`:${part.name}:`)),
  user: (part) => inline(`<@${part.user_id}>`),
  channel: (part) => inline(`<#${part.channel_id}>`),
  broadcast: (part) => inline(`<!${part.range}>`),
  date: (part) => inline(`<!date^${part.timestamp}^${part.format}|${part.fallback || ""}>`),
};

function leaf(part, key) {
  const content = LEAVES[part.type] ? LEAVES[part.type](part) : `[${part.type}]`;
  return html`<span key=${key}>${styled(content, part.style)}</span>`;
}

function list(part, key) {
  const Tag = part.style === "ordered" ? "ol" : "ul";
  const items = part.elements.map((item, at) => html`<li key=${at}>${item.elements.map(leaf)}</li>`);
  return html`<${Tag} key=${key} class="rt-list" start=${(part.offset || 0) + 1}>${items}<//>`;
}

const PARTS = {
  rich_text_section: (part, key) => html`<div class="rt" key=${key}>${part.elements.map(leaf)}</div>`,
  rich_text_list: list,
  rich_text_quote: (part, key) => html`<blockquote key=${key}>${part.elements.map(leaf)}</blockquote>`,
  rich_text_preformatted: (part, key) => html`<pre key=${key}>${part.elements.map((e) => e.text || e.url)}</pre>`,
};

export const RichText = ({ parts }) => parts.map((part, key) => PARTS[part.type]?.(part, key) ?? null);
