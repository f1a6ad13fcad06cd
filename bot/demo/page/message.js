// One message, and the list of messages that stays at its end while one reads there.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact-htm.js";
import { Blocks } from "./blocks.js";
import { useMenu } from "./elements.js";
import { author, clock, count, day, fileSize, isoTime } from "./format.js";
import { Icon } from "./icons.js";
import { mrkdwn } from "./mrkdwn.js";
import { changed, fileUrl, messagesOf, post, show, state } from "./store.js";
import { surfaceFor } from "./surface.js";

function Picture({ file }) {
  const alt = file.alt_txt || file.title || file.name;
  const scale = Math.min(1, 360 / file.width, 300 / file.height);
  const size = { width: Math.round(file.width * scale), height: Math.round(file.height * scale) };
  const enlarge = () => show({ picture: { src: fileUrl(file.id, "side=1600"), alt } });
  return html`<div class="file">
    <div class="fname">${file.name}</div>
    <button class="thumb" aria-label=${`Enlarge ${file.name}`} onClick=${enlarge}>
      <img src=${fileUrl(file.id, "side=720")} alt=${alt} ...${size} />
    </button>
  </div>`;
}

function Document({ file }) {
  return html`<a class="doc" href=${fileUrl(file.id, "original=1")} download=${file.name}>
    <${Icon} n="file" />
    <span><b>${file.name}</b><small>${fileSize(file.size)}</small></span>
  </a>`;
}

function Reactions({ reactions }) {
  return html`<div class="reacts">
    ${reactions.map(
      (r) => html`<span key=${r.name} class=${"react " + (r.users.includes(state.me) ? "mine" : "")} title=${r.name}>
        ${mrkdwn(`:${r.name}:`)} ${r.users.length}
      </span>`
    )}
  </div>`;
}

function ReplyBar({ root, replies }) {
  const faces = [...new Set(replies.map((reply) => author(reply).picture))].slice(0, 3);
  const last = replies.at(-1);
  return html`<button class="rbar" onClick=${() => show({ thread: root.ts, threadOpenedItself: false })}>
    ${faces.map((src) => html`<img key=${src} src=${src} alt="" />`)}
    <b>${count(replies.length, "reply", "replies")}</b>
    <span>Last reply ${day(last.ts).toLowerCase()} at ${clock(last.ts)}</span>
  </button>`;
}

function Tools({ message, channel, canReply }) {
  const [open, setOpen, anchor] = useMenu();
  const own = message.user === state.me && !message.whispered;
  const close = (then) => () => {
    setOpen(false);
    then();
  };
  const dismiss = () => {
    state.messages[channel] = messagesOf(channel).filter((known) => known !== message);
    changed();
  };
  return html`<div class="tools" role="toolbar" aria-label="Message actions">
    ${canReply &&
    !message.whispered &&
    html`<button
      title="Reply in thread"
      aria-label="Reply in thread"
      onClick=${() => show({ thread: message.ts, threadOpenedItself: false })}
    >
      <${Icon} n="reply" s="18" />
    </button>`}
    <div class="pop-anchor" ...${anchor}>
      <button title="More actions" aria-label="More actions" aria-haspopup="menu" aria-expanded=${open} onClick=${() => setOpen(!open)}>
        <${Icon} n="dots" s="18" />
      </button>
      ${open &&
      html`<div class="menu" role="menu">
        <button class="menu-item" role="menuitem" onClick=${close(() => show({ json: message }))}>View message JSON</button>
        ${!message.whispered &&
        html`<button
          class="menu-item"
          role="menuitem"
          onClick=${close(() => post("shortcut", { callback_id: "insights.message", channel, ts: message.ts }))}
        >
          Get image insights
        </button>`}
        ${!message.whispered &&
        html`<button
          class="menu-item"
          role="menuitem"
          onClick=${close(() => post("react", { channel, ts: message.ts, name: "mag" }))}
        >
          React with ${mrkdwn(":mag:")}
        </button>`}
        ${own &&
        html`<button
          class="menu-item"
          role="menuitem"
          onClick=${close(() => post("delete_message", { channel, ts: message.ts }))}
        >
          Delete message
        </button>`}
        ${message.whispered &&
        html`<button class="menu-item" role="menuitem" onClick=${close(dismiss)}>Dismiss message</button>`}
      </div>`}
    </div>
  </div>`;
}

function Content({ message, surface }) {
  if (message.blocks?.length) return html`<${Blocks} blocks=${message.blocks} surface=${surface} />`;
  return message.text ? html`<div class="txt">${mrkdwn(message.text)}</div>` : null;
}

