import { getJson, post, sendTurn } from "./stream.js";
import { AnswerView, addNotice, addUser } from "./view.js";

const storedName = "lserve.session";
const sampling = { temperature: 0.2, top_p: 0.9, frequency_penalty: 0.1, max_tokens: 1024 };

/** Milliseconds that the server has to end an answer which was stopped, before the connection is cut. */
const stopPatience = 3000;

const $ = (id) => document.getElementById(id);
const [input, log, scroller] = [$("input"), $("log"), $("scroller")];
const page = { session: randomName("chat"), isKept: false, context: 0, canChat: true, running: null };

start();

async function start() {
  restoreSessionName();
  connectControls();
  update();
  try {
    const model = (await getJson("v1/models")).data[0];
    [page.context, page.canChat] = [model.context_length, model.chat];
    $("model").textContent = `${model.id} · ${model.backend}`;
    if (!model.chat) addNotice(log, "This model can't chat; it serves raw completions at /v1/completions.");
    await showKeptConversation();
  } catch (problem) {
    $("model").textContent = problem.message;
  }
  update();
  input.focus();
}

async function showKeptConversation() {
  if (!page.isKept) return;
  const kept = await getJson(`v1/sessions/${encodeURIComponent(page.session)}`);
  for (const message of kept?.messages ?? []) {
    if (message.role === "user") addUser(log, message.content);
    else if (message.role === "assistant") new AnswerView(log).showKept(message.content);
  }
  if (kept) showTokens(kept.tokens);
  scroller.scrollTop = scroller.scrollHeight;
}

function connectControls() {
  $("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit(input.value);
  });
  input.addEventListener("input", update);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit(input.value);
  });
  $("stop").addEventListener("click", stop);
  $("new").addEventListener("click", startOver);
  for (const button of document.querySelectorAll("#suggestions button"))
    button.addEventListener("click", () => submit(button.textContent));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && page.running) stop();
  });
}

function submit(value) {
  const text = value.trim();
  if (!text || page.running || !page.canChat) return;
  input.value = "";
  storeSessionName();
  addUser(log, text);
  run({ session: page.session, turn: randomName("turn"), text, sampling });
}

async function run(turn) {
  const running = (page.running = { abort: new AbortController(), stopped: false });
  const view = new AnswerView(log);
  announce("The answer is being written.");
  update();
  follow(true);
  try {
    for await (const event of sendTurn(turn, running.abort.signal)) {
      view.take(event);
      if (event.usage && turn.session === page.session) showTokens(event.usage.lserve.session_tokens);
      follow(false);
    }
    view.finish(running.stopped);
    announce(view.text);
  } catch (problem) {
    if (problem.name === "AbortError") view.finish(true);
    else view.fail(problem.message, () => { view.remove(); run(turn); });
  }
  if (page.running === running) page.running = null;
  update();
  follow(false);
  input.focus();
}

/** Asks the server to end the answer, which then arrives as far as it is kept; cuts the connection if that takes too long. */
async function stop() {
  const running = page.running;
  if (!running || running.stopped) return;
  running.stopped = true;
  const patience = setTimeout(() => running.abort.abort(), stopPatience);
  try {
    await post(`v1/sessions/${encodeURIComponent(page.session)}/cancel`);
  } catch {
    clearTimeout(patience);
    running.abort.abort();
  }
}

function startOver() {
  page.running?.abort.abort();
  page.running = null;
  page.session = randomName("chat");
  forgetSessionName();
  log.replaceChildren();
  $("stats").textContent = "";
  announce("A new conversation has begun.");
  update();
  input.focus();
}

function update() {
  const busy = page.running !== null;
  $("welcome").hidden = log.childElementCount > 0;
  $("send").hidden = busy;
  $("stop").hidden = !busy;
  $("send").disabled = input.value.trim() === "" || !page.canChat;
  input.style.height = "auto";
  input.style.height = `${input.scrollHeight}px`;
}

/** Keeps the newest text in view, unless the reader has scrolled up. */
function follow(always) {
  const distance = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  if (always || distance < 160) scroller.scrollTop = scroller.scrollHeight;
}

function showTokens(tokens) {
  $("stats").textContent = `${tokens.toLocaleString("en")} of ${page.context.toLocaleString("en")} tokens kept`;
}

function announce(text) {
  $("announcer").textContent = text;
}

function randomName(kind) {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `${kind}-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

function restoreSessionName() {
  try {
    const stored = localStorage.getItem(storedName);
    if (stored) [page.session, page.isKept] = [stored, true];
  } catch { /* A browser that stores nothing: the conversation lasts as long as the page. */ }
}

function storeSessionName() {
  try {
    localStorage.setItem(storedName, page.session);
  } catch { /* As above. */ }
}

function forgetSessionName() {
  try {
    localStorage.removeItem(storedName);
  } catch { /* As above. */ }
}
