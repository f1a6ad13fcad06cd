// What the page knows, and its two lines to the server: a websocket down (the journal, numbered), plain POSTs up.
import { useLayoutEffect, useState } from "./vendor/preact-htm.js";
import { setDirectory } from "./mrkdwn.js";

export const state = {
  ready: false,
  online: true,
  me: "",
  app: {},
  users: {},
  channels: [],
  messages: {}, // by channel, oldest first; messages only this person sees are marked `whispered`
  home: null,
  views: [], // open dialogs, the top one last
  commands: [],
  example: "",
  seq: 0,
  epoch: "",
  toast: "",
};

export const ui = {
  channel: "",
  thread: null, // ts of the root
  threadOpenedItself: false,
  sidebar: false,
  picture: null, // shown large: { src, alt }
  json: null, // a message to look into
  app: false, // the app's own pane instead of a channel
  tab: "home",
  traffic: false, // what goes between workspace and app
  gallery: false, // every card in every state
};

const subscribers = new Set();
export const changed = () => subscribers.forEach((render) => render({}));

export function useStore() {
  const [, render] = useState();
  useLayoutEffect(() => {
    subscribers.add(render);
    return () => subscribers.delete(render);
  }, []);
  return state;
}

export function show(part) {
  Object.assign(ui, part);
  if (part.channel) {
    const channel = channelById(part.channel);
    if (channel) channel.unread = 0;
  }
  if (part.app || part.tab) channelById(state.app.dm).unread = 0;
  changed();
}

export const channelById = (id) => state.channels.find((channel) => channel.id === id);
export const messagesOf = (channel) => state.messages[channel] || [];
export const narrow = () => matchMedia("(max-width: 760px)").matches;

// ---- the way up

let token = document.querySelector('meta[name="page-token"]').content;
export const read = async (what) => (await fetch(`/client/${what}`, { headers: { "X-Page-Token": token } })).json();
export const fileUrl = (id, query) => `/client/files/${id}?${query}&token=${token}`;

let toastTimer;
export function toast(text) {
  state.toast = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    state.toast = "";
    changed();
  }, 7000);
  changed();
}

const FAILED = {
  operation_timeout: "Image Insights did not answer in time. Try again.",
  dispatch_failed: "Image Insights could not do that. Try again.",
};

export async function post(path, body) {
  const form = body instanceof FormData;
  const headers = { "X-Page-Token": token, ...(form ? {} : { "Content-Type": "application/json" }) };
  let result;
  try {
    const sent = form ? body : JSON.stringify({ user: state.me, ...body });
    const response = await fetch(`/client/${path}`, { method: "POST", headers, body: sent });
    result = response.ok ? await response.json() : { ok: false, error: await response.text() };
  } catch {
    result = { ok: false, error: "The workspace does not answer. Is it still running?" };
  }
  // a failed command already left a line in the channel, as in Slack
  if (!result.ok && path !== "command") toast(FAILED[result.error] || result.error);
  return result;
}

// ---- the way down

let line;
const WAITS = [300, 600, 1200, 1500];

