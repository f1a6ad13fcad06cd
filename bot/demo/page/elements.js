// Block Kit's elements: what can be pressed, chosen or filled, and pictures.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Icon } from "./icons.js";
import { plain, safeUrl, text } from "./mrkdwn.js";
import { fileUrl } from "./store.js";

// Every element gets: el (its JSON), surface (surface.js), blockId, and `wide` inside an input block.

export function pictureUrl(picture) {
  const file = picture?.slack_file;
  if (!file) return picture?.image_url || "";
  return fileUrl(file.id || file.url.match(/F07\w+/)?.[0] || "", "side=1024");
}

// Close a menu on a press elsewhere.
function useOutside(box, open, close) {
  useLayoutEffect(() => {
    if (!open) return undefined;
    const pressed = (event) => !box.current?.contains(event.target) && close();
    document.addEventListener("mousedown", pressed);
    return () => document.removeEventListener("mousedown", pressed);
  }, [open]);
}

function Question({ confirm, done }) {
  const yes = useRef();
  useLayoutEffect(() => yes.current?.focus(), []);
  const keyed = (event) => {
    event.stopPropagation();
    if (event.key === "Escape") {
      event.preventDefault();
      done(false);
    }
  };
  return html`<div class="overlay" onMouseDown=${(event) => event.target === event.currentTarget && done(false)} onKeyDown=${keyed}>
    <div class="dialog small" role="alertdialog" aria-modal="true" aria-label=${plain(confirm.title)}>
      <h2>${plain(confirm.title)}</h2>
      <div class="dialog-body">${text(confirm.text)}</div>
      <div class="dialog-foot">
        <button class="btn" onClick=${() => done(false)}>${plain(confirm.deny)}</button>
        <button ref=${yes} class=${"btn " + (confirm.style === "danger" ? "danger" : "primary")} onClick=${() => done(true)}>
          ${plain(confirm.confirm)}
        </button>
      </div>
    </div>
  </div>`;
}

// Send a click, after the element's question if it has one. Returns [send, under way, the question].
function useAction({ el, surface, blockId }) {
  const [asked, setAsked] = useState(null);
  const [busy, setBusy] = useState(false);
  const fire = async (chosen) => {
    setBusy(true);
    await surface.onAction(blockId, el, chosen);
    setBusy(false);
  };
  const send = (chosen = {}) => (el.confirm ? setAsked({ chosen }) : fire(chosen));
  const answered = (yes) => {
    setAsked(null);
    if (yes) fire(asked.chosen);
  };
  return [send, busy, asked && html`<${Question} confirm=${el.confirm} done=${answered} />`];
}

const visible = ({ el, surface }) => !el.visible_to_user_ids || el.visible_to_user_ids.includes(surface.me);

function Button(props) {
  const { el } = props;
  const [send, busy, question] = useAction(props);
  if (!visible(props)) return null;
  const look = { class: `btn sm ${el.style || ""} ${busy ? "busy" : ""}`, "aria-label": el.accessibility_label };
  const href = el.url && safeUrl(el.url);
  if (href) {
    return html`<a ...${look} href=${href} target="_blank" rel="noreferrer noopener" onClick=${() => send()}>${plain(el.text)}</a>`;
  }
  return html`<button type="button" ...${look} aria-busy=${busy} onClick=${() => send()}>${plain(el.text)}</button>${question}`;
}

// A menu that Escape or a press elsewhere closes. Returns [open, setOpen, what its anchor needs].
export function useMenu() {
  const [open, setOpen] = useState(false);
  const box = useRef();
  useOutside(box, open, () => setOpen(false));
  const keyed = (event) => {
    if (!open || event.key !== "Escape") return;
    event.preventDefault(); // used up here: what lies around the menu stays
    setOpen(false);
    box.current.querySelector("button").focus();
  };
  return [open, setOpen, { ref: box, onKeyDown: keyed }];
}

