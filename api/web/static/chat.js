// The chat: sends a turn, shows the answer as it comes, then takes the finished turn from the page the server renders,
// so that there is one rendering of a turn and not two.
import { events } from "./events.js";

const words = document.querySelector("#words").dataset;
const talk = document.querySelector("#talk");
const page = `/drills/${words.drill}`;
let waiting = null;

const composer = () => document.querySelector("#composer");
const field = (name) => composer().querySelector(`[name=${name}]`);
const length = (text) => [...text].length;

// What is typed outlives a reload, a crash and a sign-in, until it is answered.
const draft = {
  name: `draft:${words.drill}`,
  keep(text) { sessionStorage.setItem(this.name, text); },
  kept() { return sessionStorage.getItem(this.name) ?? ""; },
  drop() { sessionStorage.removeItem(this.name); },
};

class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

function key() {
  // crypto.randomUUID is missing on plain http.
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, "0")).join("");
}

function toEnd() {
  window.scrollTo({ top: document.documentElement.scrollHeight, behavior: "instant" });
}

function complain(text) {
  const problem = composer().querySelector("#problem");
  if (!problem) return;
  problem.textContent = text;
  problem.hidden = !text;
}

function count() {
  const text = field("text");
  const output = composer().querySelector("#count");
  if (!output) return;
  const left = words.longest - length(text.value);
  output.textContent = left < 0 ? words.over.replace("{n}", -left) : left <= 200 ? words.left.replace("{n}", left) : "";
  output.classList.toggle("bad", left < 0);
}

// The turn on its way stands outside the log, so that a screen reader hears it once, whole, when it is done.
function coming(turn) {
  const shown = document.querySelector("#coming").content.cloneNode(true).firstElementChild;
  shown.querySelector(".learner p").textContent = turn.text;
  shown.querySelector("[data-retry]").addEventListener("click", () => send(turn));
  if (turn.kept) document.querySelector(`#turn-${turn.number}`)?.setAttribute("hidden", "");
  talk.after(shown);
  return shown;
}

async function send(turn) {
  if (waiting) return;
  waiting = turn;
  turn.shown ??= coming(turn);
  const said = turn.shown.querySelector(".customer p");
  const trouble = turn.shown.querySelector(".trouble");
  said.textContent = "";
  trouble.hidden = true;
  turn.shown.setAttribute("aria-busy", "true");
  composer().classList.add("busy");
  complain("");
  toEnd();
  try {
    await receive(turn, said);
    await settle(turn);
  } catch (error) {
    if (error instanceof Refused && error.status < 500) giveBack(turn, error);
    else {
      trouble.querySelector("p").textContent = error instanceof TypeError ? words.offline : words.failed;
      trouble.hidden = false;
      turn.shown.removeAttribute("aria-busy");
    }
  } finally {
    waiting = null;
    composer().classList.remove("busy");
    toEnd();
  }
}

async function receive(turn, said) {
  const response = await fetch(`/api/v1${page}/turns`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream", ...(turn.key && { "Idempotency-Key": turn.key }) },
    body: JSON.stringify({ number: turn.number, text: turn.text }),
  });
  if (!response.ok) throw new Refused(response.status, (await response.json().catch(() => ({}))).detail ?? "");
  for await (const event of events(response.body)) {
    if (event.name === "done") return;
    said.textContent += event.data.text;
    toEnd();
  }
  throw new Error("the stream ended before the answer did");
}

async function settle(turn) {
  const response = await fetch(page);
  const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
  const done = fresh.querySelector(`#turn-${turn.number}`);
  if (!done) return location.reload();
  draft.drop();
  document.querySelector(`#turn-${turn.number}`)?.remove();
  talk.append(done);
  turn.shown.remove();
  document.querySelector("#status").replaceWith(fresh.querySelector("#status"));
  const next = fresh.querySelector("#composer");
  if (next.dataset.state === "open" && composer().dataset.state === "open") {
    field("number").value = next.querySelector("[name=number]").value;
    draft.keep(field("text").value);
  } else {
    composer().replaceWith(next);
    (field("text") ?? next.querySelector("button, a"))?.focus();
  }
}

// What the server will not take goes back into the box, unless something new has been typed there.
function giveBack(turn, error) {
  turn.shown.remove();
  const text = field("text");
  if (!turn.kept && text && !text.value) text.value = turn.text;
  if (!turn.kept) draft.keep(turn.text);
  const reasons = { 401: words.signedOut, 403: words.signedOut, 409: words.conflict };
  complain(reasons[error.status] ?? `${words.refused}${error.message}`);
  count();
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.once) {
    const button = form.querySelector("button");
    button.textContent = form.dataset.once;
    button.disabled = true;
  }
  if (form.id !== "say") return;
  event.preventDefault();
  if (waiting) return;
  const stuck = document.querySelector(".trouble:not([hidden]) button");
  if (stuck) return stuck.focus();
  const text = field("text").value.trim();
  if (!text) return complain(words.empty);
  if (length(text) > words.longest) return complain(words.tooLong);
  const kept = composer().dataset.state === "pending";
  if (!kept) {
    draft.keep(text);
    field("text").value = "";
    count();
  }
  send({ number: Number(field("number").value), text, kept, key: kept ? null : key() });
});

document.addEventListener("keydown", (event) => {
  if (event.target.id !== "text" || event.key !== "Enter" || event.shiftKey) return;
  // An input method takes Enter to choose a candidate; 229 is how Safari says so after the composition has ended.
  if (event.isComposing || event.keyCode === 229) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

document.addEventListener("input", (event) => {
  if (event.target.id !== "text") return;
  draft.keep(event.target.value);
  count();
});

const text = field("text");
if (composer().dataset.state === "open") {
  // Kept words that have been answered meanwhile (the answer was lost on the way here) are done with.
  const last = [...talk.querySelectorAll(".learner p")].at(-1)?.textContent;
  if (draft.kept().trim() === last) draft.drop();
  text.value ||= draft.kept();
  count();
} else if (composer().dataset.state === "pending") {
  composer().querySelector("form").requestSubmit();
}
if (matchMedia("(min-width: 60rem)").matches) document.querySelector(".folds details").open = true;
if (talk.childElementCount > 1 && !location.hash) toEnd();
