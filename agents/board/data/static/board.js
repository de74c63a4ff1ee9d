// What the board's pages do beyond links and forms: live changes, keys, light and dark, times, lit sources.
// Everything works without it but these. Texts from events get here only as HTML that the server has escaped.
"use strict";

const root = document.documentElement;
const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// --- Times: as long ago as the board's clock says, which in a rehearsal is not the browser's. ---
const ahead = Date.parse(root.dataset.now) - Date.now();
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const absolute = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const UNITS = [["day", 86400], ["hour", 3600], ["minute", 60]];

function tellTimes(within = document) {
  for (const time of all("time.ago", within)) {
    const at = time.dataset.seconds ? time.dataset.seconds * 1000 : Date.parse(time.getAttribute("datetime"));
    if (Number.isNaN(at)) continue;
    const seconds = (at - Date.now() - ahead) / 1000;
    const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ["minute", 60];
    time.title = absolute.format(at);
    time.textContent = Math.abs(seconds) > 14 * 86400 ? absolute.format(at)
      : Math.abs(seconds) < 60 ? "just now" : relative.format(Math.trunc(seconds / size), unit);
  }
}
tellTimes();
setInterval(tellTimes, 30000);

// --- Live: one stream for the view that is shown. A changed event moves to its place; one that no longer fits goes. ---
let stream;
const sign = find("#live");

function listen() {
  stream?.close();
  const view = find("[data-live]");
  if (!view || !window.EventSource) return;
  const address = new URL(view.dataset.live, location.href);
  if (view.dataset.last) address.searchParams.set("last", view.dataset.last);
  stream = new EventSource(address);
  stream.onopen = () => show("live", false);
  stream.onerror = () => show("reconnecting", true);
  stream.addEventListener("event", (message) => place(message.data));
  stream.addEventListener("gone", (message) => document.getElementById(`e-${message.data}`)?.remove());
  stream.addEventListener("reset", () => location.reload());
}

function show(text, off) {
  sign.hidden = false;
  sign.textContent = text;
  sign.classList.toggle("off", off);
}

function place(html) {
  const list = find("#cards");
  const made = new DOMParser().parseFromString(html, "text/html").body.firstElementChild;
  if (!list || !made) return;
  const known = document.getElementById(made.id);
  if (known && Number(known.dataset.seq) >= Number(made.dataset.seq)) return;
  const held = known?.contains(document.activeElement);
  known?.remove();
  const changed = Date.parse(made.dataset.changed);
  const next = [...list.children].find((card) => Date.parse(card.dataset.changed) <= changed);
  if (!next && find(".more")) return;
  list.insertBefore(made, next ?? null);
  made.classList.add("fresh");
  tellTimes(made);
  find("#empty")?.remove();
  if (held) find("h3 a", made).focus();
}

function watchEvent() {
  const page = find("[data-live-event]");
  if (!page || !window.EventSource) return;
  const changes = new EventSource("/changes");
  changes.onopen = () => show("live", false);
  changes.onerror = () => show("reconnecting", true);
  changes.addEventListener("event", (message) => {
    const made = new DOMParser().parseFromString(message.data, "text/html").body.firstElementChild;
    if (made?.dataset.id === page.dataset.id && Number(made.dataset.seq) > Number(page.dataset.seq)) find("#changed").hidden = false;
  });
}

listen();
watchEvent();
document.body.addEventListener("htmx:afterSettle", () => { tellTimes(); listen(); });
document.body.addEventListener("htmx:configRequest", (event) => {
  // Empty fields stay out of the address, so that it can be read and shared.
  const given = event.detail.formData ?? null;
  if (given) for (const [key, value] of [...given.entries()]) if (value === "") given.delete(key);
});
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400) location.assign(event.detail.pathInfo.finalRequestPath ?? location.href);
});
addEventListener("pagehide", () => stream?.close());

// --- Light and dark. ---
const theme = find("#theme");
function turn(event) {
  event?.preventDefault();
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  document.cookie = `summitry_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
}
theme?.addEventListener("click", turn);

// --- Keys. ---
const help = find("#help");
const keys = find("#keys");
keys.hidden = false;
keys.addEventListener("click", () => help.showModal());
const PAGES = { n: "/", c: "/calendar", p: "/pairs", l: "/leaders", m: "/map", f: "/feeds", s: "/system" };
let going = -Infinity;

function step(by) {
  const links = all(".card h3 a");
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  const to = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + by))];
  to.focus();
  to.closest(".card").scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  const typing = event.target.closest?.("input, select, textarea");
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  // When the keys were pressed counts, not when a busy page gets to them.
  if (event.timeStamp - going < 3000 && PAGES[event.key]) { location.assign(PAGES[event.key]); return; }
  going = -Infinity;
  switch (event.key) {
    case "j": step(1); break;
    case "k": step(-1); break;
    case "g": going = event.timeStamp; break;
    case "d": turn(); break;
    case "u": scrollTo({ top: 0, behavior: "smooth" }); find(".card h3 a")?.focus({ preventScroll: true }); break;
    case "?": help.showModal(); break;
    case "/": {
      const search = find("#q");
      if (!search) { location.assign("/"); break; }
      search.focus();
      search.select();
      break;
    }
    default: return;
  }
  event.preventDefault();
});

// --- A source that is behind a click is shown when somebody follows a number to it. ---
function reveal() {
  const named = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  const closed = named && named.closest("details:not([open])");
  if (!closed) return;
  closed.open = true;
  named.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();

// --- Sources light up with what they support, and the other way round. ---
function light(number, on) {
  for (const each of all(`[data-source="${CSS.escape(number)}"]`)) each.classList.toggle("lit", on);
  for (const fact of all("[data-cites]")) {
    if (fact.dataset.cites.split(" ").includes(number)) fact.classList.toggle("lit", on);
  }
}
for (const [start, end] of [["mouseover", "mouseout"], ["focusin", "focusout"]]) {
  for (const [name, on] of [[start, true], [end, false]]) {
    document.addEventListener(name, (event) => {
      const source = event.target.closest?.("[data-source]");
      if (source) light(source.dataset.source, on);
    });
  }
}