export function connect(attempt = 0) {
  const query = new URLSearchParams({ user: state.me || "ana", after: state.seq, epoch: state.epoch, token });
  const own = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/client/ws?${query}`);
  line = own;
  own.onopen = () => {
    attempt = 0;
    state.online = true;
    changed();
  };
  own.onmessage = (event) => {
    apply(JSON.parse(event.data));
    changed();
  };
  own.onclose = async () => {
    if (line !== own) return;
    state.online = false;
    changed();
    await new Promise((resolve) => setTimeout(resolve, WAITS[Math.min(attempt, WAITS.length - 1)]));
    await renewToken();
    if (line === own) connect(attempt + 1);
  };
}

// A restarted server has another token; its page tells.
async function renewToken() {
  try {
    const served = await (await fetch("/", { cache: "no-store" })).text();
    token = new DOMParser().parseFromString(served, "text/html").querySelector('meta[name="page-token"]').content;
  } catch {}
}

export function actAs(user) {
  Object.assign(state, { me: user, seq: 0, views: [], home: null, ready: false });
  Object.assign(ui, { thread: null, app: false });
  line.close();
  connect();
  changed();
}

const APPLY = {
  hello(event) {
    const fresh = event.epoch !== state.epoch;
    for (const key of ["app", "users", "channels", "messages", "views", "home", "commands", "example", "seq", "epoch"]) {
      state[key] = event[key];
    }
    state.me ||= Object.values(state.users).find((user) => user.handle === "ana").id;
    state.ready = true;
    if (!channelById(ui.channel)) ui.channel = state.channels[0].id;
    if (fresh && ui.thread && !messagesOf(ui.channel).some((message) => message.ts === ui.thread)) ui.thread = null;
    setDirectory({ users: state.users, channels: Object.fromEntries(state.channels.map((c) => [c.id, c])) });
    followLink();
  },
  message({ channel, message }) {
    const list = (state.messages[channel] ||= []);
    const at = list.findIndex((known) => known.ts === message.ts);
    if (at >= 0) {
      list[at] = { ...message, whispered: list[at].whispered };
      return;
    }
    list.push(message);
    const elsewhere = channel === state.app.dm ? !(ui.app && ui.tab === "messages") : ui.app || channel !== ui.channel;
    const room = channelById(channel);
    if (room && elsewhere && message.user !== state.me) room.unread = (room.unread || 0) + 1;
    openThreadOf(channel, message);
  },
  ephemeral({ channel, message }) {
    const list = (state.messages[channel] ||= []);
    const at = list.findIndex((known) => known.ts === message.ts);
    if (at >= 0) list[at] = { ...message, whispered: true };
    else list.push({ ...message, whispered: true });
  },
  deleted({ channel, ts }) {
    state.messages[channel] = messagesOf(channel).filter((message) => message.ts !== ts);
    const threadGone = ui.thread === ts && !messagesOf(channel).some((message) => message.thread_ts === ts);
    if (threadGone) ui.thread = null;
  },
  view({ view }) {
    const at = state.views.findIndex((known) => known.id === view.id);
    if (at >= 0) state.views[at] = view;
    else state.views.push(view);
  },
  view_closed({ view_id }) {
    state.views = state.views.filter((view) => view.id !== view_id);
  },
  home({ view }) {
    state.home = view;
  },
  app({ installed }) {
    state.app = { ...state.app, installed };
    if (!installed) state.home = null;
  },
  channel({ channel, members }) {
    const room = channelById(channel);
    if (room) room.members = members;
  },
};

function apply(event) {
  if (event.seq) state.seq = event.seq;
  APPLY[event.type]?.(event);
}

// The first answer to one's own photo opens its thread, where there is room beside the channel.
function openThreadOf(channel, message) {
  const isAnswer = message.bot_id && message.thread_ts && message.thread_ts !== message.ts;
  if (!isAnswer || narrow() || ui.app || channel !== ui.channel || (ui.thread && !ui.threadOpenedItself)) return;
  const list = messagesOf(channel);
  const root = list.find((known) => known.ts === message.thread_ts);
  const answers = list.filter((known) => known.thread_ts === message.thread_ts && known.bot_id && known.ts !== root?.ts);
  if (root?.user === state.me && answers.length === 1) Object.assign(ui, { thread: root.ts, threadOpenedItself: true });
}

// A permalink, /archives/C…/p…, opens its channel and thread once.
function followLink() {
  const [, channel, digits] = location.pathname.match(/^\/archives\/(\w+)\/p(\d{16})$/) || [];
  if (!channelById(channel)) return;
  const ts = new URLSearchParams(location.search).get("thread_ts") || `${digits.slice(0, 10)}.${digits.slice(10)}`;
  Object.assign(ui, channel === state.app.dm ? { app: true, tab: "messages" } : { channel, thread: ts });
  history.replaceState(null, "", "/");
}
