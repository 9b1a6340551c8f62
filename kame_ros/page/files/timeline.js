// The last minute on a canvas: who speaks, what is heard, which answers are written, what is said.

const SPAN = 60; // seconds
const ROWS = { user: 0, heard: 1, oracle: 2, words: 5, robot: 6 }; // oracle has three rows
const LABELS = [['user', 'user'], ['heard', 'heard'], ['oracle', 'oracle'], ['words', 'says'], ['robot', 'robot']];
const PAUSE = 1.5; // seconds between words: another sentence
const MOST = 4000; // of each kind that are remembered

export class Timeline {
  constructor(canvas) {
    this.canvas = canvas;
    this.clear();
  }

  clear() {
    this.speech = { user: [], robot: [] };
    this.partials = [];
    this.words = [];
    this.marks = [];
    this.answers = new Map();
  }

  // What happened, as the server tells it.
  add(h) {
    const open = (who) => this.speech[who][this.speech[who].length - 1];
    const answer = () => {
      if (h.source !== 'llm') return {};
      if (!this.answers.has(h.generation)) this.answers.set(h.generation, { asked: h.t, text: '' });
      return this.answers.get(h.generation);
    };
    switch (h.what) {
      case 'user_speaks': this.speech.user.push({ start: h.t, end: null }); break;
      case 'user_silent': if (open('user')) open('user').end ??= h.t; break;
      case 'robot_speaks': this.speech.robot.push({ start: h.t, end: null }); break;
      case 'robot_silent': if (open('robot')) open('robot').end ??= h.t; break;
      case 'partial': this.partials.push({ t: h.t, part: share(h), final: false }); break;
      case 'final': this.partials.push({ t: h.t, part: 1, final: true }); break;
      case 'word': this.words.push({ t: h.t, text: h.text ?? '' }); break;
      case 'barge_in': this.marks.push({ t: h.t, barge: true }); break;
      case 'asked': answer().asked = h.t; break;
      case 'first_word': answer().first = h.t; break;
      case 'adopted': answer().adopted = h.t; break;
      case 'written': Object.assign(answer(), { end: h.t, text: h.text }); break;
      case 'dropped': Object.assign(answer(), { end: h.t, dropped: true, text: h.text }); break;
      case 'failed': Object.assign(answer(), { end: h.t, failed: true }); break;
      case 'spoken': answer().spoken = h.t; break;
      case 'reset': this.marks.push({ t: h.t }); break;
    }
  }

  forget(now) {
    const old = now - SPAN - 5;
    const young = (list, time) => list.filter((each) => time(each) > old).slice(-MOST);
    for (const who of ['user', 'robot']) this.speech[who] = young(this.speech[who], (s) => s.end ?? now);
    for (const name of ['partials', 'words', 'marks']) this[name] = young(this[name], (each) => each.t);
    for (const [number, a] of this.answers) if ((a.spoken ?? a.end ?? now) < old && a.asked < old) this.answers.delete(number);
  }

  // In words, for who does not see it.
  describe() {
    const count = this.answers.size;
    const dropped = [...this.answers.values()].filter((a) => a.dropped).length;
    const barges = this.marks.filter((m) => m.barge).length;
    return `Time line of the last minute: the user spoke ${this.speech.user.length} times, the robot `
      + `${this.speech.robot.length} times; ${count} answers were asked for, ${dropped} of them dropped; ${barges} interruptions.`;
  }

  draw(now, colours) {
    const { context, width, height } = surface(this.canvas);
    const left = 52, top = 6, bottom = 18;
    const row = (height - top - bottom) / 7;
    const x = (t) => left + (width - left - 6) * (1 - (now - t) / SPAN);
    const y = (name, sub = 0) => top + (ROWS[name] + sub) * row;
    context.clearRect(0, 0, width, height);
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    this.axis(context, x, now, height - bottom, top, colours, width);
    context.fillStyle = colours.soft;
    for (const [name, label] of LABELS) context.fillText(label, 2, y(name, name === 'oracle' ? 1.5 : 0.5));
    context.save();
    context.beginPath();
    context.rect(left, 0, width - left, height);
    context.clip();
    for (const who of ['user', 'robot']) {
      context.fillStyle = colours[who];
      for (const s of this.speech[who]) {
        const end = Math.min(s.end ?? now, now);
        bar(context, x(s.start), y(who) + row * 0.22, Math.max(2, x(end) - x(s.start)), row * 0.56);
      }
    }
    this.drawHeard(context, x, y('heard'), row, colours);
    this.drawAnswers(context, x, y, row, now, colours);
    this.drawWords(context, x, y('words'), row, colours);
    for (const mark of this.marks) {
      context.fillStyle = mark.barge ? colours.bad : colours.soft;
      context.fillRect(x(mark.t) - 1, top, 2, height - top - bottom);
    }
    context.restore();
  }

