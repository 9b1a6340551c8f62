// Talks to a robot with OpenAI's JavaScript SDKs, unmodified: node agents_session.mjs URL KEY SDK
// Prints one JSON object of what came.

import { readFileSync } from 'node:fs';

const [url, key, sdk, sound] = process.argv.slice(2);
const got = { types: [], text: '', samples: 0, errors: [], heard: '' };
const finish = () => { console.log(JSON.stringify(got)); process.exit(0); };
setTimeout(finish, Number(process.env.PATIENCE_MS ?? 15000));

const audio = sound ? readFileSync(sound) : null; // pcm16 of 24 kHz
const BLOCK = 4800; // 100 ms

if (sdk === 'agents') {
  const { RealtimeAgent, RealtimeSession } = await import('@openai/agents/realtime');
  const agent = new RealtimeAgent({ name: 'robot', instructions: 'You are Mia.' });
  const session = new RealtimeSession(agent, { transport: 'websocket', model: 'kame' });
  session.on('transport_event', (event) => {
    got.types.push(event.type);
    if (event.type === 'session.updated') got.instructions = event.session.instructions;
  });
  session.on('audio', (event) => { got.samples += event.data.byteLength / 2; });
  session.on('audio_stopped', () => { got.stopped = true; });
  session.on('error', (event) => got.errors.push(JSON.stringify(event.error)));
  session.on('history_updated', (history) => {
    for (const item of history) {
      const words = item.content?.map((part) => part.transcript ?? part.text ?? '').join('');
      if (item.role === 'assistant') got.text = words;
      if (item.role === 'user') got.heard = words;
      if (item.role === 'assistant' && item.status === 'completed' && words) setTimeout(finish, 200);
    }
  });
  await session.connect({ apiKey: key, url });
  if (audio) {
    for (let at = 0; at < audio.length; at += BLOCK) {
      const block = audio.subarray(at, at + BLOCK);
      session.sendAudio(new Uint8Array(block).buffer);
      await new Promise((go) => setTimeout(go, 100));
    }
  } else session.sendMessage('What is two and two?');
} else {
  const { default: OpenAI } = await import('openai');
  const { OpenAIRealtimeWS } = await import(sdk === 'beta' ? 'openai/beta/realtime/ws' : 'openai/realtime/ws');
  const client = new OpenAI({ apiKey: key, baseURL: url.replace(/^ws/, 'http') });
  const rt = new OpenAIRealtimeWS({ model: 'kame' }, client);
  rt.on('event', (event) => got.types.push(event.type));
  rt.on('error', (error) => { got.errors.push(error.message); if (!rt.socket || rt.socket.readyState > 1) finish(); });
  for (const name of ['response.output_audio.delta', 'response.audio.delta']) {
    rt.on(name, (event) => { got.samples += Buffer.from(event.delta, 'base64').length / 2; });
  }
  for (const name of ['response.output_audio_transcript.delta', 'response.audio_transcript.delta']) {
    rt.on(name, (event) => { got.text += event.delta; });
  }
  rt.on('response.done', finish);
  rt.socket.on('open', () => {
    const content = [{ type: 'input_text', text: 'What is two and two?' }];
    rt.send({ type: 'conversation.item.create', item: { type: 'message', role: 'user', content } });
    rt.send({ type: 'response.create' });
  });
}
