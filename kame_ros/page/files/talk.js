// Talks with the robot: the browser's microphone and loudspeaker over the socket /v1/realtime.

export class Talk {
  // `changed(state, text)`: 'off', 'starting', 'on', and why.
  constructor(token, changed) {
    this.token = token;
    this.changed = changed;
    this.state = 'off';
  }

  async start(device) {
    this.set('starting', '');
    try {
      if (!navigator.mediaDevices) throw new Error('a browser lends its microphone only to pages of this machine (localhost) or with https');
      // The browser's own echo cancellation: the robot does not hear itself.
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: { channelCount: 1, echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...(device ? { deviceId: device } : {}) },
      });
      this.context = new AudioContext({ latencyHint: 'interactive' });
      await this.context.audioWorklet.addModule('worklets.js');
      this.speaker = new AudioWorkletNode(this.context, 'loudspeaker', { outputChannelCount: [1] });
      this.speaker.connect(this.context.destination);
      this.microphone = new AudioWorkletNode(this.context, 'microphone', { numberOfOutputs: 0 });
      this.context.createMediaStreamSource(this.stream).connect(this.microphone);
      await this.context.resume();
      this.connect();
    } catch (error) {
      this.stop(error.name === 'NotAllowedError' ? 'the browser was not allowed to use the microphone' : error.message);
    }
  }

  connect() {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const socket = new WebSocket(`${scheme}://${location.host}/v1/realtime`, ['realtime', `openai-insecure-api-key.${this.token}`]);
    this.socket = socket;
    socket.onmessage = ({ data }) => this.hear(JSON.parse(data));
    socket.onopen = () => {
      this.microphone.port.onmessage = ({ data }) => {
        // What the network does not take is not kept: old sound is of no use.
        if (socket.readyState === 1 && socket.bufferedAmount < 200000) {
          socket.send(JSON.stringify({ type: 'input_audio_buffer.append', audio: encode(data) }));
        }
      };
      this.set('on', '');
    };
    socket.onclose = ({ reason }) => this.stop(this.refusal || reason || 'the robot hung up');
  }

  hear(event) {
    switch (event.type) {
      case 'response.output_audio.delta': this.speaker.port.postMessage(decode(event.delta)); break;
      case 'response.done':
        if (event.response.status === 'cancelled') this.speaker.port.postMessage('clear');
        break;
      case 'error': this.refusal = event.error.message; break;
    }
  }

  stop(why = '') {
    this.socket?.close();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close().catch(() => {});
    this.socket = this.stream = this.context = null;
    this.refusal = '';
    if (this.state !== 'off') this.set('off', why);
  }

  set(state, text) {
    this.state = state;
    this.changed(state, text);
  }
}

function encode(samples) {
  const bytes = new Uint8Array(samples.buffer);
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

function decode(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Int16Array(bytes.buffer);
}