  axis(context, x, now, floor, top, colours, width) {
    context.strokeStyle = colours.line;
    context.fillStyle = colours.soft;
    context.lineWidth = 1;
    const step = width < 560 ? 20 : 10;
    for (let s = 0; s <= SPAN; s += step) {
      const at = Math.round(x(now - s)) + 0.5;
      context.beginPath();
      context.moveTo(at, top);
      context.lineTo(at, floor);
      context.stroke();
      context.textAlign = s === 0 ? 'right' : 'center';
      context.fillText(s === 0 ? 'now' : `−${s} s`, s === 0 ? at + 4 : at, floor + 10);
    }
    context.textAlign = 'left';
  }

  // A stroke for each revision, as high as the part of it that is settled.
  drawHeard(context, x, y, row, colours) {
    const floor = y + row * 0.85, most = row * 0.7;
    for (const p of this.partials) {
      context.globalAlpha = 0.35;
      context.fillStyle = colours.user;
      context.fillRect(x(p.t) - 1, floor - most, 2, most);
      context.globalAlpha = 1;
      context.fillRect(x(p.t) - 1, floor - most * p.part, p.final ? 3 : 2, most * p.part);
    }
  }

  drawAnswers(context, x, y, row, now, colours) {
    const ends = [-Infinity, -Infinity, -Infinity];
    const lanes = [[], [], []];
    for (const a of [...this.answers.values()].sort((a, b) => a.asked - b.asked)) {
      let lane = ends.findIndex((end) => end <= a.asked);
      if (lane < 0) lane = ends.indexOf(Math.min(...ends));
      ends[lane] = (a.end ?? now) + 0.4;
      lanes[lane].push(a);
    }
    lanes.forEach((answers, lane) => answers.forEach((a, place) => {
      const next = answers[place + 1];
      this.drawAnswer(context, a, x, y('oracle', lane) + row * 0.18, row * 0.64, now, colours, next ? x(next.asked) - 6 : 10000);
    }));
  }

  drawAnswer(context, a, x, at, high, now, colours, limit) {
    const x0 = x(a.asked), x1 = Math.max(x(a.end ?? now), x0 + 3);
    const gone = a.dropped || a.failed;
    context.lineWidth = 1.5;
    context.strokeStyle = gone ? colours.soft : colours.mind;
    context.setLineDash(gone ? [3, 3] : []);
    context.strokeRect(x0, at, x1 - x0, high);
    context.setLineDash([]);
    if (a.first !== undefined) {
      context.globalAlpha = gone ? 0.35 : 1;
      context.fillStyle = gone ? colours.soft : colours.mind;
      context.fillRect(x(a.first), at, Math.max(2, x1 - x(a.first)), high);
      context.globalAlpha = 1;
    }
    if (a.adopted !== undefined) {
      context.fillStyle = colours.robot;
      context.beginPath();
      context.arc(x(a.adopted), at + high / 2, Math.min(4.5, high / 2), 0, 7);
      context.fill();
    }
    if (a.text) {
      context.save();
      context.beginPath();
      context.rect(x1 + 6, at - 2, Math.max(0, limit - x1 - 6), high + 4);
      context.clip();
      context.fillStyle = gone ? colours.soft : colours.ink;
      context.fillText(a.text, x1 + 6, at + high / 2);
      context.restore();
    }
  }

  // Each word has a stroke where it begins; the words of a sentence are written in one line.
  drawWords(context, x, y, row, colours) {
    const runs = [];
    for (const w of this.words) {
      const last = runs[runs.length - 1];
      if (last && w.t - last.end < PAUSE) Object.assign(last, { text: last.text + w.text, end: w.t });
      else runs.push({ t: w.t, end: w.t, text: w.text });
    }
    context.fillStyle = colours.robot;
    for (const w of this.words) context.fillRect(x(w.t), y + row * 0.75, 1.5, row * 0.25);
    runs.forEach((run, place) => {
      const at = x(run.t), next = runs[place + 1];
      context.save();
      context.beginPath();
      context.rect(at, y, (next ? x(next.t) - 6 : 10000) - at, row);
      context.clip();
      context.fillText(run.text.trim(), at, y + row * 0.38);
      context.restore();
    });
  }
}

function share(h) {
  const length = (h.text ?? '').length;
  return length ? Math.min(1, (h.settled ?? 0) / length) : 0;
}

function bar(context, x, y, width, height) {
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(4, width / 2));
  context.fill();
}

// The canvas in CSS pixels, sharp on any screen.
export function surface(canvas) {
  const scale = window.devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  const w = Math.round(width * scale), h = Math.round(height * scale);
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  const context = canvas.getContext('2d');
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return { context, width, height };
}
