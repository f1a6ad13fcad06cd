// The main parts of the window: a channel, a thread beside it, the app's own pane.
import { html, useEffect, useMemo, useState } from "./vendor/preact-htm.js";
import { Blocks } from "./blocks.js";
import { attach, Composer, prefill } from "./composer.js";
import { Icon } from "./icons.js";
import { MessageList } from "./message.js";
import { channelById, messagesOf, narrow, post, show, state, ui } from "./store.js";
import { surfaceFor } from "./surface.js";

const atTop = (message) => !message.thread_ts || message.thread_ts === message.ts;

const carriesFiles = (event) => event.dataTransfer.types.includes("Files");

// Files dropped beside a pane go to the channel too: left alone, the browser would open them instead of this page.
export const dropAnywhere = (covered) => ({
  onDragOver: (event) => carriesFiles(event) && event.preventDefault(),
  onDrop: (event) => {
    if (event.defaultPrevented || !carriesFiles(event)) return;
    event.preventDefault();
    if (!covered) attach(null, event.dataTransfer.files);
  },
});

// Files dragged over the element go to the composer of the thread, or of the channel (null). Dragged text is not ours.
function useDrop(thread) {
  const [depth, setDepth] = useState(0);
  const handlers = {
    onDragEnter: (event) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setDepth(depth + 1);
    },
    onDragLeave: () => setDepth(Math.max(0, depth - 1)),
    onDrop: (event) => {
      setDepth(0);
      if (!carriesFiles(event)) return;
      event.preventDefault();
      attach(thread, event.dataTransfer.files);
    },
  };
  return [depth > 0, handlers];
}

function Tip({ title, children, onClick }) {
  return html`<button class="tip" onClick=${onClick}><b>${title}</b><span>${children}</span></button>`;
}

