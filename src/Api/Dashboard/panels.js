// What the feed looks like. Elements stay from one feed to the next, so that focus and selection do as well.

import { ago, bytes, count, rate, secondsOf, span } from "./format.js";

export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

/** Makes a parent's children those of the items, in their order. */
function keep(parent, items, key, make) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  items.forEach((item, i) => {
    const name = key(item);
    const child = known.get(name) ?? make();
    known.delete(name);
    child.dataset.key = name;
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
  for (const gone of known.values()) gone.remove();
  return [...parent.children];
}

const set = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

const sum = (silos, value) => silos.reduce((total, silo) => total + value(silo), 0);

/** Figures of all silos together, each with its past if that tells something. */
export function showTotals(list, silos, pasts) {
  const pools = silos.flatMap((silo) => silo.kv).filter((kv) => kv.total_pages);
  const [used, total] = [sum(pools, (kv) => kv.used_pages), sum(pools, (kv) => kv.total_pages)];
  const tiles = [
    ["Tokens per second", rate(sum(silos, (s) => s.tokens_per_second)), pasts.get("tokens")],
    ["Running", count(sum(silos, (s) => s.running)), pasts.get("running")],
    ["Queued", `${count(sum(silos, (s) => s.queued))}`, pasts.get("queued"), `${count(sum(silos, (s) => s.queued_tokens))} tokens to compute`],
    ["Sessions in memory", count(sum(silos, (s) => s.activations)), null, `${count(sum(silos, (s) => s.placements))} placed since start`],
    ["KV pages", total ? `${Math.round((100 * used) / total)} %` : "–", null, `${count(used)} of ${count(total)}`],
    ["Migrations", count(sum(silos, (s) => s.migrations_in)), null, "between silos"],
  ];
  keep(list, tiles, ([name]) => name, makeTile).forEach((tile, i) => {
    const [name, value, past, more] = tiles[i];
    const [label, figure, note] = tile.children;
    set(label, name);
    set(figure, value);
    set(note, more ?? "");
    if (past) spark(tile.querySelector("svg") ?? tile.appendChild(makeSpark()), past);
  });
}

function makeTile() {
  const tile = element("li", "tile");
  tile.append(element("p", "label"), element("p", "figure"), element("p", "note"));
  return tile;
}

export function showSilos(list, silos, pasts) {
  keep(list, silos, (silo) => silo.silo.name, makeSilo).forEach((card, i) => {
    const silo = silos[i];
    const part = (name) => card.querySelector(name);
    set(part("h3"), silo.silo.name);
    set(part(".where"), `${silo.backend} · ${silo.model} · up ${span(Math.floor(secondsOf(silo.uptime)))}`);
    part(".badge").hidden = !silo.draining;
    link(part("a"), silo.silo.address);
    spark(part("svg"), pasts.get(silo.silo.name) ?? []);
    const facts = [
      ["Tokens/s", rate(silo.tokens_per_second)], ["Sessions", count(silo.activations)], ["Running", count(silo.running)],
      ["Rows of last step", count(silo.batch_rows)], ["Queued", count(silo.queued)], ["Queued tokens", count(silo.queued_tokens)],
      ["Placements", count(silo.placements)], ["Migrated in", count(silo.migrations_in)], ["Migrated out", count(silo.migrations_out)],
    ];
    keep(part("dl"), facts, ([name]) => name, makeFact).forEach((fact, j) => {
      set(fact.children[0], facts[j][0]);
      set(fact.children[1], facts[j][1]);
    });
    keep(part(".pools"), silo.kv, poolName, makePool).forEach((pool, j) => showPool(pool, silo.kv[j]));
  });
}

const tierNames = { device: "GPU memory", host: "memory", disk: "kept" };
const poolName = (kv) => (kv.pool ? `${kv.pool} heads, ${tierNames[kv.tier]}` : `Pages ${tierNames[kv.tier]} on disk`);

function showPool(row, kv) {
  const [name, amount, bar] = row.children;
  const label = kv.pool ? poolName(kv) : "kept by the store";
  const share = kv.total_pages ? kv.used_pages / kv.total_pages : kv.total_bytes ? kv.used_bytes / kv.total_bytes : null;
  const pages = kv.used_pages === undefined ? "" : `${count(kv.used_pages)} of ${count(kv.total_pages)} pages · `;
  const size = kv.used_bytes === undefined ? "size not known" : bytes(kv.used_bytes) + (kv.total_bytes ? ` of ${bytes(kv.total_bytes)}` : "");
  set(name, label);
  set(amount, pages + size);
  bar.hidden = share === null;
  if (share === null) return;
  bar.firstElementChild.style.width = `${100 * share}%`;
  bar.classList.toggle("full", share > 0.9);
  bar.setAttribute("aria-label", label);
  bar.setAttribute("aria-valuenow", Math.round(100 * share));
}

function makeSilo() {
  const card = element("li", "card");
  const head = element("div", "head");
  const title = element("div");
  title.append(element("h3"), element("p", "where"));
  head.append(title, element("span", "badge", "draining"), element("a", "", "Its dashboard"));
  card.append(head, makeSpark(), element("dl"), element("ul", "pools"));
  return card;
}

function makeFact() {
  const fact = element("div");
  fact.append(element("dt"), element("dd"));
  return fact;
}

function makePool() {
  const [row, bar] = [element("li"), element("div", "bar")];
  bar.setAttribute("role", "meter");
  bar.setAttribute("aria-valuemin", 0);
  bar.setAttribute("aria-valuemax", 100);
  bar.append(element("i"));
  row.append(element("span"), element("span", "quiet"), bar);
  return row;
}

function link(anchor, address) {
  const loopback = (host) => ["localhost", "127.0.0.1", "[::1]"].includes(host);
  const other = address && new URL(address);
  const here = !other || (other.port === location.port && (other.hostname === location.hostname || (loopback(other.hostname) && loopback(location.hostname))));
  anchor.hidden = here;
  if (!here) anchor.href = new URL("dashboard", other).href;
}

export function showTenants(table, empty, silos) {
  const names = [...new Set(silos.flatMap((silo) => silo.tenants.map((t) => t.tenant)))];
  const rateOf = (silo, tenant) => silo.tenants.find((t) => t.tenant === tenant)?.tokens_per_second ?? 0;
  const rows = names.map((name) => [name, sum(silos, (silo) => rateOf(silo, name))]).sort((a, b) => b[1] - a[1]);
  table.hidden = rows.length === 0;
  empty.hidden = rows.length > 0;
  const heads = ["Tenant", ...silos.map((silo) => silo.silo.name), "All"];
  const head = table.tHead.rows[0] ?? table.tHead.insertRow();
  keep(head, heads.map((text, i) => [text, i]), ([text, i]) => `${i} ${text}`, () => element("th")).forEach((cell, i) => {
    cell.scope = "col";
    cell.className = i === 0 ? "" : "number";
    set(cell, heads[i]);
  });
  keep(table.tBodies[0], rows, ([name]) => name, () => element("tr")).forEach((row, i) => {
    const [name, total] = rows[i];
    cells(row, [name, ...silos.map((silo) => rate(rateOf(silo, name))), rate(total)], (j) => (j === 0 ? "" : "number"));
  });
}

export function showSessions(table, note, problem, feed) {
  problem.hidden = !feed.problem;
  set(problem, feed.problem ?? "");
  const now = Date.parse(feed.at);
  keep(table.tBodies[0], feed.sessions, (s) => s.id, () => element("tr")).forEach((row, i) => {
    const s = feed.sessions[i];
    // A turn in progress caches tokens that aren't committed yet.
    const kept = s.tokens ? `${Math.min(100, Math.round((100 * s.cached_tokens) / s.tokens))} %` : "–";
    cells(row, [
      s.id, s.interrupted ? `${s.state}, interrupted` : s.state, count(s.turns), count(s.tokens), kept,
      s.last_used.startsWith("1970") ? "–" : ago((now - Date.parse(s.last_used)) / 1000), s.model,
    ], (j) => ["name", `state ${s.state}`, "number", "number", "", "", "quiet"][j]);
  });
  set(note, feed.sessions.length ? `The ${count(feed.sessions.length)} used last, of tenant ${feed.tenant}.` : `Tenant ${feed.tenant} has none yet.`);
}

function cells(row, texts, className) {
  while (row.cells.length > texts.length) row.deleteCell(-1);
  texts.forEach((text, i) => {
    const cell = row.cells[i] ?? row.insertCell();
    cell.className = className(i);
    set(cell, text);
  });
}

const svg = "http://www.w3.org/2000/svg";

function makeSpark() {
  const made = document.createElementNS(svg, "svg");
  made.setAttribute("class", "spark");
  made.setAttribute("viewBox", "0 0 120 24");
  made.setAttribute("preserveAspectRatio", "none");
  made.setAttribute("aria-hidden", "true");
  made.append(document.createElementNS(svg, "path"), document.createElementNS(svg, "path"));
  return made;
}

/** Draws the last values, the newest at the right. */
function spark(made, values) {
  const most = Math.max(1, ...values);
  const points = values.map((value, i) => `${120 - 2 * (values.length - 1 - i)} ${(22.5 - (21 * value) / most).toFixed(1)}`);
  const line = points.length > 1 ? `M${points.join("L")}` : "";
  made.firstChild.setAttribute("d", line && `${line}V24H${120 - 2 * (values.length - 1)}Z`);
  made.lastChild.setAttribute("d", line);
}
