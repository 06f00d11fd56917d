// Reads the feed every two seconds and shows it.

import { count } from "./format.js";
import { showSessions, showSilos, showTenants, showTotals } from "./panels.js";

/** Milliseconds from one feed to the next; doubled, up to the second, while the server can't be reached. */
const interval = 2000;
const longestInterval = 30000;

/** Milliseconds after which a feed that doesn't come is given up. */
const patience = 10000;

/** Feeds whose figures are drawn. */
const remembered = 61;

const part = (id) => document.getElementById(id);
const pasts = new Map();
let [failures, timer, paused] = [0, 0, false];

async function refresh() {
  clearTimeout(timer);
  try {
    const reply = await fetch("dashboard/feed", { headers: { accept: "application/json" }, signal: AbortSignal.timeout(patience) });
    if (!reply.ok) throw new Error(`The server answered ${reply.status}.`);
    show(await reply.json());
    failures = 0;
    say("live", paused ? "paused" : "live");
  } catch {
    failures++;
    say("lost", "connection lost, trying again");
  }
  if (!paused && !document.hidden) timer = setTimeout(refresh, Math.min(longestInterval, interval * 2 ** Math.min(failures, 5)));
}

function show(feed) {
  const { silos } = feed;
  remember("tokens", silos.reduce((sum, silo) => sum + silo.tokens_per_second, 0));
  remember("running", silos.reduce((sum, silo) => sum + silo.running, 0));
  remember("queued", silos.reduce((sum, silo) => sum + silo.queued, 0));
  for (const silo of silos) remember(silo.silo.name, silo.tokens_per_second);
  const models = [...new Set(silos.map((silo) => silo.model))].join(", ");
  part("model").textContent = `${models || "no model"} · ${count(silos.length)} ${silos.length === 1 ? "silo" : "silos"} · ${silos[0]?.silo.edition ?? ""} edition`;
  showTotals(part("totals"), silos, pasts);
  showSilos(part("silo-cards"), silos, pasts);
  showTenants(part("tenants"), part("no-tenants"), silos);
  showSessions(part("sessions"), part("sessions-note"), part("sessions-problem"), feed);
}

function remember(name, value) {
  const past = pasts.get(name) ?? [];
  past.push(value);
  if (past.length > remembered) past.shift();
  pasts.set(name, past);
}

function say(kind, text) {
  const state = part("state");
  state.className = kind;
  // Told to screen readers when it changes, not every two seconds.
  if (state.textContent !== text) state.textContent = text;
}

part("pause").addEventListener("click", () => {
  paused = !paused;
  part("pause").setAttribute("aria-pressed", String(paused));
  part("pause").textContent = paused ? "Go on" : "Pause";
  if (paused) {
    clearTimeout(timer);
    say("live", "paused");
  } else {
    refresh();
  }
});

// A page that nobody sees asks for nothing.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) clearTimeout(timer);
  else if (!paused) refresh();
});

refresh();
