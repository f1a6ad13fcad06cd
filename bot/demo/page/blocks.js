// Block Kit's blocks. A type this page does not know shows as a note with its JSON.
import { html, useEffect, useRef, useState } from "./vendor/preact-htm.js";
import { Element, pictureUrl } from "./elements.js";
import { count } from "./format.js";
import { Icon } from "./icons.js";
import { emojify, plain, text } from "./mrkdwn.js";
import { RichText } from "./richtext.js";

// Every block gets: b (its JSON), surface (surface.js) and id (its block_id, else its place).

function Section({ b, surface, id }) {
  const side = b.accessory;
  const kind = side ? (side.type === "image" ? "acc-img" : "acc") : "";
  return html`<div class=${"b-section " + kind}>
    <div class="sec-main">
      ${b.text && html`<div class="sec-text">${text(b.text)}</div>`}
      ${b.fields && html`<div class="fields">${b.fields.map((field, at) => html`<div key=${at}>${text(field)}</div>`)}</div>`}
    </div>
    ${side && html`<div class="sec-acc"><${Element} el=${side} surface=${surface} blockId=${id} /></div>`}
  </div>`;
}

function Header({ b }) {
  const level = b.level || 1;
  const Tag = `h${Math.min(level + 1, 6)}`;
  return html`<${Tag} class=${`b-header l${level}`}>${plain(b.text)}<//>`;
}

function Context({ b }) {
  return html`<div class="b-context">
    ${b.elements.map((part, at) =>
      part.type === "image"
        ? html`<img key=${at} src=${pictureUrl(part)} alt=${part.alt_text} />`
        : html`<span key=${at}>${text(part)}</span>`
    )}
  </div>`;
}

const rowOf = (name) =>
  function Row({ b, surface, id }) {
    return html`<div class=${name}>
      ${b.elements.map((el) => html`<${Element} key=${el.action_id} el=${el} surface=${surface} blockId=${id} />`)}
    </div>`;
  };

function Image({ b }) {
  const [open, setOpen] = useState(true);
  const label = open ? "Collapse image" : "Expand image";
  return html`<figure class="b-image">
    ${b.title &&
    html`<figcaption>
      <span>${plain(b.title)}</span>
      <button class="tw" aria-label=${label} aria-expanded=${open} onClick=${() => setOpen(!open)}>
        <${Icon} n=${open ? "tri" : "trir"} />
      </button>
    </figcaption>`}
    ${open && html`<img src=${pictureUrl(b)} alt=${b.alt_text} loading="lazy" />`}
  </figure>`;
}

// ---- cards

function CardHead({ b }) {
  const title = b.rich_text_title ? html`<${RichText} parts=${b.rich_text_title.elements} />` : text(b.title);
  return html`
    ${b.icon && html`<img class="card-icon" src=${pictureUrl(b.icon)} alt=${b.icon.alt_text} />`}
    <div class="card-heads">
      ${title && html`<div class="card-title">${title}</div>`}
      ${b.subtitle && html`<div class="card-sub">${text(b.subtitle)}</div>`}
    </div>
  `;
}

function Card({ b, surface, id, inCarousel }) {
  const buttons = b.actions || [];
  const button = (el) => html`<${Element} key=${el.action_id + el.value} el=${el} surface=${surface} blockId=${id} />`;
  const of = (style) => buttons.filter((el) => (el.style || "") === style).map(button);
  const hero = b.hero_image;
  return html`<article class=${"card " + (inCarousel ? "in-carousel" : "")}>
    ${hero && html`<div class="card-hero"><img src=${pictureUrl(hero)} alt=${hero.alt_text} loading="lazy" /></div>`}
    <div class="card-main">
      ${(b.title || b.icon || b.subtitle) && html`<div class="card-head"><${CardHead} b=${b} /></div>`}
      ${b.body && html`<div class="card-body">${text(b.body)}</div>`}
      ${b.subtext && html`<div class="card-subtext">${text(b.subtext)}</div>`}
    </div>
    ${buttons.length > 0 &&
    html`<div class="card-acts">${of("danger")}<span class="sp"></span>${of("")}${of("primary")}</div>`}
  </article>`;
}

function Carousel({ b, surface, id }) {
  const track = useRef();
  const [more, setMore] = useState({ left: false, right: false });
  const measure = () => {
    const box = track.current;
    if (box) setMore({ left: box.scrollLeft > 8, right: box.scrollLeft + box.clientWidth < box.scrollWidth - 8 });
  };
  useEffect(() => {
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(track.current);
    return () => watch.disconnect();
  }, [b]);
  const go = (way) => track.current.scrollBy({ left: way * track.current.clientWidth * 0.85, behavior: "smooth" });
  const arrow = (side, way) => html`<button class=${`car-nav ${side[0]}`} aria-label=${`Scroll ${side}`} onClick=${() => go(way)}>
    <${Icon} n=${side} />
  </button>`;
  return html`<div class="carousel" role="group" aria-label=${`Carousel, ${count(b.elements.length, "item", "items")}`}>
    <div class="track" ref=${track} onScroll=${measure} tabindex="0">
      ${b.elements.map((card, at) => {
        const own = card.block_id || `${id}.${at}`;
        return html`<${Card} key=${own} b=${card} surface=${surface} id=${own} inCarousel />`;
      })}
    </div>
    ${more.left && arrow("left", -1)}${more.right && arrow("right", 1)}
  </div>`;
}

