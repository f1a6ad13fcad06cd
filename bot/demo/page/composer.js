// Where a person writes: text, files by drop, paste or button, and slash commands.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Icon } from "./icons.js";
import { post, state } from "./store.js";

// Other parts of the page put text or files into the composer of a channel or thread by these events.
export const prefill = (thread, text) => dispatchEvent(new CustomEvent("compose", { detail: { thread, text } }));
export const attach = (thread, files) => dispatchEvent(new CustomEvent("compose", { detail: { thread, files } }));

const shownByBrowser = (file) => /^image\/(png|jpe?g|gif|webp|avif|bmp|svg\+xml)$/.test(file.type);
const entryOf = (file) => ({ file, url: shownByBrowser(file) ? URL.createObjectURL(file) : "" });

function Attachments({ files, remove }) {
  return html`<div class="att">
    ${files.map(
      (entry, at) => html`<div key=${at}>
        ${entry.url
          ? html`<img src=${entry.url} alt=${entry.file.name} />`
          : html`<span class="att-name">${entry.file.name}</span>`}
        <button aria-label=${`Remove ${entry.file.name}`} onClick=${() => remove(at)}>×</button>
      </div>`
    )}
  </div>`;
}

function Commands({ commands, chosen, pick }) {
  return html`<div class="slash" role="listbox" aria-label="Commands">
    ${commands.map(
      (entry, at) => html`<button
        key=${entry.command}
        role="option"
        aria-selected=${at === chosen}
        class=${"menu-item " + (at === chosen ? "hi" : "")}
        onMouseDown=${(event) => {
          event.preventDefault();
          pick(entry);
        }}
      >
        <span><code>${entry.command}</code> ${entry.hint}<small>${entry.description}</small></span>
        <img src=${`/static/img/${entry.app ? "bot" : "ws"}.png`} alt="" />
      </button>`
    )}
  </div>`;
}

export function Composer({ channel, thread = null, label, focused = false }) {
  const [text, setText] = useState("");
  const [files, setFiles] = useState([]);
  const [chosen, setChosen] = useState(0);
  const area = useRef();
  const picker = useRef();
  const typing = text.startsWith("/") && !/\s/.test(text);
  const commands = typing ? state.commands.filter((entry) => entry.command.startsWith(text)) : [];
  const add = (list) => setFiles((before) => [...before, ...[...list].map(entryOf)]);
  const remove = (at) => setFiles(files.filter((_, index) => index !== at));

  useEffect(() => {
    const put = ({ detail }) => {
      if (detail.thread !== thread) return;
      if (detail.files) add(detail.files);
      if (detail.text) setText(detail.text);
      area.current?.focus();
    };
    addEventListener("compose", put);
    return () => removeEventListener("compose", put);
  }, [thread]);
  useEffect(() => {
    if (focused) area.current.focus();
  }, []);
  useLayoutEffect(() => {
    area.current.style.height = "auto";
    area.current.style.height = `${area.current.scrollHeight}px`;
  }, [text]);

  const send = async () => {
    const said = text.trim();
    if (!said && !files.length) return;
    setText("");
    setFiles([]);
    if (said.startsWith("/") && !files.length) {
      const [command] = said.split(/\s/, 1);
      await post("command", { command, text: said.slice(command.length).trim(), channel, thread_ts: thread });
      return;
    }
    const form = new FormData();
    Object.entries({ user: state.me, channel, text: said, ...(thread && { thread_ts: thread }) }).forEach((pair) => form.set(...pair));
    files.forEach(({ file }) => form.append("file", file, file.name || "image.png"));
    const result = await post("message", form);
    if (!result.ok) {
      // what did not arrive is not lost
      setText(said);
      setFiles(files);
    }
  };

  const move = (step) => setChosen((chosen + step + commands.length) % commands.length);
  const pick = (entry) => setText(`${entry.command} `);
  const keyed = (event) => {
    const completes = event.key === "Tab" || (event.key === "Enter" && text !== commands[chosen]?.command);
    if (commands.length && event.key === "ArrowDown") move(1);
    else if (commands.length && event.key === "ArrowUp") move(-1);
    else if (commands.length && completes) pick(commands[chosen]);
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) send();
    else return;
    event.preventDefault();
  };
  const pasted = (event) => {
    const held = [...(event.clipboardData?.files || [])];
    if (!held.length) return;
    event.preventDefault();
    add(held);
  };
  const ready = text.trim() || files.length > 0;

  return html`<div class="comp">
    ${commands.length > 0 && html`<${Commands} commands=${commands} chosen=${chosen} pick=${pick} />`}
    <textarea
      ref=${area}
      rows="1"
      value=${text}
      placeholder=${label}
      aria-label=${label}
      onInput=${(event) => {
        setText(event.target.value);
        setChosen(0);
      }}
      onKeyDown=${keyed}
      onPaste=${pasted}
    ></textarea>
    ${files.length > 0 && html`<${Attachments} files=${files} remove=${remove} />`}
    <div class="bar">
      <button class="cbtn" aria-label="Attach a file" title="Attach a file" onClick=${() => picker.current.click()}>
        <${Icon} n="plus" />
      </button>
      <input
        ref=${picker}
        type="file"
        aria-label="Files to attach"
        multiple
        hidden
        onChange=${(event) => {
          add(event.target.files);
          event.target.value = "";
        }}
      />
      <span class="sp"></span>
      <span class="hintk">${ready ? "Enter to send" : ""}</span>
      <button class=${"cbtn send " + (ready ? "ready" : "")} aria-label="Send" onClick=${send}>
        <${Icon} n="send" s="18" fill />
      </button>
    </div>
  </div>`;
}