function Overflow(props) {
  const [open, setOpen, anchor] = useMenu();
  const [send, , question] = useAction(props);
  const pick = (option) => {
    setOpen(false);
    if (option.url && safeUrl(option.url)) window.open(option.url, "_blank", "noopener");
    send({ selected_option: option });
  };
  return html`<div class="pop-anchor" ...${anchor}>
    <button
      type="button"
      class="btn sm icon"
      aria-label="More options"
      aria-haspopup="menu"
      aria-expanded=${open}
      onClick=${() => setOpen(!open)}
    >
      <${Icon} n="dots" />
    </button>
    ${open &&
    html`<div class="menu" role="menu">
      ${props.el.options.map(
        (option) => html`<button key=${option.value} role="menuitem" class="menu-item" onClick=${() => pick(option)}>
          ${plain(option.text)}
        </button>`
      )}
    </div>`}
    ${question}
  </div>`;
}

// ---- selects

const KINDS = { channels: "channel", conversations: "conversation", users: "user" };
const isMulti = (el) => el.type.startsWith("multi_");
const kindOf = (el) => el.type.replace("multi_", "").replace("_select", "");

function optionsOf(el, surface) {
  const option = (value, name) => ({ value, text: { type: "plain_text", text: name } });
  if (kindOf(el) === "users") return surface.users.map((user) => option(user.id, user.name));
  if (KINDS[kindOf(el)]) return surface.channels.map((channel) => option(channel.id, `# ${channel.name}`));
  const groups = (el.option_groups || []).flatMap((group) => [{ group: plain(group.label) }, ...group.options]);
  return el.options || groups;
}

function initialOf(el, surface) {
  const kind = KINDS[kindOf(el)];
  if (!kind) return (isMulti(el) ? el.initial_options : el.initial_option) || (isMulti(el) ? [] : null);
  const all = optionsOf(el, surface);
  if (isMulti(el)) return all.filter((option) => (el[`initial_${kind}s`] || []).includes(option.value));
  const wanted = el[`initial_${kind}`] || (el.default_to_current_conversation && surface.currentChannel);
  return all.find((option) => option.value === wanted) || null;
}

function chosenOf(el, value) {
  const kind = KINDS[kindOf(el)];
  if (isMulti(el)) return kind ? { [`selected_${kind}s`]: value.map((option) => option.value) } : { selected_options: value };
  return kind ? { [`selected_${kind}`]: value?.value ?? null } : { selected_option: value };
}

function Chips({ value, remove }) {
  return value.map(
    (option) => html`<span class="chip" key=${option.value}>
      ${plain(option.text)}
      <button
        type="button"
        aria-label=${`Remove ${plain(option.text)}`}
        onClick=${(event) => {
          event.stopPropagation();
          remove(option);
        }}
      >
        ×
      </button>
    </span>`
  );
}

function Options({ options, chosen, at, hover, pick }) {
  return options.map((option, index) =>
    option.group
      ? html`<div class="menu-group" key=${"g" + index}>${option.group}</div>`
      : html`<button
          key=${option.value}
          type="button"
          role="option"
          aria-selected=${chosen(option)}
          class=${"menu-item " + (index === at ? "hi" : "")}
          onMouseEnter=${() => hover(index)}
          onClick=${() => pick(option)}
        >
          <span>${plain(option.text)}${option.description && html`<small>${plain(option.description)}</small>`}</span>
          ${chosen(option) && html`<${Icon} n="check" />`}
        </button>`
  );
}

