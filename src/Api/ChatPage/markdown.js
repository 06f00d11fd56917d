// Basic markdown as DOM nodes. Model text only ever becomes text nodes, so nothing in it can run.

const fence = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const inline = /(`+)([^`](?:.*?[^`])?)\1(?!`)|\*\*(?=\S)([\s\S]+?\S?)\*\*|(?<![\w*])[*_](?=[^\s*_])([^*_\n]*[^\s*_])[*_](?![\w*])/;

/** Renders text into an array of block elements. */
export function render(text) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  const blocks = [];
  for (let i = 0; i < lines.length;) {
    const [block, next] = readBlock(lines, i);
    if (block) blocks.push(block);
    i = next;
  }
  return blocks;
}

/** A button that copies; none where the browser doesn't let pages copy, as over plain HTTP from another machine. */
export function copyButton(text, label) {
  if (!navigator.clipboard) return [];
  const copy = make("button", ["Copy"]);
  copy.type = "button";
  copy.setAttribute("aria-label", label);
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    copy.textContent = "Copied";
  });
  return [copy];
}

function readBlock(lines, i) {
  const line = lines[i];
  if (line.trim() === "") return [null, i + 1];
  if (fence.test(line)) return readCode(lines, i);
  if (/^ {0,3}([-*_])( *\1){2,} *$/.test(line)) return [make("hr"), i + 1];
  const heading = /^ {0,3}#{1,6}\s+(.*?)\s*#*$/.exec(line);
  if (heading) return [make("h3", spans(heading[1])), i + 1];
  if (/^ {0,3}>/.test(line)) return readQuote(lines, i);
  if (marker(line)) return readList(lines, i);
  return readParagraph(lines, i);
}

function readCode(lines, i) {
  const [, mark, language] = fence.exec(lines[i]);
  const close = new RegExp(`^ {0,3}${mark[0]}{${mark.length},}\\s*$`);
  let end = i + 1;
  while (end < lines.length && !close.test(lines[end])) end++;
  return [codeBlock(lines.slice(i + 1, end).join("\n"), language), end + 1];
}

function codeBlock(code, language) {
  const head = make("div", [make("span", [language || "text"]), ...copyButton(code, "Copy the code")]);
  const block = make("div", [head, make("pre", [make("code", [code])])]);
  block.className = "code";
  return block;
}

function readQuote(lines, i) {
  const inside = [];
  for (; i < lines.length && /^ {0,3}>/.test(lines[i]); i++) inside.push(lines[i].replace(/^ {0,3}> ?/, ""));
  return [make("blockquote", render(inside.join("\n"))), i];
}

function marker(line) {
  const found = /^( *)(?:([-*+•])|(\d{1,9})[.)])\s+(.*)$/.exec(line);
  return found && { indent: found[1].length, ordered: found[3] !== undefined, start: Number(found[3]), text: found[4] };
}

function readList(lines, i) {
  const first = marker(lines[i]);
  const list = make(first.ordered ? "ol" : "ul");
  if (first.ordered && first.start !== 1) list.start = first.start;
  while (i < lines.length) {
    const item = marker(lines[i]);
    if (item && item.indent < first.indent) break;
    if (item && item.indent >= first.indent + 2 && list.lastElementChild) {
      const [nested, next] = readList(lines, i);
      list.lastElementChild.append(nested);
      i = next;
    } else if (item && item.ordered === first.ordered) {
      list.append(make("li", spans(item.text)));
      i++;
    } else if (lines[i].trim() !== "" && /^\s{2,}/.test(lines[i]) && list.lastElementChild && !fence.test(lines[i])) {
      list.lastElementChild.append("\n", ...spans(lines[i].trim()));
      i++;
    } else if (lines[i].trim() === "" && i + 1 < lines.length && marker(lines[i + 1])) {
      i++;
    } else break;
  }
  return [list, i];
}

function readParagraph(lines, i) {
  const start = i;
  while (i < lines.length && lines[i].trim() !== "" && !(i > start && (fence.test(lines[i]) || marker(lines[i]) || /^ {0,3}(#{1,6}\s|>)/.test(lines[i])))) i++;
  return [make("p", spans(lines.slice(start, i).join("\n"))), i];
}

function spans(text) {
  const nodes = [];
  for (;;) {
    const found = inline.exec(text);
    if (!found) break;
    if (found.index > 0) nodes.push(text.slice(0, found.index));
    if (found[1]) nodes.push(make("code", [found[2].trim()]));
    else if (found[3]) nodes.push(make("strong", spans(found[3])));
    else nodes.push(make("em", spans(found[4])));
    text = text.slice(found.index + found[0].length);
  }
  if (text) nodes.push(text);
  return nodes;
}

function make(tag, children = []) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}
