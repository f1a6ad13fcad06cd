// What lies over the page: the app's dialogs, an enlarged picture, the JSON of a message.
import { html, useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/preact-htm.js";
import { Blocks } from "./blocks.js";
import { Icon } from "./icons.js";
import { plain } from "./mrkdwn.js";
import { post, show } from "./store.js";
import { surfaceFor } from "./surface.js";

const FOCUSABLE = "button, a[href], input, textarea, [tabindex='0']";

// Tab goes round inside the box and does not leave it.
export function keepFocus(box) {
  return (event) => {
    if (event.key !== "Tab" || !box.current) return;
    const stops = [...box.current.querySelectorAll(FOCUSABLE)].filter((stop) => !stop.disabled && stop.offsetParent);
    if (!stops.length) return;
    const [edge, other] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
    const outside = !box.current.contains(document.activeElement);
    if (document.activeElement === edge || document.activeElement === box.current || outside) {
      event.preventDefault();
      other.focus();
    }
  };
}

// Escape closes the topmost thing; `on` says whether this one is it. Listened to as soon as the thing is there
// (a layout effect): a key pressed before the next paint is not lost.
export function useEscape(on, close) {
  useLayoutEffect(() => {
    if (!on) return undefined;
    const pressed = (event) => {
      if (event.key !== "Escape" || event.defaultPrevented) return;
      event.preventDefault();
      close();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  });
}

export function ViewDialog({ view, depth, top }) {
  const entered = useMemo(() => structuredClone(view.state?.values || {}), [view.id]);
  const [errors, setErrors] = useState(null);
  const [busy, setBusy] = useState(false);
  const box = useRef();
  const close = () => post("view_closed", { view_id: view.id });
  const closeAll = () => post("view_closed", { view_id: view.id, everything: true });
  const submit = async () => {
    setBusy(true);
    setErrors(null);
    const result = await post("view_submission", { view_id: view.id, state: entered });
    setBusy(false);
    if (result.errors && Object.keys(result.errors).length) setErrors(result.errors);
  };
  useEscape(top, close);
  useLayoutEffect(() => {
    if (!top || box.current.contains(document.activeElement)) return;
    (box.current.querySelector(".dialog-body :is(input, textarea, [role=combobox])") || box.current).focus();
  }, [top, view.hash]);
  useEffect(() => {
    if (errors) box.current.querySelector(".has-err")?.scrollIntoView({ block: "center" });
  }, [errors]);
  const surface = { ...surfaceFor({ view_id: view.id }, "modal", entered), errors };
  return html`<div class=${"overlay " + (top ? "" : "under")} onKeyDown=${keepFocus(box)}>
    <div
      ref=${box}
      class=${"dialog " + (depth ? "push" : "")}
      role="dialog"
      aria-modal="true"
      aria-label=${plain(view.title)}
      tabindex="-1"
    >
      <div class="dialog-head">
        ${depth > 0
          ? html`<button class="x" aria-label="Back" onClick=${close}><${Icon} n="back" /></button>`
          : html`<img src="/static/img/bot.png" alt="" />`}
        <h2>${plain(view.title)}</h2>
        <button class="x" aria-label="Close" onClick=${closeAll}><${Icon} n="close" /></button>
      </div>
      <div class="dialog-body"><${Blocks} blocks=${view.blocks} surface=${surface} prefix=${view.id} /></div>
      ${(view.submit || view.close) &&
      html`<div class="dialog-foot">
        ${view.close && html`<button class="btn" onClick=${close}>${plain(view.close)}</button>`}
        ${view.submit &&
        html`<button class=${"btn primary " + (busy ? "busy" : "")} aria-busy=${busy} onClick=${submit}>
          ${plain(view.submit)}
        </button>`}
      </div>`}
    </div>
  </div>`;
}

export function LargePicture({ picture }) {
  const close = () => show({ picture: null });
  const box = useRef();
  useEscape(true, close);
  useLayoutEffect(() => box.current.focus(), []);
  return html`<div
    ref=${box}
    class="light"
    role="dialog"
    aria-modal="true"
    aria-label="Picture"
    tabindex="-1"
    onClick=${close}
    onKeyDown=${keepFocus(box)}
  >
    <img src=${picture.src} alt=${picture.alt} />
    <button class="light-x" aria-label="Close picture"><${Icon} n="close" /></button>
  </div>`;
}

export function MessageJson({ message }) {
  const { whispered, ...sent } = message;
  const close = () => show({ json: null });
  const copy = () => navigator.clipboard.writeText(JSON.stringify({ blocks: sent.blocks }, null, 2));
  const box = useRef();
  useEscape(true, close);
  useLayoutEffect(() => box.current.focus(), []);
  return html`<div
    class="overlay"
    onMouseDown=${(event) => event.target === event.currentTarget && close()}
    onKeyDown=${keepFocus(box)}
  >
    <div ref=${box} class="dialog wide" role="dialog" aria-modal="true" aria-label="Message JSON" tabindex="-1">
      <div class="dialog-head">
        <h2>Message JSON</h2>
        <button class="btn sm" onClick=${copy}>Copy for Block Kit Builder</button>
        <button class="x" aria-label="Close" onClick=${close}><${Icon} n="close" /></button>
      </div>
      <div class="dialog-body"><pre class="json">${JSON.stringify(sent, null, 2)}</pre></div>
    </div>
  </div>`;
}
