// Shows the conversation as the server tells it, and passes on what somebody wants of the robot.

import { drawLatency, latencyWords } from './latency.js';
import { Talk } from './talk.js';
import { Timeline } from './timeline.js';

const $ = (id) => document.getElementById(id);
const token = location.hash.slice(1) || new URLSearchParams(location.search).get('token') || '';
const timeline = new Timeline($('timeline'));
const turns = new Map(); // by their number
const calm = matchMedia('(prefers-reduced-motion: reduce)');
const MOST_TURNS = 100, HIDDEN_MS = 10000;

let socket = null, tries = 0, again = 0, hidden = 0;
let newest = 0; // number of the last happening
let clock = { t: 0, at: 0 }; // the robot's time, and ours
let orders = 0;
const waiting = new Map();
let colours = {};

// -- the connection ----------------------------------------------------------------------

function connect() {
  clearTimeout(again);
  if (socket || document.hidden) return;
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  socket = new WebSocket(`${scheme}://${location.host}/watch`, ['kame', `kame-token.${token}`]);
  socket.onmessage = ({ data }) => hear(JSON.parse(data));
  socket.onclose = ({ reason }) => {
    socket = null;
    for (const settle of waiting.values()) settle({ ok: false, text: 'the connection was lost' });
    waiting.clear();
    status(reason || (tries ? 'no connection: is the robot up, and is this the link that was printed?' : 'the connection was lost'));
    tries += 1;
    // Not all pages at once, and rarer with time.
    if (!document.hidden) again = setTimeout(connect, Math.min(20000, 500 * 2 ** tries) * (0.7 + 0.6 * Math.random()));
  };
}

// A page that nobody sees asks for nothing.
document.addEventListener('visibilitychange', () => {
  clearTimeout(hidden);
  if (document.hidden) hidden = setTimeout(() => socket?.close(), HIDDEN_MS);
  else { tries = 0; connect(); }
});

function hear(told) {
  if (told.kind === 'done') { waiting.get(told.id)?.(told); waiting.delete(told.id); return; }
  if (told.kind === 'state') { showState(told.state); return; }
  if (told.kind === 'all') begin(told);
  clock = { t: told.t, at: performance.now() / 1000 };
  if (told.kind !== 'all') for (const happening of told.happenings ?? []) happen(happening);
  level('heard', told.heard);
  level('played', told.played);
  for (const [name, health] of Object.entries(told.health ?? {})) showHealth(name, health);
}

function begin(told) {
  tries = 0;
  status('connected');
  $('name').textContent = told.about.namespace.replace(/^\/+/, '') || 'kame';
  document.title = `${$('name').textContent}: the conversation`;
  $('backends').replaceChildren(...told.about.backends.map((name) => Object.assign(document.createElement('option'), { value: name })));
  newest = told.happenings.at(-1)?.number ?? 0;
  timeline.clear();
  for (const happening of told.happenings) timeline.add(happening);
  turns.clear();
  $('turns').replaceChildren();
  for (const turn of told.turns) Object.assign(turnOf(turn.number), turn);
  showState({ talks: told.about.talks, ...told.state });
  order('settings').then(({ values }) => {
    if (!values) return;
    $('backend-text').value = values.backend ?? '';
    $('persona-text').value = values.persona ?? '';
  });
  for (const number of turns.keys()) showTurn(number);
  showLatency();
}

function order(what, more = {}) {
  if (socket?.readyState !== 1) return Promise.resolve({ ok: false, text: 'no connection' });
  return new Promise((settle) => {
    const id = ++orders;
    waiting.set(id, settle);
    socket.send(JSON.stringify({ do: what, id, ...more }));
  });
}

async function doIt(what, more) {
  const done = await order(what, more);
  if (done.text) tell(done.text);
  return done.ok;
}

let fading = 0;
function tell(text) {
  $('done').textContent = text;
  $('done').classList.add('shown');
  clearTimeout(fading);
  fading = setTimeout(() => $('done').classList.remove('shown'), 3000 + 60 * text.length);
}

function status(text) { $('link').textContent = text; }

// -- what happens ------------------------------------------------------------------------

