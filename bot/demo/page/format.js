// Times, names and faces.
import { state } from "./store.js";

const date = (ts) => new Date(Number(ts) * 1000);
export const isoTime = (ts) => date(ts).toISOString();
export const clock = (ts) => date(ts).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });

export function day(ts) {
  const then = date(ts);
  if (then.toDateString() === new Date().toDateString()) return "Today";
  return then.toLocaleDateString([], { weekday: "long", month: "long", day: "numeric" });
}

export const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

export function fileSize(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 2 ** 20 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 2 ** 20).toFixed(1)} MB`;
}

const FACES = { ana: "u1", ben: "u2", clara: "u3", slackbot: "ws" };
export const face = (user) => `/static/img/${user?.id === state.app.user ? "bot" : FACES[user?.handle] || "u1"}.png`;

export function author(message) {
  const user = state.users[message.user];
  return { name: user?.name || message.user, picture: face(user), isApp: Boolean(message.bot_id) || Boolean(user?.bot) };
}
