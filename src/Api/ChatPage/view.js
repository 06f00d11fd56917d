// What a conversation looks like.

import { copyButton, render } from "./markdown.js";

export function addUser(log, text) {
  const item = element("li", "user");
  item.append(element("span", "visually-hidden", "You: "), text);
  log.append(item);
}

export function addNotice(log, text) {
  log.append(element("li", "notice", text));
}

/** Seconds: an answer that arrived in less has no speed worth telling. */
const shortestMeasured = 0.1;

/** One answer: waiting, written, finished or failed. Drawn at most once per frame. */
export class AnswerView {
  text = "";
  #began = performance.now();
  #firstText = 0;
  #lastText = 0;
  #finish = null;
  #usage = null;
  #frame = 0;

  constructor(log) {
    this.item = element("li", "assistant");
    this.body = element("div", "body");
    this.waiting = element("div", "progress");
    this.waiting.append(dots());
    this.item.append(element("span", "visually-hidden", "Answer: "), this.waiting, this.body);
    log.append(this.item);
  }

  take({ progress, text, finish, usage }) {
    if (progress) this.#showProgress(progress);
    if (text) this.#append(text);
    if (finish) this.#finish = finish;
    if (usage) this.#usage = usage;
  }

  /** An answer of an earlier visit. */
  showKept(text) {
    this.text = text;
    this.#draw();
    this.item.append(this.#meta([]));
  }

  finish(stopped) {
    this.#draw();
    const facts = this.#facts();
    if (stopped) facts.unshift("stopped");
    else if (this.#finish === "length") facts.unshift("cut at the token limit");
    if (this.text === "" && !stopped) this.body.append(element("p", "notice", "The model ended its answer at once."));
    this.item.append(this.#meta(facts));
  }

  fail(message, retry) {
    this.#draw();
    const again = element("button", "", "Try again");
    again.type = "button";
    again.addEventListener("click", retry);
    const box = element("div", "error");
    box.setAttribute("role", "alert");
    box.append(element("span", "", message), again);
    this.item.append(box);
  }

  remove() {
    this.item.remove();
  }

  #append(text) {
    this.#lastText = performance.now();
    this.#firstText ||= this.#lastText;
    this.text += text;
    this.#frame ||= requestAnimationFrame(() => {
      this.#draw();
      caretPlace(this.body).classList.add("caret");
    });
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.waiting.remove();
    this.body.replaceChildren(...render(this.text));
  }

  #showProgress({ done, total }) {
    if (this.text !== "" || total < 64) return;
    const bar = element("progress");
    bar.max = total;
    bar.value = done;
    bar.setAttribute("aria-label", "Reading the conversation");
    this.waiting.replaceChildren(bar, `reading ${done.toLocaleString("en")} of ${total.toLocaleString("en")} tokens`);
  }

  #facts() {
    if (!this.#usage) return [];
    const { prompt_tokens: prompt, completion_tokens: tokens, lserve } = this.#usage;
    const facts = [tokens === 1 ? "1 token" : `${tokens.toLocaleString("en")} tokens`];
    const seconds = (this.#lastText - this.#firstText) / 1000;
    if (tokens > 2 && seconds >= shortestMeasured) facts.push(`${((tokens - 1) / seconds).toFixed(1)} tokens/s`);
    if (this.#firstText) facts.push(`first word after ${((this.#firstText - this.#began) / 1000).toFixed(2)} s`);
    if (lserve.cached_tokens > 0) facts.push(`${lserve.cached_tokens.toLocaleString("en")} of ${prompt.toLocaleString("en")} prompt tokens reused`);
    return facts;
  }

  #meta(facts) {
    const line = element("div", "meta");
    line.append(...facts.map((fact) => element("span", "", fact)));
    if (this.text) line.append(...copyButton(this.text, "Copy the answer"));
    return line;
  }
}

/** The element after whose last character the caret stands. */
function caretPlace(body) {
  let place = body;
  while (place.lastElementChild && !["BR", "PROGRESS", "BUTTON"].includes(place.lastElementChild.tagName) && isLast(place)) place = place.lastElementChild;
  return place;
}

function isLast(place) {
  const last = place.lastChild;
  return last instanceof Element || (last.nodeType === Node.TEXT_NODE && last.data.trim() === "");
}

function dots() {
  const wave = element("span", "dots");
  wave.append(element("i"), element("i"), element("i"));
  wave.setAttribute("aria-label", "Waiting for the answer");
  return wave;
}

function element(tag, className = "", text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}
