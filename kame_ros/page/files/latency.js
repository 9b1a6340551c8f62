// The latency of the last turns, a dot each: below the line the robot began before the user ended.

import { surface } from './timeline.js';

const MOST = 20;

export function drawLatency(canvas, turns, colours) {
  const { context, width, height } = surface(canvas);
  const known = turns.filter((turn) => typeof turn.latency === 'number').slice(-MOST);
  context.clearRect(0, 0, width, height);
  const high = Math.max(1, ...known.map((turn) => turn.latency)) * 1.15;
  const low = Math.min(0, ...known.map((turn) => turn.latency)) * 1.15;
  const left = 34, y = (s) => 8 + (height - 16) * (1 - (s - low) / (high - low));
  context.font = '11px system-ui, sans-serif';
  context.textBaseline = 'middle';
  context.strokeStyle = colours.line;
  context.fillStyle = colours.soft;
  const step = high - low > 4 ? 2 : high - low > 1.6 ? 1 : 0.5;
  for (let s = Math.ceil(low / step) * step; s <= high; s += step) {
    context.beginPath();
    context.moveTo(left, Math.round(y(s)) + 0.5);
    context.lineTo(width, Math.round(y(s)) + 0.5);
    context.stroke();
    context.fillText(`${s} s`, 0, y(s));
  }
  const gap = (width - left - 16) / Math.max(1, MOST - 1);
  known.forEach((turn, place) => {
    const x = left + 8 + gap * place;
    context.strokeStyle = context.fillStyle = turn.barge_in ? colours.bad : colours.robot;
    context.beginPath();
    context.moveTo(x, y(0));
    context.lineTo(x, y(turn.latency));
    context.stroke();
    context.beginPath();
    context.arc(x, y(turn.latency), 4, 0, 7);
    context.fill();
  });
  return known;
}

export function latencyWords(known) {
  if (!known.length) return 'No turn was answered yet.';
  const sorted = known.map((turn) => turn.latency).sort((a, b) => a - b);
  const half = Math.floor((sorted.length - 1) / 2);
  const median = (sorted[half] + sorted[sorted.length - 1 - half]) / 2;
  const last = known[known.length - 1].latency;
  const turns = known.length === 1 ? 'one turn' : `${known.length} turns`;
  return `Last ${last.toFixed(2)} s, median ${median.toFixed(2)} s of ${turns}.`;
}
