// For whoever builds on this: the traffic between workspace and app, and every card in every state.
import { html, useEffect, useState } from "./vendor/preact-htm.js";
import { Blocks } from "./blocks.js";
import { useEscape } from "./dialogs.js";
import { plain } from "./mrkdwn.js";
import { Icon } from "./icons.js";
import { read, show } from "./store.js";
import { surfaceFor } from "./surface.js";

const EVERY_MS = 1000;

function Line({ line }) {
  const bad = line.error || line.status >= 400 || line.status === 0;
  const at = new Date(line.at * 1000).toLocaleTimeString([], { hour12: false });
  return html`<tr class=${bad ? "bad" : ""}>
    <td>${at}</td>
    <td>${line.way === "in" ? "to the app" : "from the app"}</td>
    <td><b>${line.what}</b>${line.retry ? ` retry ${line.retry}` : ""}</td>
    <td>${line.error || line.status || "no answer"}</td>
    <td>${line.ms === null ? "" : `${line.ms} ms`}</td>
  </tr>`;
}

export function Traffic() {
  const [seen, setSeen] = useState({ lines: [], problems: [] });
  const close = () => show({ traffic: false });
  useEscape(true, close);
  useEffect(() => {
    const look = async () => setSeen(await read("traffic"));
    look();
    const timer = setInterval(look, EVERY_MS);
    return () => clearInterval(timer);
  }, []);
  return html`<aside class="drawer" aria-label="Traffic">
    <div class="dialog-head">
      <h2>Traffic</h2>
      <button class="x" aria-label="Close" onClick=${close}><${Icon} n="close" /></button>
    </div>
    ${seen.problems.length > 0 &&
    html`<ul class="problems" aria-label="Rules of Slack's that were broken">
      ${seen.problems.map((problem) => html`<li key=${problem}>${problem}</li>`)}
    </ul>`}
    <div class="drawer-body" tabindex="0" role="region" aria-label="Requests, the newest first">
      <table class="traffic">
        <thead>
          <tr><th>Time</th><th>Way</th><th>What</th><th>Answer</th><th>Took</th></tr>
        </thead>
        <tbody>
          ${seen.lines.map((line, at) => html`<${Line} key=${seen.lines.length - at} line=${line} />`)}
        </tbody>
      </table>
    </div>
  </aside>`;
}

function Example({ example }) {
  const { name, payload } = example;
  const surface = { ...surfaceFor({}, payload.type || "message", {}), onAction: async () => ({}) };
  const title = payload.title ? plain(payload.title) : "";
  return html`<section class="example" id=${`example-${name}`} aria-label=${name}>
    <h3>${name}</h3>
    <div class=${payload.type === "modal" ? "dialog-body framed" : "framed"}>
      ${title && html`<h4>${title}</h4>`}
      <${Blocks} blocks=${payload.blocks} surface=${surface} prefix=${name} />
      ${payload.submit && html`<div class="dialog-foot"><button class="btn primary">${plain(payload.submit)}</button></div>`}
    </div>
  </section>`;
}

export function Gallery() {
  const [examples, setExamples] = useState(null);
  const close = () => show({ gallery: false });
  useEscape(true, close);
  useEffect(() => void read("gallery").then((found) => setExamples(found.examples)), []);
  return html`<main class="gallery" aria-label="Every card in every state">
    <div class="dialog-head">
      <h1>Every card in every state</h1>
      <button class="x" aria-label="Close" onClick=${close}><${Icon} n="close" /></button>
    </div>
    ${examples === null && html`<p role="status">Loading…</p>`}
    ${examples?.length === 0 && html`<p>The golden files are not here. They are in the project's tests/golden.</p>`}
    ${examples?.length > 0 && html`<h2>${examples.length} examples, from the golden files</h2>`}
    <div class="examples">${(examples || []).map((one) => html`<${Example} key=${one.name} example=${one} />`)}</div>
  </main>`;
}