function Message({ message, channel, showBar }) {
  const by = author(message);
  const entered = useMemo(() => ({}), [message.ts]);
  const surface = surfaceFor({ channel, ts: message.ts }, "message", entered);
  const isReply = (known) => known.thread_ts === message.ts && known.ts !== message.ts && !known.whispered;
  const replies = showBar ? messagesOf(channel).filter(isReply) : [];
  const files = message.files || [];
  return html`<div class=${"msg " + (message.whispered ? "eph" : "")} id=${showBar ? "m" + message.ts : undefined}>
    ${message.whispered && html`<div class="ephn"><${Icon} n="eye" /> Only visible to you</div>`}
    <img class="ava" src=${by.picture} alt="" />
    <div class="col">
      <div class="by">
        <b>${by.name}</b>${by.isApp && html`<span class="app">APP</span>`}
        <time datetime=${isoTime(message.ts)}>${clock(message.ts)}</time>
        ${message.edited && html`<span class="edited">(edited)</span>`}
      </div>
      <${Content} message=${message} surface=${surface} />
      ${(message.attachments || [])
        .filter((one) => one.blocks?.length)
        .map((one) => html`<div class="unfurl" key=${one.from_url}><${Blocks} blocks=${one.blocks} surface=${surface} /></div>`)}
      ${files.length > 0 &&
      html`<div class="files">
        ${files.map((file) =>
          file.width ? html`<${Picture} key=${file.id} file=${file} />` : html`<${Document} key=${file.id} file=${file} />`
        )}
      </div>`}
      ${message.reactions?.length > 0 && html`<${Reactions} reactions=${message.reactions} />`}
      ${replies.length > 0 && html`<${ReplyBar} root=${message} replies=${replies} />`}
    </div>
    <${Tools} message=${message} channel=${channel} canReply=${showBar} />
  </div>`;
}

export function MessageList({ items, channel, inThread, showBar, head }) {
  const scroller = useRef();
  const atEnd = useRef(true);
  const lastTop = useRef(0);
  const known = useRef(items.length);
  const [more, setMore] = useState(false);
  const toEnd = () => {
    if (!scroller.current) return;
    scroller.current.scrollTop = scroller.current.scrollHeight;
    setMore(false);
  };
  useLayoutEffect(() => {
    if (atEnd.current) toEnd();
  });
  useEffect(() => {
    if (items.length > known.current) {
      const last = items.at(-1);
      if (last.whispered || last.user === state.me) toEnd();
      else if (!atEnd.current) setMore(true);
    }
    known.current = items.length;
  }, [items.length]);
  useEffect(() => {
    // pictures that load late must not push the end out of sight
    const watch = new ResizeObserver(() => atEnd.current && toEnd());
    watch.observe(scroller.current.firstElementChild);
    return () => watch.disconnect();
  }, []);
  const scrolled = (event) => {
    const box = event.currentTarget;
    // a picture that just grew the list also moves its end away: only going up means leaving it
    const wentUp = box.scrollTop < lastTop.current - 1;
    lastTop.current = box.scrollTop;
    if (box.scrollHeight - box.scrollTop - box.clientHeight < 60) atEnd.current = true;
    else if (wentUp) atEnd.current = false;
    if (atEnd.current && more) setMore(false);
  };
  const label = inThread ? "Replies" : "Messages";
  return html`<div class="listwrap">
    <div class="scroll" ref=${scroller} role="log" aria-live="polite" aria-label=${label} tabindex="0" onScroll=${scrolled}>
      <div>${head}${items.map((message, at) => row(message, items[at - 1], items.length, at, channel, inThread, showBar))}</div>
    </div>
    ${more && html`<button class="jump" onClick=${toEnd}>New ${inThread ? "reply" : "message"} below</button>`}
  </div>`;
}

function row(message, before, total, at, channel, inThread, showBar) {
  const newDay = !inThread && (!before || day(before.ts) !== day(message.ts));
  const underRoot = inThread && at === 0 && total > 1;
  return html`
    ${newDay && html`<div class="day" key=${"d" + message.ts}><span>${day(message.ts)}</span></div>`}
    <${Message}
      key=${message.ts + (message.whispered ? "w" : "")}
      message=${message}
      channel=${channel}
      showBar=${showBar}
    />
    ${underRoot && html`<div class="sep" key="sep">${count(total - 1, "reply", "replies")}</div>`}
  `;
}
