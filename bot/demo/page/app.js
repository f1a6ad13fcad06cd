// The window: top bar, sidebar, panes, and what lies over them.
import { html, render, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { LargePicture, MessageJson, useEscape, ViewDialog } from "./dialogs.js";
import { face } from "./format.js";
import { Icon } from "./icons.js";
import { setEmoji } from "./mrkdwn.js";
import { AppPane, Channel, closeThread, dropAnywhere, Thread } from "./panes.js";
import { Gallery, Traffic } from "./tools.js";
import { actAs, channelById, connect, show, state, ui, useStore } from "./store.js";

function TopBar() {
  const root = document.documentElement;
  const [theme, setTheme] = useState(root.dataset.theme);
  const other = theme === "dark" ? "light" : "dark";
  const flip = () => {
    root.dataset.theme = other;
    try {
      localStorage.theme = other;
    } catch {}
    setTheme(other);
  };
  return html`<header class="top">
    <button class="only-m" aria-label="Channels" aria-expanded=${ui.sidebar} onClick=${() => show({ sidebar: !ui.sidebar })}>
      <${Icon} n="menu" />
    </button>
    <span class="mid"><span class="pill">Local workspace · nothing leaves this machine</span></span>
    <button class="only-d" aria-pressed=${ui.gallery} onClick=${() => show({ gallery: !ui.gallery, traffic: false })}>Cards</button>
    <button class="only-d" aria-pressed=${ui.traffic} onClick=${() => show({ traffic: !ui.traffic })}>Traffic</button>
    <button aria-label=${other === "dark" ? "Dark theme" : "Light theme"} onClick=${flip}>
      <${Icon} n=${other === "dark" ? "moon" : "sun"} s="18" />
    </button>
  </header>`;
}

function Unread({ channel }) {
  return channel?.unread ? html`<span class="cnt" aria-label=${`${channel.unread} unread`}>${channel.unread}</span>` : null;
}

function Sidebar() {
  const people = Object.values(state.users).filter((user) => !user.bot);
  const me = state.users[state.me];
  const row = (on, channel) => `row ${on ? "on" : ""} ${channel?.unread ? "un" : ""}`;
  return html`<nav class=${"side " + (ui.sidebar ? "open" : "")} aria-label="Workspace">
    <div class="ws"><img src="/static/img/ws.png" alt="" />Local</div>
    <div class="nav">
      <h3>Channels</h3>
      ${state.channels
        .filter((channel) => channel.kind !== "im")
        .map(
          (channel) => html`<button
            key=${channel.id}
            class=${row(!ui.app && channel.id === ui.channel, channel)}
            onClick=${() => show({ channel: channel.id, thread: null, sidebar: false, app: false })}
          >
            <${Icon} n="hash" />${channel.name}<${Unread} channel=${channel} />
          </button>`
        )}
      <h3>Apps</h3>
      <button
        class=${row(ui.app, channelById(state.app.dm))}
        onClick=${() => show({ app: true, thread: null, sidebar: false })}
      >
        <img src="/static/img/bot.png" alt="" />Image Insights<${Unread} channel=${channelById(state.app.dm)} />
      </button>
    </div>
    <div class="me">
      <img src=${face(me)} alt="" />
      <span>${me.name}<br /><small>That’s you · ${me.language}</small></span>
      <span class="seg">
        ${people.map(
          (user) => html`<button
            key=${user.id}
            class=${user.id === state.me ? "on" : ""}
            aria-pressed=${user.id === state.me}
            aria-label=${`Act as ${user.name}`}
            title=${`Act as ${user.name}, whose Slack is in ${user.language}`}
            onClick=${() => user.id !== state.me && actAs(user.id)}
          >
            ${user.name[0]}
          </button>`
        )}
      </span>
    </div>
  </nav>`;
}

// Focus goes back to where it was when the last dialog closes.
function useReturnFocus(open) {
  const opener = useRef(null);
  if (open && !opener.current) opener.current = document.activeElement;
  useEffect(() => {
    if (open || !opener.current) return;
    if (opener.current.isConnected) opener.current.focus();
    opener.current = null;
  }, [open]);
}

function App() {
  useStore();
  const covered = state.views.length > 0 || Boolean(ui.picture) || Boolean(ui.json);
  useReturnFocus(covered);
  useEscape(!covered && ui.thread !== null, closeThread);
  if (!state.ready) {
    const note = html`<span class="mid"><span class="pill" role="status">Connecting…</span></span>`;
    return html`<div class="shell"><div class="top">${note}</div></div>`;
  }
  return html`<div class="shell" ...${dropAnywhere(covered)}>
    <${TopBar} />
    <div class="body">
      <${Sidebar} />
      ${ui.sidebar && html`<div class="scrim" onClick=${() => show({ sidebar: false })}></div>`}
      ${!state.online && html`<div class="off" role="status">Reconnecting…</div>`}
      ${ui.gallery ? html`<${Gallery} />` : ui.app ? html`<${AppPane} />` : html`<${Channel} />${ui.thread && html`<${Thread} />`}`}
    </div>
    ${state.views.map(
      (view, at) => html`<${ViewDialog} key=${view.id} view=${view} depth=${at} top=${at === state.views.length - 1} />`
    )}
    ${ui.traffic && html`<${Traffic} />`}
    ${ui.picture && html`<${LargePicture} picture=${ui.picture} />`}
    ${ui.json && html`<${MessageJson} message=${ui.json} />`}
    ${state.toast && html`<div class="toast" role="alert">${state.toast}</div>`}
  </div>`;
}

setEmoji(await (await fetch("/static/emoji.json")).json());
render(html`<${App} />`, document.getElementById("root"));
connect();