function Select(props) {
  const { el, surface, blockId, wide } = props;
  const multi = isMulti(el);
  const [value, setValue] = useState(() => initialOf(el, surface));
  const [open, setOpen] = useState(false);
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const box = useRef();
  const [send, , question] = useAction(props);
  useOutside(box, open, () => setOpen(false));
  const keep = (now) => surface.setState(blockId, el.action_id, { type: el.type, ...chosenOf(el, now) });
  useEffect(() => keep(value), []);

  const fits = (option) => !words || (!option.group && plain(option.text).toLowerCase().includes(words.toLowerCase()));
  const options = optionsOf(el, surface).filter(fits);
  const chosen = (option) => (multi ? value.some((one) => one.value === option.value) : value?.value === option.value);
  const pick = (option) => {
    if (!option || option.group) return;
    const without = multi && value.filter((one) => one.value !== option.value);
    const now = !multi ? option : chosen(option) ? without : [...value, option];
    setValue(now);
    setWords("");
    if (!multi) setOpen(false);
    keep(now);
    if (!wide || props.dispatches) send(chosenOf(el, now));
  };
  const keyed = (event) => {
    if (open && event.key === "Escape") setOpen(false); // used up here: the dialog around it stays
    else if (!open && ["ArrowDown", "Enter", " "].includes(event.key)) setOpen(true);
    else if (open && event.key === "ArrowDown") setAt(Math.min(at + 1, options.length - 1));
    else if (open && event.key === "ArrowUp") setAt(Math.max(at - 1, 0));
    else if (open && event.key === "Enter") pick(options[at]);
    else return;
    event.preventDefault();
  };
  const shown = multi ? value.length > 0 && html`<${Chips} value=${value} remove=${pick} />` : value && plain(value.text);
  const search = (event) => {
    setWords(event.target.value);
    setAt(0);
  };
  return html`<div class=${"pop-anchor " + (wide ? "wide" : "")} ref=${box} onKeyDown=${keyed}>
    <div
      class=${"select " + (wide ? "lg" : "sm")}
      role="combobox"
      tabindex="0"
      aria-expanded=${open}
      aria-label=${props.label || plain(el.placeholder) || "Select"}
      onClick=${() => setOpen(!open)}
    >
      <span class=${"select-val " + (shown ? "" : "ph")}>${shown || plain(el.placeholder) || "Select an option"}</span>
      <${Icon} n="chev" />
    </div>
    ${open &&
    html`<div class="menu listbox" role="listbox">
      ${options.length + words.length > 7 &&
      html`<input class="menu-q" placeholder="Search" aria-label="Search" value=${words} autofocus onInput=${search} />`}
      <${Options} options=${options} chosen=${chosen} at=${at} hover=${setAt} pick=${pick} />
    </div>`}
    ${question}
  </div>`;
}

// ---- inputs

let groups = 0; // the browser lets one radio button of a name be on, wherever on the page the others are

function Choices(props) {
  const { el, surface, blockId, wide } = props;
  const radio = el.type === "radio_buttons";
  const [value, setValue] = useState(radio ? [el.initial_option].filter(Boolean) : el.initial_options || []);
  const [name] = useState(() => `choices-${++groups}`);
  const [send, , question] = useAction(props);
  const chosen = (now) => (radio ? { selected_option: now[0] || null } : { selected_options: now });
  const keep = (now) => surface.setState(blockId, el.action_id, { type: el.type, ...chosen(now) });
  useEffect(() => keep(value), []);
  const isOn = (option) => value.some((one) => one.value === option.value);
  const toggle = (option) => {
    const without = value.filter((one) => one.value !== option.value);
    const now = radio ? [option] : isOn(option) ? without : [...value, option];
    setValue(now);
    keep(now);
    if (!wide || props.dispatches) send(chosen(now));
  };
  return html`<div class="choices" role=${radio ? "radiogroup" : "group"} aria-label=${props.label}>
      ${el.options.map(
        (option) => html`<label class="choice" key=${option.value}>
          <input
            type=${radio ? "radio" : "checkbox"}
            name=${name}
            checked=${isOn(option)}
            onChange=${() => toggle(option)}
          />
          <span>${text(option.text)}${option.description && html`<small>${text(option.description)}</small>`}</span>
        </label>`
      )}
    </div>
    ${question}`;
}

