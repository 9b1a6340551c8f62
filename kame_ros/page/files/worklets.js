// In the audio thread: the microphone as blocks of 24 kHz, and the robot's sound as it comes.

const RATE = 24000;
const BLOCK = 1920; // 80 ms: a frame of the robot; it would wait for the rest of a smaller one

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Int16Array(BLOCK);
    this.filled = 0;
    this.step = sampleRate / RATE; // samples of the device for one of ours
    this.sum = 0;
    this.weight = 0;
  }

  process(inputs) {
    const channel = inputs[0][0];
    if (!channel) return true;
    for (const sample of channel) this.take(sample);
    return true;
  }

  // Each sample of ours is the mean of what the device heard in its time.
  take(sample) {
    let rest = 1;
    while (this.weight + rest >= this.step) {
      const part = this.step - this.weight;
      this.put((this.sum + sample * part) / this.step);
      rest -= part;
      this.sum = 0;
      this.weight = 0;
    }
    this.sum += sample * rest;
    this.weight += rest;
  }

  put(value) {
    this.block[this.filled++] = Math.max(-1, Math.min(1, value)) * 32767;
    if (this.filled === BLOCK) {
      this.port.postMessage(this.block, [this.block.buffer]);
      this.block = new Int16Array(BLOCK);
      this.filled = 0;
    }
  }
}

const AHEAD = 0.1; // seconds that wait before the first is played
const MOST = 5; // seconds that wait at most

class Loudspeaker extends AudioWorkletProcessor {
  constructor() {
    super();
    this.clear();
    this.port.onmessage = ({ data }) => {
      if (data === 'clear') return this.clear();
      if (this.waiting < MOST * RATE) {
        this.blocks.push(data);
        this.waiting += data.length;
      }
    };
  }

  clear() {
    this.blocks = [];
    this.waiting = 0;
    this.place = 0; // in the first block
    this.playing = false;
    this.last = 0;
  }

  process(inputs, outputs) {
    const out = outputs[0];
    if (!this.playing && this.waiting >= AHEAD * RATE) this.playing = true;
    for (let i = 0; i < out[0].length; i++) {
      const value = this.playing ? this.next() : (this.last *= 0.98); // no click where it ends
      for (const channel of out) channel[i] = value;
    }
    return true;
  }

  next() {
    const block = this.blocks[0];
    if (!block) {
      this.playing = false;
      return this.last;
    }
    const at = Math.floor(this.place), part = this.place - at;
    const after = at + 1 < block.length ? block[at + 1] : this.blocks[1]?.[0] ?? block[at];
    this.last = (block[at] * (1 - part) + after * part) / 32768;
    this.place += RATE / sampleRate;
    if (this.place >= block.length) {
      this.place -= block.length;
      this.waiting -= block.length;
      this.blocks.shift();
    }
    return this.last;
  }
}

registerProcessor('microphone', Microphone);
registerProcessor('loudspeaker', Loudspeaker);