function happen(h) {
  if (h.number <= newest) return;
  newest = h.number;
  timeline.add(h);
  const turn = h.turn ? turnOf(h.turn) : null;
  if (!turn && ['partial', 'final', 'word', 'latency'].includes(h.what)) return;
  switch (h.what) {
    case 'partial': case 'final':
      Object.assign(turn, { heard: h.text ?? '', settled: h.what === 'final' ? Infinity : h.settled ?? 0 });
      if (h.what === 'final') announce(`You: ${h.text ?? ''}`);
      break;
    case 'word': turn.said += h.text ?? ''; break;
    case 'latency': turn.latency = h.value; showLatency(); break;
    case 'barge_in': if (turn) turn.barge_in = true; break;
    case 'robot_silent': if (turn?.said) announce(`Robot: ${turn.said}`); break;
    case 'noise': if (turn && !turn.said) turn.noise = true; break;
    case 'failed': tell(`The LLM failed: ${h.text ?? ''}`); break;
  }
  if (turn) showTurn(h.turn);
}

function announce(text) { $('spoken').textContent = text; }

function turnOf(number) {
  if (!turns.has(number)) {
    turns.set(number, { number, heard: '', settled: 0, said: '', latency: null, barge_in: false });
    while (turns.size > MOST_TURNS) {
      const first = turns.keys().next().value;
      turns.get(first).row?.remove();
      turns.delete(first);
    }
  }
  return turns.get(number);
}

function showTurn(number) {
  const turn = turns.get(number), list = $('turns');
  if (!turn) return;
  $('nothing').hidden = true;
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  if (!turn.row) {
    turn.row = document.createElement('li');
    for (const [who, kind] of [['you', 'heard'], ['robot', 'said']]) {
      const label = element('span', 'who', who), words = element('span', kind);
      label.dataset.of = words.dataset.of = kind;
      turn.row.append(label, words);
    }
    list.append(turn.row);
  }
  const heard = turn.row.querySelector('.heard'), said = turn.row.querySelector('.said');
  const letters = [...turn.heard];
  const settled = Math.min(letters.length, turn.settled ?? Infinity);
  heard.replaceChildren(letters.slice(0, settled).join(''));
  if (settled < letters.length) heard.append(element('span', 'open', letters.slice(settled).join('')));
  said.replaceChildren(turn.said.trim());
  if (typeof turn.latency === 'number') said.append(' ', element('span', 'mark', `${turn.latency < 0 ? '−' : '+'}${Math.abs(turn.latency).toFixed(2)} s`));
  if (turn.barge_in) said.append(' ', element('span', 'mark barge', 'interrupted'));
  for (const part of turn.row.children) part.hidden = part.dataset.of === 'heard' ? !turn.heard : !turn.said;
  if (atEnd) list.scrollTop = list.scrollHeight;
}

function element(kind, name, text = '') {
  const made = document.createElement(kind);
  made.className = name;
  made.textContent = text;
  return made;
}

function showLatency() {
  const known = drawLatency($('latency'), [...turns.values()], colours);
  const words = latencyWords(known);
  $('latency-words').textContent = words;
  $('latency').setAttribute('aria-label', `Latency of each turn. ${words}`);
}

function level(name, dbfs) {
  if (typeof dbfs !== 'number') return;
  const shown = Math.max(-60, Math.min(0, dbfs));
  $(name).firstElementChild.style.transform = `scaleX(${(shown + 60) / 60})`;
  $(name).setAttribute('aria-valuenow', Math.round(shown));
  $(`${name}-dbfs`).textContent = dbfs <= -60 ? 'silent' : `${Math.round(dbfs)} dBFS`.replace('-', '−');
}

function showState(state) {
  if ('muted' in state) {
    $('mute').setAttribute('aria-pressed', state.muted);
    $('mute').textContent = state.muted ? 'Muted' : 'Mute';
  }
  if ('talks' in state) {
    $('talk').hidden = !state.talks;
    const now = document.querySelector(`#ear [value=${state.talks ? 'page' : 'device'}]`);
    now.checked = true;
    showEar();
  }
  if ('session' in state && talk.state === 'off') {
    $('talk').disabled = state.session;
    status(state.session ? 'somebody talks with the robot' : 'connected');
  }
}

function showHealth(name, health) {
  const id = `node-${name}`;
  let details = document.getElementById(id);
  if (!details) {
    details = document.createElement('details');
    details.id = id;
    const summary = document.createElement('summary');
    summary.append(element('b', '', name), element('span', ''));
    details.append(summary, document.createElement('table'));
    const after = [...$('health').children].find((other) => other.id > id);
    $('health').insertBefore(details, after ?? null);
    details.addEventListener('toggle', () => showCounters(details));
  }
  details.className = ['', 'warn', 'bad', 'bad'][health.level] ?? 'bad';
  details.health = health;
  const word = ['', 'warning: ', 'error: ', 'stale: '][health.level] ?? '';
  details.querySelector('span').textContent = word + (health.message || health.state);
  if (details.open) showCounters(details);
}