const TEXT_TYPES = { email_text_input: "email", url_text_input: "url", number_input: "number" };

function TextInput({ el, surface, blockId }) {
  const [value, setValue] = useState(el.initial_value || "");
  const field = useRef();
  const keep = (now) => surface.setState(blockId, el.action_id, { type: el.type, value: now || null });
  useEffect(() => {
    keep(value);
    if (el.focus_on_load) field.current?.focus();
  }, []);
  const typed = (event) => {
    setValue(event.target.value);
    keep(event.target.value);
  };
  const common = {
    ref: field,
    class: "field",
    id: `${blockId}/${el.action_id}`,
    value,
    placeholder: plain(el.placeholder),
    maxlength: el.max_length,
    onInput: typed,
  };
  if (el.multiline) return html`<textarea ...${common} rows="4"></textarea>`;
  const step = el.is_decimal_allowed ? "any" : 1;
  return html`<input ...${common} type=${TEXT_TYPES[el.type] || "text"} min=${el.min_value} max=${el.max_value} step=${step} />`;
}

const DATE_TYPES = {
  datepicker: ["date", "selected_date", "initial_date"],
  timepicker: ["time", "selected_time", "initial_time"],
  datetimepicker: ["datetime-local", "selected_date_time", "initial_date_time"],
};

function DateInput(props) {
  const { el, surface, blockId, wide } = props;
  const [type, selected, initial] = DATE_TYPES[el.type];
  const [value, setValue] = useState(el[initial] || "");
  const [send] = useAction(props);
  const picked = (event) => {
    const chosen = { [selected]: event.target.value };
    setValue(event.target.value);
    surface.setState(blockId, el.action_id, { type: el.type, ...chosen });
    if (!wide) send(chosen);
  };
  const label = props.label || plain(el.placeholder) || type;
  return html`<input class=${"field " + (wide ? "" : "sm")} type=${type} aria-label=${label} value=${value} onChange=${picked} />`;
}

// ---- at the end of a card

function Feedback(props) {
  const [pressed, setPressed] = useState("");
  const [send] = useAction(props);
  const thumb = (button, icon) => html`<button
    type="button"
    class=${"fb " + (pressed === icon ? "on" : "")}
    aria-pressed=${pressed === icon}
    aria-label=${button.accessibility_label || plain(button.text)}
    title=${plain(button.text)}
    onClick=${() => {
      setPressed(icon);
      send({ value: button.value, text: button.text });
    }}
  >
    <${Icon} n=${icon} fill=${pressed === icon} />
  </button>`;
  return html`<span class="fbs">${thumb(props.el.positive_button, "up")}${thumb(props.el.negative_button, "down")}</span>`;
}

function IconButton(props) {
  const { el } = props;
  const [send, , question] = useAction(props);
  if (!visible(props)) return null;
  const label = el.accessibility_label || plain(el.text);
  return html`<button type="button" class="fb" aria-label=${label} title=${plain(el.text)} onClick=${() => send()}>
      <${Icon} n=${el.icon} />
    </button>
    ${question}`;
}

function Picture({ el }) {
  return html`<img class="el-img" src=${pictureUrl(el)} alt=${el.alt_text} loading="lazy" />`;
}

const ELEMENTS = {
  button: Button,
  overflow: Overflow,
  image: Picture,
  checkboxes: Choices,
  radio_buttons: Choices,
  plain_text_input: TextInput,
  email_text_input: TextInput,
  url_text_input: TextInput,
  number_input: TextInput,
  datepicker: DateInput,
  timepicker: DateInput,
  datetimepicker: DateInput,
  feedback_buttons: Feedback,
  icon_button: IconButton,
};

export function Element(props) {
  const Kind = ELEMENTS[props.el.type] || (props.el.type.endsWith("_select") ? Select : null);
  if (!Kind) return html`<span class="unknown">This client cannot show “${props.el.type}”</span>`;
  return html`<${Kind} ...${props} />`;
}
