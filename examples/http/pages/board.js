// The page shows what the server says, and nothing else: every change comes back as an event.
"use strict";

const find = (id) => document.getElementById(id);

function element(name, text, properties = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  return Object.assign(made, properties);
}

function showNote(note) {
  const item = element("li", "");
  const remove = element("button", "Remove", { onclick: () => fetch(`api/notes/${note.id}`, { method: "DELETE" }) });
  remove.setAttribute("aria-label", `Remove the note of ${note.author}`);
  item.append(element("p", note.text), element("b", note.author),
    element("time", new Date(note.at * 1000).toLocaleString()), remove);
  return item;
}

function showFile(file) {
  const item = element("li", "");
  const kilobytes = Math.ceil(file.size / 1024).toLocaleString();
  item.append(element("a", file.name, { href: `files/${encodeURIComponent(file.name)}` }), ` ${kilobytes} KiB`);
  return item;
}

function show(state) {
  find("notes").replaceChildren(...state.notes.map(showNote).reverse());
  find("files").replaceChildren(...state.files.map(showFile));
}

function connection(state, text) {
  find("connection").dataset.state = state;
  find("connection").textContent = text;
}

async function problemOf(answer) {
  if (answer.ok) return "";
  const told = await answer.json().catch(() => ({}));
  const list = Object.entries(told.errors || {}).map(([field, what]) => `${field} ${what}`);
  return list.join(", ") || told.error || answer.statusText;
}

async function send(url, options) {
  try {
    const problem = await problemOf(await fetch(url, options));
    find("problem").textContent = problem;
    return problem === "";
  } catch (failure) {
    find("problem").textContent = "the server cannot be reached";
    return false;
  }
}

find("write").onsubmit = async (event) => {
  event.preventDefault();
  const form = event.target;
  const note = { author: form.author.value, text: form.text.value };
  const options = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(note) };
  if (await send("api/notes", options)) form.text.value = "";
};

find("upload").onchange = async (event) => {
  const [file] = event.target.files;
  if (file) await send(`files/${encodeURIComponent(file.name)}`, { method: "PUT", body: file });
  event.target.value = "";
};

const events = new EventSource("events"); // connects again by itself
events.onopen = () => connection("live", "live");
events.onerror = () => connection("waiting", "connecting");
events.onmessage = (event) => show(JSON.parse(event.data));