function showCounters(details) {
  if (!details.open) return;
  const rows = Object.entries(details.health.values).map(([name, value]) => {
    const row = document.createElement('tr');
    const head = element('th', '', name.replaceAll('_', ' '));
    head.scope = 'row';
    row.append(head, element('td', '', value));
    return row;
  });
  details.querySelector('table').replaceChildren(...rows);
}

// -- what somebody wants -----------------------------------------------------------------

const talk = new Talk(token, (state, text) => {
  $('talk').setAttribute('aria-pressed', state !== 'off');
  $('talk').textContent = { off: 'Talk', starting: 'Starting…', on: 'Hang up' }[state];
  $('talk').disabled = false;
  $('own').hidden = state === 'off' && $('own-microphone').length < 2;
  if (state === 'on') { status('you talk with the robot'); listMicrophones(); }
  if (state === 'off') status('connected');
  $('notice').hidden = !text;
  $('notice').textContent = text;
});

$('talk').onclick = () => (talk.state === 'off' ? talk.start($('own-microphone').value) : talk.stop());
$('mute').onclick = () => doIt('mute', { on: $('mute').getAttribute('aria-pressed') !== 'true' });
$('stop').onclick = () => doIt('interrupt');
$('reset').onclick = () => doIt('reset');

function onSubmit(form, what, more, keep = false) {
  $(form).onsubmit = async (event) => {
    event.preventDefault();
    const field = $(`${form}-text`);
    if (await doIt(what, more(field.value)) && !keep) field.value = '';
  };
}
onSubmit('ask', 'ask', (text) => ({ text }));
onSubmit('say', 'say', (text) => ({ text }));
onSubmit('fact', 'fact', (text) => ({ text }));
onSubmit('backend', 'set', (value) => ({ name: 'backend', value }), true);
onSubmit('persona', 'set', (value) => ({ name: 'persona', value }), true);

$('ear').onsubmit = (event) => {
  event.preventDefault();
  talk.stop();
  doIt('ear', { where: where(), microphone: $('microphone').value, loudspeaker: $('loudspeaker').value });
};
$('ear').onchange = async (event) => {
  showEar();
  if (event.target.name !== 'where' || where() !== 'device') return;
  const found = await order('devices');
  if (found.problem) tell(found.problem);
  for (const kind of ['microphone', 'loudspeaker']) {
    $(kind).length = 1;
    for (const name of found[`${kind}s`] ?? []) $(kind).add(new Option(name, name));
  }
};
const where = () => document.querySelector('#ear [name=where]:checked')?.value;
function showEar() { $('cards').hidden = where() !== 'device'; }

async function listMicrophones() {
  const found = await navigator.mediaDevices.enumerateDevices();
  const before = $('own-microphone').value;
  $('own-microphone').length = 1;
  for (const device of found) {
    if (device.kind === 'audioinput' && device.deviceId) $('own-microphone').add(new Option(device.label, device.deviceId));
  }
  $('own-microphone').value = before;
}

// -- drawing -----------------------------------------------------------------------------

function readColours() {
  const style = getComputedStyle(document.documentElement);
  for (const name of ['ink', 'soft', 'line', 'user', 'robot', 'mind', 'bad']) colours[name] = style.getPropertyValue(`--${name}`).trim();
  showLatency();
}
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', readColours);
addEventListener('resize', showLatency);

let drawn = 0, described = 0;
function frame(ms) {
  requestAnimationFrame(frame);
  if (ms - drawn < (calm.matches ? 1000 : 60) || !socket) return;
  drawn = ms;
  const now = clock.t + Math.min(1, ms / 1000 - clock.at);
  timeline.forget(now);
  timeline.draw(now, colours);
  if (ms - described > 5000) {
    described = ms;
    $('timeline').setAttribute('aria-label', timeline.describe());
  }
}

if (!token) {
  $('notice').hidden = false;
  $('notice').textContent = 'The token is missing: open the link that was printed when the robot was started.';
}
readColours();
connect();
requestAnimationFrame(frame);
