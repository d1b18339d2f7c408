// The live board moves: calls and figures come as server-sent events, seconds are counted here.
const board = document.getElementById("board");
const link = document.getElementById("link");
const calls = document.getElementById("calls");
let ahead = 0;

const connected = (is) => {
  link.textContent = is ? link.dataset.live : link.dataset.lost;
  link.className = is ? "badge ok" : "badge warn";
};

const duration = (ms) => {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
};

const row = (body, texts, numbers) => {
  const labels = body.dataset.labels.split("|");
  const tr = document.createElement("tr");
  texts.forEach((text, at) => {
    const td = document.createElement("td");
    td.textContent = text;
    td.dataset.label = labels[at];
    td.classList.toggle("number", numbers.includes(at));
    tr.append(td);
  });
  return tr;
};

const tick = () => {
  for (const tr of calls.children) {
    if (tr.dataset.began) tr.lastElementChild.textContent = duration(Date.now() - ahead - Number(tr.dataset.began));
  }
};

const showCalls = (now) => {
  // this clock may differ from the server's
  ahead = Date.now() - Date.parse(now.at);
  calls.replaceChildren(...now.calls.map((call) => {
    const tr = row(calls, [call.state, call.city, call.language, call.place, ""], [4]);
    tr.dataset.call = call.id;
    tr.dataset.began = Date.parse(call.began);
    return tr;
  }));
  document.getElementById("no-calls").hidden = now.calls.length > 0;
  const lines = { all: now.calls.length, incoming: now.incoming, outgoing: now.outgoing };
  for (const [name, number] of Object.entries(lines)) board.querySelector(`[data-lines="${name}"]`).textContent = number;
  tick();
};

const part = (of) => {
  const li = document.createElement("li");
  const badge = document.createElement("span");
  badge.className = of.ok ? "badge ok" : "badge late";
  badge.textContent = of.ok ? board.dataset.up : board.dataset.down;
  const detail = document.createElement("span");
  detail.className = "muted";
  detail.textContent = of.detail;
  li.append(badge, ` ${of.name} `, detail);
  return li;
};

const showFigures = (figures) => {
  for (const [name, number] of [...figures.numbers, ["calls_today", figures.calls_today]]) {
    const place = board.querySelector(`[data-figure="${name}"]`);
    if (place) place.textContent = number;
  }
  const drawing = new DOMParser().parseFromString(figures.hours, "text/html").querySelector("svg");
  if (drawing) document.getElementById("hours").replaceChildren(document.importNode(drawing, true));
  document.getElementById("parts").replaceChildren(...figures.parts.map(part));
  const near = document.getElementById("near");
  if (near) {
    const texts = (of) => [of.city, of.class, of.place, `${of.tickets}/${of.threshold}`];
    document.getElementById("no-near").hidden = figures.near.length > 0;
    near.replaceChildren(...figures.near.map((of) => row(near, texts(of), [3])));
  }
};

const source = new EventSource(board.dataset.stream);
source.addEventListener("open", () => connected(true));
source.addEventListener("calls", (event) => showCalls(JSON.parse(event.data)));
source.addEventListener("figures", (event) => showFigures(JSON.parse(event.data)));
source.addEventListener("error", () => {
  connected(false);
  // the browser does not try again when the answer was no stream: the session is over
  if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 5000);
});
setInterval(tick, 1000);