function Tips({ channel, inside }) {
  return html`<div class="tips">
    ${inside
      ? html`<${Tip} title="Post a sample photo" onClick=${() => post("sample", { channel: channel.id })}>See the card in the thread<//>`
      : html`<${Tip}
          title="Invite Image Insights"
          onClick=${() => post("command", { command: "/invite", text: "@Image Insights", channel: channel.id })}
        >
          Then it answers photos here too
        <//>`}
    <${Tip} title="Ask about an address" onClick=${() => prefill(null, `/insights ${state.example}`)}>
      Fills in <code>/insights</code> and a link
    <//>
    <${Tip} title="Open the App Home" onClick=${() => show({ app: true, tab: "home", thread: null })}>What it does, recent lookups<//>
  </div>`;
}

export function Channel() {
  const channel = channelById(ui.channel);
  const [dragging, drop] = useDrop(null);
  const inside = state.app.installed && channel.members.includes(state.app.user);
  const says = !state.app.installed
    ? "Image Insights is not installed here any more. Under Apps it can be installed again."
    : inside
    ? "Image Insights answers every photo here. Drag a picture onto this page, paste it, or use the plus button."
    : "Image Insights is not in this channel, so it sees nothing that is posted here.";
  const intro = html`<div class="intro" key="intro">
    <h2><${Icon} n="hash" s="26" />${channel.name}</h2>
    <p>${says}</p>
    <${Tips} channel=${channel} inside=${inside} />
  </div>`;
  return html`<main class="main" ...${drop}>
    ${dragging &&
    html`<div class="drop">
      Upload to #${channel.name}<small>${inside ? "Image Insights answers in the thread" : "Image Insights is not here"}</small>
    </div>`}
    <header class="head">
      <h1><${Icon} n="hash" />${channel.name}</h1>
      <span class="topic">${channel.topic}</span>
      <span class="sp"></span>
      <span class="hbtn only-d" title="Members"><${Icon} n="users" s="18" />${channel.members.length}</span>
    </header>
    <${MessageList}
      key=${channel.id}
      items=${messagesOf(channel.id).filter(atTop)}
      channel=${channel.id}
      showBar
      head=${intro}
    />
    <${Composer} key=${"c" + channel.id} channel=${channel.id} label=${`Message #${channel.name}`} />
  </main>`;
}

// The keyboard goes back to where the thread hangs, if it was in the thread.
export function closeThread() {
  const inside = document.activeElement === document.body || document.activeElement.closest(".thread");
  const bar = document.getElementById("m" + ui.thread)?.querySelector(".rbar");
  show({ thread: null });
  if (inside) (bar || (narrow() ? null : document.querySelector("main textarea")))?.focus();
}

export function Thread() {
  const channel = channelById(ui.channel);
  const all = messagesOf(channel.id);
  const root = all.find((message) => message.ts === ui.thread);
  const replies = all.filter((message) => message.thread_ts === ui.thread && message.ts !== ui.thread);
  const [dragging, drop] = useDrop(ui.thread);
  if (!root && !replies.length) return null;
  return html`<aside class="thread" aria-label="Thread" ...${drop}>
    ${dragging && html`<div class="drop">Upload to the thread</div>`}
    <header class="head">
      <button class="hbtn only-m" aria-label="Back" onClick=${closeThread}><${Icon} n="back" /></button>
      <h1>Thread</h1>
      <span class="topic only-d"># ${channel.name}</span>
      <span class="sp"></span>
      <button class="hbtn only-d" aria-label="Close thread" onClick=${closeThread}><${Icon} n="close" /></button>
    </header>
    <${MessageList}
      key=${ui.thread}
      items=${root ? [root, ...replies] : replies}
      channel=${channel.id}
      inThread
      head=${!root && html`<div class="gone" key="gone">The message was deleted.</div>`}
    />
    <${Composer}
      key=${"t" + ui.thread}
      channel=${channel.id}
      thread=${ui.thread}
      label="Reply…"
      focused=${!ui.threadOpenedItself && !narrow()}
    />
  </aside>`;
}

function Home() {
  const home = state.home;
  const entered = useMemo(() => ({}), [home?.id]);
  if (!home) return html`<div class="home"><div class="skel"></div><div class="skel"></div></div>`;
  const surface = surfaceFor({ view_id: home.id }, "home", entered);
  return html`<div class="home"><${Blocks} blocks=${home.blocks} surface=${surface} prefix=${home.id} /></div>`;
}

function About() {
  const [asked, setAsked] = useState(false);
  const remove = async () => {
    setAsked(false);
    await post("uninstall", {});
  };
  return html`<div class="home"><div class="blocks">
    <p>Answers photos with what they show, similar products and where to buy them.</p>
    <p>This is a workspace of its own on this machine. It speaks Slack’s protocol with the bot; no Slack account is involved.</p>
    ${asked
      ? html`<p>The app leaves, and forgets all it knows of this workspace: answers, settings, saved products.</p>
          <p>
            <button class="btn" onClick=${remove}>Remove Image Insights</button>
            <button class="btn" onClick=${() => setAsked(false)}>Keep it</button>
          </p>`
      : html`<p><button class="btn" onClick=${() => setAsked(true)}>Remove app</button></p>`}
  </div></div>`;
}

function Gone() {
  return html`<div class="home"><div class="blocks">
    <p>Image Insights is not installed in this workspace, so it sees nothing that is posted here.</p>
    <p><a class="btn primary" href=${state.app.install} target="_blank" rel="opener">Install Image Insights</a></p>
  </div></div>`;
}

function Conversation() {
  const channel = channelById(state.app.dm);
  const [dragging, drop] = useDrop(null);
  const intro = html`<div class="intro" key="intro">
    <p>Send Image Insights a picture, or type <code>/insights</code> and an address.</p>
    <div class="tips">
      <${Tip} title="Post a sample photo" onClick=${() => post("sample", { channel: channel.id })}>See the card right here<//>
    </div>
  </div>`;
  return html`<div class="talk" ...${drop}>
    ${dragging && html`<div class="drop">Send to Image Insights</div>`}
    <${MessageList} items=${messagesOf(channel.id)} channel=${channel.id} head=${intro} />
    <${Composer} channel=${channel.id} label="Message Image Insights" />
  </div>`;
}

const TABS = { home: ["Home", Home], messages: ["Messages", Conversation], about: ["About", About] };

export function AppPane() {
  const { installed } = state.app;
  const Content = installed ? TABS[ui.tab][1] : Gone;
  useEffect(() => {
    if (installed && ui.tab !== "about") post("home_opened", { tab: ui.tab });
  }, [ui.tab, state.me, state.epoch, installed]);
  return html`<main class="main">
    <header class="head"><img class="head-pic" src="/static/img/bot.png" alt="" /><h1>Image Insights</h1></header>
    ${installed &&
    html`<div class="tabs" role="tablist">
        ${Object.entries(TABS).map(
          ([name, [title]]) => html`<button
            key=${name}
            role="tab"
            aria-selected=${ui.tab === name}
            class=${ui.tab === name ? "on" : ""}
            onClick=${() => show({ tab: name })}
          >
            ${title}
          </button>`
        )}
      </div>`}
    <${Content} />
  </main>`;
}