function Container({ b, surface, id }) {
  const [open, setOpen] = useState(!(b.is_collapsible && b.default_collapsed));
  const head = html`<${CardHead} b=${b} />`;
  return html`<section class=${`container w-${b.width || "standard"}`}>
    ${b.is_collapsible
      ? html`<button class="cont-head" aria-expanded=${open} onClick=${() => setOpen(!open)}>
          ${head}<${Icon} n=${open ? "chev" : "right"} />
        </button>`
      : html`<div class=${"cont-head " + (b.has_header_divider ? "div" : "")}>${head}</div>`}
    ${open && html`<div class="cont-body"><${Blocks} blocks=${b.child_blocks} surface=${surface} prefix=${`${id}.`} /></div>`}
  </section>`;
}

// ---- text and data

const Rich = ({ b }) => html`<div class="b-rich"><${RichText} parts=${b.elements} /></div>`;

function Markdown({ b }) {
  const mrkdwn = b.text
    .replace(/\*\*(.+?)\*\*/g, "*$1*")
    .replace(/\[([^\]]+)\]\(([^)]+)\)/g, "<$2|$1>")
    .replace(/^#{1,6} (.*)$/gm, "*$1*")
    .replace(/^[-*] /gm, "• ");
  return html`<div class="b-section"><div class="sec-text">${text({ type: "mrkdwn", text: mrkdwn })}</div></div>`;
}

function Table({ b }) {
  const settings = b.column_settings || [];
  const style = (at) => ({
    textAlign: settings[at]?.align || "left",
    whiteSpace: settings[at]?.is_wrapped ? "normal" : "nowrap",
  });
  const cell = (part) => (part.type === "rich_text" ? html`<${RichText} parts=${part.elements} />` : emojify(part.text || ""));
  const [head, ...rows] = b.rows;
  return html`<div class="table-wrap" tabindex="0"><table class="table">
    <thead><tr>${head.map((part, at) => html`<th key=${at} scope="col" style=${style(at)}>${cell(part)}</th>`)}</tr></thead>
    <tbody>
      ${rows.map(
        (row, line) => html`<tr key=${line}>${row.map((part, at) => html`<td key=${at} style=${style(at)}>${cell(part)}</td>`)}</tr>`
      )}
    </tbody>
  </table></div>`;
}

const ALERT_ICONS = { error: "warn", warning: "warn", success: "check" };

function Alert({ b }) {
  return html`<div class=${`alert ${b.level || "default"}`} role=${b.level === "error" ? "alert" : "status"}>
    <${Icon} n=${ALERT_ICONS[b.level] || "info"} /><div>${text(b.text)}</div>
  </div>`;
}

function Input({ b, surface, id }) {
  const error = surface.errors?.[id];
  const label = plain(b.label);
  return html`<div class=${"b-input " + (error ? "has-err" : "")}>
    <label for=${`${id}/${b.element.action_id}`}>${label}${b.optional && html` <span class="opt">(optional)</span>`}</label>
    <${Element} el=${b.element} surface=${surface} blockId=${id} label=${label} dispatches=${b.dispatch_action} wide />
    ${error && html`<div class="err" role="alert">${error}</div>`}
    ${b.hint && html`<div class="hint">${plain(b.hint)}</div>`}
  </div>`;
}

const BLOCKS = {
  section: Section,
  header: Header,
  divider: () => html`<hr class="b-div" />`,
  image: Image,
  context: Context,
  actions: rowOf("b-actions"),
  context_actions: rowOf("b-cactions"),
  rich_text: Rich,
  markdown: Markdown,
  card: Card,
  carousel: Carousel,
  container: Container,
  table: Table,
  data_table: Table,
  alert: Alert,
  input: Input,
};

function Unknown({ b }) {
  return html`<details class="unknown">
    <summary>This client cannot show a “${b.type}” block</summary>
    <pre>${JSON.stringify(b, null, 1)}</pre>
  </details>`;
}

export function Blocks({ blocks, surface, prefix = "" }) {
  return html`<div class="blocks">
    ${blocks.map((b, at) => {
      const id = b.block_id || `${prefix}b${at}`;
      return html`<${BLOCKS[b.type] || Unknown} key=${id} b=${b} surface=${surface} id=${id} />`;
    })}
  </div>`;
}
